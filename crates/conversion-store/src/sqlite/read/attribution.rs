//! Attributions.

use conversion_core::attribution::Attribution;
use rusqlite::Connection;

use crate::sqlite::code::list;
use crate::sqlite::pack::{damaged, unpack};

/// Those of `ids` that are kept.
pub(in crate::sqlite) fn those(
    connection: &Connection,
    ids: &[String],
) -> rusqlite::Result<Vec<Attribution>> {
    let sql = "SELECT json FROM attribution WHERE id IN (SELECT value FROM json_each(?1))";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([list(ids)], |row| Ok(attribution(row.get_ref(0)?.as_blob()?)))?;
    let known: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(known.into_iter().flatten().collect())
}

/// An attribution as it is kept. One that cannot be read is none: it must not cost those beside it.
pub(in crate::sqlite) fn attribution(blob: &[u8]) -> Option<Attribution> {
    let read = unpack(blob).and_then(|json| serde_json::from_str(&json).map_err(damaged));
    // The error may repeat what is kept.
    read.inspect_err(|_| tracing::error!("an attribution is damaged; it is left out")).ok()
}
