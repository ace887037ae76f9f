//! Deliveries: one, or a list of them.

use conversion_core::consent::ConsentVerdict;
use rusqlite::{Connection, Params, Row, ToSql, params, params_from_iter};

use super::attempt::Attempts;
use crate::lease::{DeliveryId, SinkId};
use crate::record::{DeliveryDetail, DeliveryFilter, DeliveryRecord, Page};
use crate::settlement::Status;
use crate::sqlite::code::{At, Coded, Time};

/// The joins keep their order: a list walks the deliveries, and looks up the rest of each.
const RECORD: &str = "SELECT d.event, d.sink, e.name, e.id, ifnull(e.conversion_id, e.id), e.origin,
        s.name, s.kind, s.platform, d.status, d.confirmation, d.reason, d.message, d.consent,
        e.accepted_at, d.settled_at, d.due_at, d.attempts, d.response_code
    FROM delivery d CROSS JOIN event e ON e.seq = d.event CROSS JOIN sink s ON s.id = d.sink WHERE ";

/// Deliveries, the latest accepted first.
pub(in crate::sqlite) fn list(
    connection: &Connection,
    filter: &DeliveryFilter,
) -> rusqlite::Result<Page<DeliveryRecord>> {
    let Query { sql, values } = Query::new(filter);
    let mut items = records(connection, &sql, params_from_iter(values))?;
    // One more than asked for was looked up, to see whether there is one.
    let more = items.len() > filter.limit;
    items.truncate(filter.limit);
    Ok(Page { next: items.last().filter(|_| more).map(|last| last.id), items })
}

/// One delivery with every attempt.
pub(in crate::sqlite) fn detail(
    connection: &Connection,
    id: DeliveryId,
) -> rusqlite::Result<Option<DeliveryDetail>> {
    let sql = format!("{RECORD} d.event = ?1 AND d.sink = ?2");
    let Some(delivery) = records(connection, &sql, params![id.event, id.sink.0])?.pop() else {
        return Ok(None);
    };
    let attempts = Attempts::new(connection).all(id)?;
    Ok(Some(DeliveryDetail { delivery, attempts }))
}

/// The deliveries of one event, by sink.
pub(super) fn of_event(connection: &Connection, event: i64) -> rusqlite::Result<Vec<DeliveryRecord>> {
    records(connection, &format!("{RECORD} d.event = ?1 ORDER BY d.sink"), [event])
}

fn records(connection: &Connection, sql: &str, values: impl Params) -> rusqlite::Result<Vec<DeliveryRecord>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(values, record)?;
    let mut records: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    let mut attempts = Attempts::new(connection);
    for record in records.iter_mut().filter(|record| record.attempts > 0) {
        record.last_attempt = attempts.last(record.id)?;
    }
    Ok(records)
}

fn record(row: &Row<'_>) -> rusqlite::Result<DeliveryRecord> {
    let status = row.get::<_, Coded<Status>>(9)?.0;
    let due_at = row.get::<_, Time>(16)?.0;
    Ok(DeliveryRecord {
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
        driver: crate::queue::Driver::Builtin,
        last_attempt: None,
    })
}

/// A list's statement: fixed clauses, and a value for each question mark.
struct Query {
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Query {
    fn new(filter: &DeliveryFilter) -> Self {
        let mut query = Self { sql: RECORD.to_owned(), values: Vec::new() };
        if let Some(status) = filter.status {
            query.sql.push_str(state(status));
        } else {
            query.sql.push_str("TRUE");
        }
        if let Some(after) = filter.after {
            query.and("(d.event, d.sink) < (?", after.event);
            query.sql.push_str(", ?)");
            query.values.push(Box::new(after.sink.0));
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
            query.sql.push_str(" UNION ALL SELECT seq FROM event WHERE origin = 1 AND id = ?)");
            query.values.push(Box::new(id.clone()));
        }
        if let Some(since) = filter.since {
            query.and("e.accepted_at >= ?", At::from(since));
        }
        query.sql.push_str(" ORDER BY d.event DESC, d.sink DESC LIMIT ?");
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX).saturating_add(1);
        query.values.push(Box::new(limit));
        query
    }

    fn and(&mut self, clause: &'static str, value: impl ToSql + 'static) {
        self.sql.push_str(" AND ");
        self.sql.push_str(clause);
        self.values.push(Box::new(value));
    }
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
