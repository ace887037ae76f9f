//! When there will be work, and what of it an external queue is to have.

use conversion_core::Timestamp;
use rusqlite::{Connection, params};

use crate::lease::{DeliveryId, SinkId};
use crate::queue::{Driver, QueueItem};
use crate::sqlite::code::{self, At, Coded, Time};

/// When the sink's next free delivery of this driver is due.
pub(in crate::sqlite) fn next_due(
    connection: &Connection,
    sink: SinkId,
    driver: Driver,
) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT min(due_at) FROM delivery
        WHERE status = 0 AND sink = ?1 AND owner IS NULL AND driver = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let due: Option<Time> = statement.query_row(params![sink.0, Coded(driver)], |row| row.get(0))?;
    Ok(due.map(|due| due.0))
}

/// When the sink's next receipt is due.
pub(in crate::sqlite) fn next_receipt(
    connection: &Connection,
    sink: SinkId,
) -> rusqlite::Result<Option<Timestamp>> {
    let mut statement = connection.prepare_cached("SELECT min(due_at) FROM receipt WHERE sink = ?1")?;
    let due: Option<Time> = statement.query_row([sink.0], |row| row.get(0))?;
    Ok(due.map(|due| due.0))
}

/// Free deliveries of a sink that an external queue must be handed.
pub(in crate::sqlite) const QUEUE_DUE: &str = "SELECT event, publications, due_at FROM delivery
    WHERE status = 0 AND sink = ?1 AND owner IS NULL AND driver = 1 AND due_at <= ?2
    ORDER BY due_at, event LIMIT ?3";

/// The sink's free deliveries that must be handed to an external queue, the longest due first.
pub(in crate::sqlite) fn queue_due(
    connection: &Connection,
    sink: SinkId,
    now: At,
    limit: usize,
) -> rusqlite::Result<Vec<QueueItem>> {
    let mut statement = connection.prepare_cached(QUEUE_DUE)?;
    let rows = statement.query_map(params![sink.0, now, code::limit(limit)], |row| {
        Ok(QueueItem {
            id: DeliveryId { event: row.get(0)?, sink },
            publications: row.get(1)?,
            due_at: row.get::<_, Time>(2)?.0,
        })
    })?;
    rows.collect()
}
