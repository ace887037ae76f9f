//! Attributions.

use conversion_core::attribution::Attribution;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::sqlite::code::{self, At};
use crate::sqlite::pack::{damaged, pack};
use crate::sqlite::read::attribution::attribution;
use crate::sqlite::writer::Work;

/// Keeps visits, each joined to what is kept under its id.
pub(in crate::sqlite) fn keep(work: &Work<'_>, visits: Vec<Attribution>) -> rusqlite::Result<()> {
    let mut find = work.transaction.prepare_cached("SELECT json FROM attribution WHERE id = ?1")?;
    let mut write = work.transaction.prepare_cached(
        "INSERT INTO attribution (id, last_seen, json) VALUES (?1, ?2, ?3)
        ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen, json = excluded.json",
    )?;
    for visit in visits {
        let read = |row: &Row<'_>| Ok(attribution(row.get_ref(0)?.as_blob()?));
        let joined = match find.query_row([&visit.id], read).optional()?.flatten() {
            Some(known) => known.joined_by(visit),
            None => visit,
        };
        let json = serde_json::to_string(&joined).map_err(damaged)?;
        write.execute(params![joined.id, At::from(joined.last_seen), pack(&json)])?;
    }
    Ok(())
}

/// Forgets those that were last seen before this time, the oldest first, and returns how many there were.
pub(in crate::sqlite) fn forget(work: &Work<'_>, before: At, limit: usize) -> rusqlite::Result<u64> {
    let sql = "DELETE FROM attribution WHERE seq IN
        (SELECT seq FROM attribution WHERE last_seen < ?1 ORDER BY last_seen LIMIT ?2)";
    let forgotten = work.transaction.prepare_cached(sql)?.execute(params![before, code::limit(limit)])?;
    Ok(u64::try_from(forgotten).unwrap_or(u64::MAX))
}
