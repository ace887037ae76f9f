//! One event.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::delivery;
use super::sinks::Names;
use crate::record::EventRecord;
use crate::sqlite::code::Time;
use crate::sqlite::pack::unpack;

/// One live event with its deliveries.
pub(in crate::sqlite) fn event(
    connection: &Connection,
    name: &str,
    id: &str,
) -> rusqlite::Result<Option<EventRecord>> {
    let sql = "SELECT e.seq, e.accepted_at, r.sinks, b.json, e.appointment
        FROM event e JOIN route r ON r.id = e.route LEFT JOIN body b ON b.event = e.seq
        WHERE e.origin = 0 AND e.id = ?1 AND e.name = ?2";
    let names = Names::read(connection)?;
    let read = |row: &Row<'_>| {
        let seq: i64 = row.get(0)?;
        let record = EventRecord {
            seq,
            name: name.to_owned(),
            id: id.to_owned(),
            appointment: row.get(4)?,
            json: row.get_ref(3)?.as_blob_or_null()?.map(unpack).transpose()?,
            accepted_at: row.get::<_, Time>(1)?.0,
            routed: route(row.get_ref(2)?.as_str()?).map(|sink| names.of(sink)).collect(),
            deliveries: Vec::new(),
        };
        Ok((seq, record))
    };
    let found = connection.prepare_cached(sql)?.query_row(params![id, name], read).optional()?;
    let Some((seq, record)) = found else { return Ok(None) };
    Ok(Some(EventRecord { deliveries: delivery::of_event(connection, seq)?, ..record }))
}

/// The sinks of a route.
pub(super) fn route(sinks: &str) -> impl Iterator<Item = u32> + '_ {
    sinks.split_ascii_whitespace().filter_map(|sink| sink.parse().ok())
}
