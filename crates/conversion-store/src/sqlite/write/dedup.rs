//! The dedup keys of what was perhaps sent: nobody wrote them down before the sending, which would cost a commit each.

use std::collections::BTreeMap;

use conversion_core::dedup::DedupTarget;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::lease::{DeliveryId, SinkId};

/// Leased deliveries without a key, each with its sink's target. The index is named because a scan of all deliveries
/// would be the other way.
pub(in crate::sqlite) const LEASED: &str = "SELECT t.target, ifnull(e.conversion_id, e.id), d.event, d.sink
    FROM delivery d INDEXED BY delivery_pending
    CROSS JOIN event e ON e.seq = d.event
    CROSS JOIN dedup_target t ON t.sink = d.sink AND t.event_name = e.name
    WHERE d.status = 0 AND d.sink IN (SELECT id FROM sink) AND d.owner IS NOT NULL AND d.dedup_key IS NULL";
const ONE: &str = "SELECT t.target, ifnull(e.conversion_id, e.id)
    FROM event e CROSS JOIN dedup_target t ON t.sink = ?2 AND t.event_name = e.name
    WHERE e.seq = ?1";

/// Writes the key under which each leased delivery was sent, if it was.
pub(super) fn keep_keys(connection: &Connection) -> rusqlite::Result<()> {
    let mut leased = connection.prepare_cached(LEASED)?;
    let keyed = leased.query_map([], |row| Ok((made(row)?, row.get(2)?, row.get(3)?)))?;
    let keyed: Vec<(String, i64, u32)> = keyed.collect::<rusqlite::Result<_>>()?;
    let sql = "UPDATE delivery SET dedup_key = ?1 WHERE event = ?2 AND sink = ?3";
    let mut keep = connection.prepare_cached(sql)?;
    keyed.into_iter().try_for_each(|row| keep.execute(row).map(drop))
}

/// The key under which this delivery was sent, if it was.
pub(super) fn key(connection: &Connection, id: DeliveryId) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare_cached(ONE)?;
    statement.query_row(params![id.event, id.sink.0], made).optional()
}

fn made(row: &Row<'_>) -> rusqlite::Result<String> {
    let conversion_id: String = row.get(1)?;
    Ok(DedupTarget::kept(row.get(0)?).key(&conversion_id))
}

/// Remembers what keys are made of from now on.
pub(super) fn remember(
    connection: &Connection,
    sink: SinkId,
    targets: &BTreeMap<String, DedupTarget>,
) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM dedup_target WHERE sink = ?1", [sink.0])?;
    let sql = "INSERT INTO dedup_target (sink, event_name, target) VALUES (?1, ?2, ?3)";
    let mut insert = connection.prepare_cached(sql)?;
    for (name, target) in targets {
        insert.execute(params![sink.0, name, target.as_str()])?;
    }
    Ok(())
}
