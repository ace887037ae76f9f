//! Whether the disk takes anything.

use crate::sqlite::writer::Work;

/// Writes one row.
pub(in crate::sqlite) fn probe(work: &Work<'_>) -> rusqlite::Result<()> {
    let sql = "INSERT INTO probe (id, n) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = n + 1";
    work.transaction.prepare_cached(sql)?.execute([]).map(drop)
}
