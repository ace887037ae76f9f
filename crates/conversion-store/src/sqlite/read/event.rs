//! Events: one, or a list of them.

use rusqlite::{Connection, Row};

use super::delivery;
use super::query::Query;
use super::sinks::Names;
use crate::record::{EventFilter, EventRecord};
use crate::sqlite::code::{self, Time};
use crate::sqlite::pack::unpack;

/// The joins keep their order: a list walks the events, and looks up the rest of each.
const RECORD: &str = "SELECT e.seq, e.name, e.id, e.appointment, e.accepted_at, r.sinks, b.json
    FROM event e CROSS JOIN route r ON r.id = e.route LEFT JOIN body b ON b.event = e.seq";
/// The latest accepted first.
pub(super) const ORDER: &str = "e.seq DESC";

/// Joins the first events of an appointment, however many it has.
const FIRST_OF_APPOINTMENT: &str =
    " ON o.seq IN (SELECT seq FROM event WHERE origin = 0 AND appointment = a.value ORDER BY seq LIMIT ?))";

/// One live event with its deliveries.
pub(in crate::sqlite) fn event(
    connection: &Connection,
    name: &str,
    id: &str,
) -> rusqlite::Result<Option<EventRecord>> {
    let (name, id) = (Some(name.to_owned()), Some(id.to_owned()));
    let (mut found, _) = list(connection, &EventFilter { name, id, limit: 1, ..EventFilter::default() })?;
    let Some(record) = found.pop() else { return Ok(None) };
    Ok(Some(EventRecord { deliveries: delivery::of_events(connection, &[record.seq], true)?, ..record }))
}

/// Live events without their deliveries, the latest accepted first, and where the next part begins.
pub(in crate::sqlite) fn list(
    connection: &Connection,
    filter: &EventFilter,
) -> rusqlite::Result<(Vec<EventRecord>, Option<i64>)> {
    let names = Names::read(connection)?;
    let read = |row: &Row<'_>| record(row, &names);
    let (records, more) = query(filter).first(connection, filter.limit, ORDER, read)?;
    let next = records.last().filter(|_| more).map(|last| last.seq);
    Ok((records, next))
}

pub(super) fn query(filter: &EventFilter) -> Query {
    let mut query = Query::new(RECORD, "e.origin = 0");
    if let Some(appointments) = &filter.appointments {
        let appointments = code::list(appointments);
        match filter.first_of_each {
            None => query.and("e.appointment IN (SELECT value FROM json_each(?))", appointments),
            Some(most) => {
                query.and("e.seq IN (SELECT o.seq FROM json_each(?) a CROSS JOIN event o", appointments);
                query.push(FIRST_OF_APPOINTMENT, code::limit(most));
            }
        }
    }
    if let Some(name) = &filter.name {
        // The plus keeps the planner from the index by name where the one by appointment finds fewer.
        let is_beside = filter.appointments.is_some() && filter.id.is_none();
        query.and(if is_beside { "+e.name = ?" } else { "e.name = ?" }, name.clone());
    }
    if let Some(id) = &filter.id {
        query.and("e.id = ?", id.clone());
    }
    if let Some(since) = filter.since {
        query.since("e.seq", since);
    }
    if let Some(after) = filter.after {
        query.and("e.seq < ?", after);
    }
    query
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
