//! Runs of the service.

use conversion_core::failure::FailureClass;
use rusqlite::{OptionalExtension as _, params};

use super::dedup;
use crate::lease::RunId;
use crate::sqlite::code::{At, lease_micros};
use crate::sqlite::writer::Work;

/// Former runs that stay known: more than could still have a call under way.
const REMEMBERED: i64 = 16;

/// Starts a run and frees the leases of all others.
pub(in crate::sqlite) fn start(work: &Work<'_>, now: At, alive_until: At) -> rusqlite::Result<RunId> {
    fail_tests(work, now)?;
    dedup::keep_keys(&work.transaction)?;
    free_leases(work, now)?;
    put_back(work, now)?;
    let sql = "UPDATE run SET alive_until = min(alive_until, ?1)";
    work.transaction.prepare_cached(sql)?.execute([now])?;
    let sql = "INSERT INTO run (started_at, seen_at, alive_until) VALUES (?1, ?1, ?2)";
    let run = work.transaction.prepare_cached(sql)?.insert(params![now, alive_until])?;
    work.transaction.prepare_cached("DELETE FROM run WHERE id <= ?1")?.execute([run - REMEMBERED])?;
    Ok(RunId(run))
}

/// A test is never tried again: one that was cut off has failed.
fn fail_tests(work: &Work<'_>, now: At) -> rusqlite::Result<()> {
    let sql = "UPDATE delivery SET status = 3, owner = NULL, settled_at = ?1, reason = ?2,
            message = 'the service ended while the test was under way'
        WHERE status = 0 AND event IN (SELECT seq FROM event WHERE origin = 1)";
    work.transaction.prepare_cached(sql)?.execute(params![now, FailureClass::Interrupted.name()]).map(drop)
}

// What was leased may have been sent since. The index is named because a scan of all deliveries would be the other way.
fn free_leases(work: &Work<'_>, now: At) -> rusqlite::Result<()> {
    let sql = "UPDATE delivery INDEXED BY delivery_pending
        SET uncertain_since = coalesce(uncertain_since, due_at - ?2), due_at = ?1, owner = NULL
        WHERE status = 0 AND sink IN (SELECT id FROM sink) AND owner IS NOT NULL";
    work.transaction.prepare_cached(sql)?.execute(params![now, lease_micros()]).map(drop)
}

// What waits for a time that a faster clock told would wait for that much longer, and a dedup window would seem to last
// longer than it does.
fn put_back(work: &Work<'_>, now: At) -> rusqlite::Result<()> {
    let sql = "SELECT seen_at - ?1 FROM run ORDER BY id DESC LIMIT 1";
    let by: Option<i64> = work.transaction.query_row(sql, [now], |row| row.get(0)).optional()?;
    let Some(by) = by.filter(|by| *by > 0) else { return Ok(()) };
    tracing::warn!(
        seconds = by / 1_000_000,
        "the clock was put back since the last run; what waits is put with it"
    );
    for sql in PUT_BACK {
        work.transaction.execute(sql, params![now, by])?;
    }
    Ok(())
}

const PUT_BACK: [&str; 4] = [
    "UPDATE delivery INDEXED BY delivery_pending
        SET due_at = max(?1, due_at - ?2), uncertain_since = uncertain_since - ?2
        WHERE status = 0 AND sink IN (SELECT id FROM sink) AND (due_at > ?1 OR uncertain_since IS NOT NULL)",
    "UPDATE hold SET since = since - ?2, until = until - ?2 WHERE ended_at IS NULL AND ?1 IS NOT NULL",
    "UPDATE notice SET due_at = max(?1, due_at - ?2) WHERE status = 0 AND due_at > ?1",
    "UPDATE sink SET replayed_until = max(?1, replayed_until - ?2) WHERE replayed_until > ?1",
];

/// Renews the run's time.
pub(in crate::sqlite) fn heartbeat(
    work: &Work<'_>,
    run: RunId,
    now: At,
    alive_until: At,
) -> rusqlite::Result<()> {
    let sql = "UPDATE run SET seen_at = ?2, alive_until = ?3 WHERE id = ?1";
    work.transaction.prepare_cached(sql)?.execute(params![run.0, now, alive_until]).map(drop)
}
