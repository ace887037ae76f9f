//! When there will be work.

use conversion_core::Timestamp;
use rusqlite::Connection;

use crate::lease::SinkId;
use crate::sqlite::code::Time;

/// When the sink's next free delivery is due.
pub(in crate::sqlite) fn next_due(
    connection: &Connection,
    sink: SinkId,
) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT min(due_at) FROM delivery WHERE status = 0 AND sink = ?1 AND owner IS NULL";
    let due: Option<Time> = connection.prepare_cached(sql)?.query_row([sink.0], |row| row.get(0))?;
    Ok(due.map(|due| due.0))
}
