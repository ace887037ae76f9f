//! Deliveries: one, or a list of them.

use conversion_core::consent::ConsentVerdict;
use rusqlite::{Connection, Params, Row, params};

use super::attempt::{self, Bare, Exchanges};
use super::query::Query;
use crate::lease::{DeliveryId, SinkId};
use crate::record::{DeliveryDetail, DeliveryFilter, DeliveryRecord, Page};
use crate::settlement::Status;
use crate::sqlite::code::{self, Coded, Time};

/// The joins keep their order: a list walks the deliveries, and looks up the rest of each. The last attempt is the one
/// that is numbered as many as there were.
const RECORD: &str = "SELECT d.event, d.sink, e.name, e.id, ifnull(e.conversion_id, e.id), e.origin,
        s.name, s.kind, s.platform, d.status, d.confirmation, d.reason, d.message, d.consent,
        e.accepted_at, d.settled_at, d.due_at, d.attempts, d.response_code, d.driver,
        a.number, a.exchange, a.position, a.result, a.note
    FROM delivery d CROSS JOIN event e ON e.seq = d.event CROSS JOIN sink s ON s.id = d.sink
    LEFT JOIN attempt a ON a.event = d.event AND a.sink = d.sink AND a.number = d.attempts";
/// The latest accepted first.
pub(super) const ORDER: &str = "d.event DESC, d.sink DESC";

/// Deliveries, the latest accepted first.
pub(in crate::sqlite) fn list(
    connection: &Connection,
    filter: &DeliveryFilter,
) -> rusqlite::Result<Page<DeliveryRecord>> {
    let (rows, more) = query(filter).first(connection, filter.limit, ORDER, record)?;
    let items = complete(connection, rows, filter.with_attempts)?;
    Ok(Page { next: items.last().filter(|_| more).map(|last| last.id), items })
}

/// One delivery with every attempt.
pub(in crate::sqlite) fn detail(
    connection: &Connection,
    id: DeliveryId,
) -> rusqlite::Result<Option<DeliveryDetail>> {
    let sql = format!("{RECORD} WHERE d.event = ?1 AND d.sink = ?2");
    let Some(delivery) = records(connection, &sql, params![id.event, id.sink.0], true)?.pop() else {
        return Ok(None);
    };
    let attempts = attempt::all(connection, id)?;
    Ok(Some(DeliveryDetail { delivery, attempts }))
}

/// The deliveries of these events, by event and sink.
pub(in crate::sqlite) fn of_events(
    connection: &Connection,
    events: &[i64],
    with_attempts: bool,
) -> rusqlite::Result<Vec<DeliveryRecord>> {
    let which = "WHERE d.event IN (SELECT value FROM json_each(?1)) ORDER BY d.event, d.sink";
    records(connection, &format!("{RECORD} {which}"), [code::list(events)], with_attempts)
}

fn records(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    with_attempts: bool,
) -> rusqlite::Result<Vec<DeliveryRecord>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(values, record)?;
    complete(connection, rows.collect::<rusqlite::Result<_>>()?, with_attempts)
}

// Gives each delivery its last attempt, where they are wanted and there was one.
fn complete(
    connection: &Connection,
    rows: Vec<(DeliveryRecord, Option<Bare>)>,
    with_attempts: bool,
) -> rusqlite::Result<Vec<DeliveryRecord>> {
    if !with_attempts {
        return Ok(rows.into_iter().map(|(record, _)| record).collect());
    }
    let exchanges = Exchanges::own(connection, rows.iter().filter_map(|(_, attempt)| attempt.as_ref()))?;
    let complete = |(record, attempt): (_, Option<Bare>)| {
        let last_attempt = attempt.map(|attempt| exchanges.complete(attempt)).transpose()?;
        Ok(DeliveryRecord { last_attempt, ..record })
    };
    rows.into_iter().map(complete).collect()
}

fn record(row: &Row<'_>) -> rusqlite::Result<(DeliveryRecord, Option<Bare>)> {
    let status = row.get::<_, Coded<Status>>(9)?.0;
    let due_at = row.get::<_, Time>(16)?.0;
    let record = DeliveryRecord {
        id: DeliveryId { event: row.get(0)?, sink: SinkId(row.get(1)?) },
        event_name: row.get(2)?,
        event_id: row.get(3)?,
        conversion_id: row.get(4)?,
        origin: row.get::<_, Coded<_>>(5)?.0,
        sink: row.get(6)?,
        kind: row.get(7)?,
        platform: row.get(8)?,
        status,
        confirmation: row.get::<_, Coded<_>>(10)?.0,
        reason: row.get(11)?,
        message: row.get(12)?,
        consent: row.get::<_, Option<Coded<ConsentVerdict>>>(13)?.map(|verdict| verdict.0),
        accepted_at: row.get::<_, Time>(14)?.0,
        settled_at: row.get::<_, Option<Time>>(15)?.map(|time| time.0),
        next_attempt_at: (status == Status::Pending).then_some(due_at),
        attempts: row.get(17)?,
        response_code: row.get(18)?,
        driver: row.get::<_, Coded<_>>(19)?.0,
        last_attempt: None,
    };
    Ok((record, Bare::read(row, 20)?))
}

pub(super) fn query(filter: &DeliveryFilter) -> Query {
    let mut query = Query::new(RECORD, filter.status.map_or("TRUE", state));
    if let Some(after) = filter.after {
        query.and("(d.event, d.sink) < (?", after.event);
        query.push(", ?)", after.sink.0);
    }
    if let Some(confirmation) = filter.confirmation {
        query.and("d.confirmation = ?", Coded(confirmation));
    }
    if let Some(sink) = &filter.sink {
        query.and("d.sink = (SELECT id FROM sink WHERE name = ?)", sink.clone());
    }
    if let Some(reason) = &filter.reason {
        query.and("d.reason = ?", reason.clone());
    }
    if let Some(id) = &filter.event_id {
        // Two halves, because each index holds the events of one origin.
        query.and("d.event IN (SELECT seq FROM event WHERE origin = 0 AND id = ?", id.clone());
        query.push(" UNION ALL SELECT seq FROM event WHERE origin = 1 AND id = ?)", id.clone());
    }
    if let Some(since) = filter.since {
        query.since("d.event", since);
    }
    query
}

// Written out, not bound: so the planner sees that an index of one state can serve.
fn state(status: Status) -> &'static str {
    match status {
        Status::Pending => "d.status = 0",
        Status::Delivered => "d.status = 1",
        Status::Skipped => "d.status = 2",
        Status::Failed => "d.status = 3",
    }
}
