//! Notices of booking systems.

use conversion_core::Timestamp;
use rusqlite::{Connection, Row, params};

use super::query::Query;
use crate::booking::{Notice, NoticeCounts, NoticeFilter, NoticeId, NoticeRecord, NoticeStatus};
use crate::sqlite::code::{self, At, Coded, Time};

/// Pending notices of one source that are due, the longest due first.
pub(in crate::sqlite) fn due(
    connection: &Connection,
    source: &str,
    now: At,
    limit: usize,
) -> rusqlite::Result<Vec<Notice>> {
    let sql = "SELECT id, action, appointment, received_at, waiting_since, tries FROM notice
        WHERE status = 0 AND source = ?1 AND appointment IS NOT NULL AND due_at <= ?2
        ORDER BY due_at, id LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![source, now, code::limit(limit)], |row| {
        Ok(Notice {
            id: NoticeId(row.get(0)?),
            action: row.get(1)?,
            appointment: row.get(2)?,
            received_at: row.get::<_, Time>(3)?.0,
            waiting_since: row.get::<_, Time>(4)?.0,
            tries: row.get(5)?,
        })
    })?;
    rows.collect()
}

/// When the source's next pending notice is due.
pub(in crate::sqlite) fn next_due(
    connection: &Connection,
    source: &str,
) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT min(due_at) FROM notice WHERE status = 0 AND source = ?1 AND appointment IS NOT NULL";
    let due: Option<Time> = connection.prepare_cached(sql)?.query_row([source], |row| row.get(0))?;
    Ok(due.map(|due| due.0))
}

/// Notices, the latest received first, and where the next part begins.
pub(in crate::sqlite) fn list(
    connection: &Connection,
    filter: &NoticeFilter,
) -> rusqlite::Result<(Vec<NoticeRecord>, Option<NoticeId>)> {
    let select = "SELECT id, source, action, appointment, status, reason, message, event_name, event_id,
        received_at, due_at, tries FROM notice";
    let mut query = Query::new(select, filter.status.map_or("TRUE", state));
    if let Some(source) = &filter.source {
        // Without a state most notices are of this source: looking them up by it would sort them all.
        let condition = if filter.status.is_some() { "source = ?" } else { "+source = ?" };
        query.and(condition, source.clone());
    }
    if let Some(appointment) = &filter.appointment {
        query.and("appointment = ?", appointment.clone());
    }
    if let Some(after) = filter.after {
        query.and("id < ?", after.0);
    }
    let (records, more) = query.first(connection, filter.limit, "id DESC", record)?;
    let next = records.last().filter(|_| more).map(|last| last.id);
    Ok((records, next))
}

// Written out, not bound: so the planner sees that an index of one state can serve.
fn state(status: NoticeStatus) -> &'static str {
    match status {
        NoticeStatus::Pending => "status = 0",
        NoticeStatus::Done => "status = 1",
        NoticeStatus::Ignored => "status = 2",
        NoticeStatus::Failed => "status = 3",
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<NoticeRecord> {
    let status = row.get::<_, Coded<NoticeStatus>>(4)?.0;
    let (name, id): (Option<_>, Option<_>) = (row.get(7)?, row.get(8)?);
    let due_at = row.get::<_, Time>(10)?.0;
    Ok(NoticeRecord {
        id: NoticeId(row.get(0)?),
        source: row.get(1)?,
        action: row.get(2)?,
        appointment: row.get(3)?,
        status,
        reason: row.get(5)?,
        message: row.get(6)?,
        event: name.zip(id),
        received_at: row.get::<_, Time>(9)?.0,
        due_at: (status == NoticeStatus::Pending).then_some(due_at),
        tries: row.get(11)?,
    })
}

/// How many notices of a source stand how.
pub(in crate::sqlite) fn counts(connection: &Connection, source: &str) -> rusqlite::Result<NoticeCounts> {
    let sql = "SELECT status, count(*) FROM notice WHERE source = ?1 GROUP BY status";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([source])?;
    let mut counts = NoticeCounts::default();
    while let Some(row) = rows.next()? {
        let count = match row.get::<_, Coded<NoticeStatus>>(0)?.0 {
            NoticeStatus::Pending => &mut counts.pending,
            NoticeStatus::Done => &mut counts.done,
            NoticeStatus::Ignored => &mut counts.ignored,
            NoticeStatus::Failed => &mut counts.failed,
        };
        *count = row.get::<_, i64>(1)?.unsigned_abs();
    }
    Ok(counts)
}
