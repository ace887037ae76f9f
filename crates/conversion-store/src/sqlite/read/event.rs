//! Events: one, or a list of them.

use rusqlite::{Connection, Row};

use super::delivery;
use super::query::Query;
use super::sinks::Names;
use crate::record::{EventFilter, EventRecord};
use crate::sqlite::code::{self, At, Time};
use crate::sqlite::pack::unpack;

/// The joins keep their order: a list walks the events, and looks up the rest of each.
const RECORD: &str = "SELECT e.seq, e.name, e.id, e.appointment, e.accepted_at, r.sinks, b.json
    FROM event e CROSS JOIN route r ON r.id = e.route LEFT JOIN body b ON b.event = e.seq";

/// One live event with its deliveries.
pub(in crate::sqlite) fn event(
    connection: &Connection,
    name: &str,
    id: &str,
) -> rusqlite::Result<Option<EventRecord>> {
    let (name, id) = (Some(name.to_owned()), Some(id.to_owned()));
    let (mut found, _) = list(connection, &EventFilter { name, id, limit: 1, ..EventFilter::default() })?;
    let Some(record) = found.pop() else { return Ok(None) };
    Ok(Some(EventRecord { deliveries: delivery::of_events(connection, &[record.seq])?, ..record }))
}

/// Live events without their deliveries, the latest accepted first, and where the next part begins.
pub(in crate::sqlite) fn list(
    connection: &Connection,
    filter: &EventFilter,
) -> rusqlite::Result<(Vec<EventRecord>, Option<i64>)> {
    let names = Names::read(connection)?;
    let mut query = Query::new(RECORD, "e.origin = 0");
    if let Some(appointments) = &filter.appointments {
        query.and("e.appointment IN (SELECT value FROM json_each(?))", code::list(appointments));
    }
    if let Some(name) = &filter.name {
        query.and("e.name = ?", name.clone());
    }
    if let Some(id) = &filter.id {
        query.and("e.id = ?", id.clone());
    }
    if let Some(since) = filter.since {
        query.and("e.accepted_at >= ?", At::from(since));
    }
    if let Some(after) = filter.after {
        query.and("e.seq < ?", after);
    }
    let read = |row: &Row<'_>| record(row, &names);
    let (records, more) = query.first(connection, filter.limit, "e.seq DESC", read)?;
    let next = records.last().filter(|_| more).map(|last| last.seq);
    Ok((records, next))
}

fn record(row: &Row<'_>, names: &Names) -> rusqlite::Result<EventRecord> {
    Ok(EventRecord {
        seq: row.get(0)?,
        name: row.get(1)?,
        id: row.get(2)?,
        appointment: row.get(3)?,
        json: row.get_ref(6)?.as_blob_or_null()?.map(unpack).transpose()?,
        accepted_at: row.get::<_, Time>(4)?.0,
        routed: route(row.get_ref(5)?.as_str()?).map(|sink| names.of(sink)).collect(),
        deliveries: Vec::new(),
    })
}

/// The sinks of a route.
pub(super) fn route(sinks: &str) -> impl Iterator<Item = u32> + '_ {
    sinks.split_ascii_whitespace().filter_map(|sink| sink.parse().ok())
}
