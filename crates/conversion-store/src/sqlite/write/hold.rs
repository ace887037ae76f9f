//! Sinks and their holds.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::dedup;
use crate::hold::{HELD, Hold, HoldPeriod, Parked, RegisteredSink, SinkRegistration};
use crate::lease::SinkId;
use crate::queue::Driver;
use crate::sqlite::code::{self, At, Coded, Time};
use crate::sqlite::read::sinks::holds;
use crate::sqlite::writer::Work;

/// Ended holds that are kept of each scope.
const PAST: i64 = 1000;
/// Deliveries that are looked at in one transaction, of each driver, when a hold ends.
const TURN: usize = 2_000;

/// Makes sinks known, in order.
pub(in crate::sqlite) fn register(
    work: &Work<'_>,
    sinks: &[SinkRegistration],
) -> rusqlite::Result<Vec<RegisteredSink>> {
    sinks.iter().map(|sink| register_one(&work.transaction, sink)).collect()
}

fn register_one(connection: &Connection, sink: &SinkRegistration) -> rusqlite::Result<RegisteredSink> {
    let SinkRegistration { name, kind, platform, fingerprint, targets } = sink;
    let sql = "SELECT fingerprint FROM sink WHERE name = ?1";
    let before: Option<[u8; 16]> = connection.query_row(sql, [name], |row| row.get(0)).optional()?;
    let sql = "INSERT INTO sink (name, kind, platform, fingerprint) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (name) DO UPDATE SET kind = ?2, platform = ?3, fingerprint = ?4";
    connection.execute(sql, params![name, kind, platform, fingerprint])?;
    let id =
        connection.query_row("SELECT id FROM sink WHERE name = ?1", [name], |row| row.get(0).map(SinkId))?;
    dedup::remember(connection, id, targets)?;
    Ok(RegisteredSink {
        id,
        settings_changed: before.is_some_and(|before| before != *fingerprint),
        holds: holds(connection, id)?,
        past: past(connection, id)?,
    })
}

fn past(connection: &Connection, sink: SinkId) -> rusqlite::Result<Vec<HoldPeriod>> {
    let sql = "SELECT since, ended_at FROM hold WHERE sink = ?1 AND event_name = '' AND ended_at IS NOT NULL
        ORDER BY ended_at DESC LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![sink.0, PAST], |row| {
        Ok(HoldPeriod { from: row.get::<_, Time>(0)?.0, to: row.get::<_, Time>(1)?.0 })
    })?;
    rows.collect()
}

/// Sets or replaces the hold of the same scope.
pub(in crate::sqlite) fn hold(work: &Work<'_>, sink: SinkId, hold: &Hold) -> rusqlite::Result<()> {
    let sql = "INSERT INTO hold (sink, event_name, reason, message, since, until, failures)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (sink, event_name) WHERE ended_at IS NULL
        DO UPDATE SET reason = ?3, message = ?4, since = ?5, until = ?6, failures = ?7";
    let Hold { event_name, reason, message, since, until, failures } = hold;
    let scope = event_name.as_deref().unwrap_or_default();
    let row = params![sink.0, scope, reason, message, At::from(*since), until.map(At::from), failures];
    work.transaction.prepare_cached(sql)?.execute(row).map(drop)
}

/// Ends a hold and makes the first of what was parked under it due.
pub(in crate::sqlite) fn resume(work: &Work<'_>, parked: Parked) -> rusqlite::Result<Option<Parked>> {
    let scope = parked.event_name().unwrap_or_default();
    let sql = "UPDATE hold SET ended_at = max(since, ?3)
        WHERE sink = ?1 AND event_name = ?2 AND ended_at IS NULL";
    let ended = params![parked.sink.0, scope, At::from(parked.resumed_at)];
    work.transaction.prepare_cached(sql)?.execute(ended)?;
    forget(&work.transaction, parked.sink, scope)?;
    release(work, parked)
}

fn forget(connection: &Connection, sink: SinkId, scope: &str) -> rusqlite::Result<()> {
    let sql = "DELETE FROM hold WHERE sink = ?1 AND event_name = ?2 AND ended_at <
        (SELECT ended_at FROM hold WHERE sink = ?1 AND event_name = ?2 AND ended_at IS NOT NULL
            ORDER BY ended_at DESC LIMIT 1 OFFSET ?3)";
    connection.prepare_cached(sql)?.execute(params![sink.0, scope, PAST - 1]).map(drop)
}

/// A sink's free deliveries of a driver that are due later than the one at which the last look ended, and whether each is
/// parked. Under the sink's own hold anything may be parked, except what a hold of its event name keeps.
pub(in crate::sqlite) const WAITING: &str = "SELECT d.event, d.due_at, d.reason IS ?6 AND EXISTS (
        SELECT 1 FROM event WHERE seq = d.event AND (?5 = '' OR name = ?5)
        AND name NOT IN (SELECT event_name FROM hold WHERE sink = ?1 AND ended_at IS NULL))
    FROM delivery d WHERE d.status = 0 AND d.sink = ?1 AND d.owner IS NULL AND d.driver = ?2
        AND (d.due_at, d.event) > (?3, ?4)
    ORDER BY d.due_at, d.event LIMIT ?7";

/// Makes parked deliveries due, whoever drives them, until so many have been looked at that others should have a turn.
pub(in crate::sqlite) fn release(work: &Work<'_>, mut parked: Parked) -> rusqlite::Result<Option<Parked>> {
    let resumed_at = At::from(parked.resumed_at);
    loop {
        let looked_at = waiting(&work.transaction, &parked)?;
        let sql = "UPDATE delivery SET due_at = ?3, retried_at = ?3, reason = NULL, message = NULL
            WHERE event = ?1 AND sink = ?2";
        let mut release = work.transaction.prepare_cached(sql)?;
        for (event, _, _) in looked_at.iter().filter(|(_, _, is_parked)| *is_parked) {
            release.execute(params![event, parked.sink.0, resumed_at])?;
        }
        if let Some((event, due_at, _)) = looked_at.get(TURN - 1) {
            parked.after = Some((due_at.0, *event));
            return Ok(Some(parked));
        }
        if parked.driver == Driver::Queue {
            return Ok(None);
        }
        parked = Parked { driver: Driver::Queue, after: None, ..parked };
    }
}

fn waiting(connection: &Connection, parked: &Parked) -> rusqlite::Result<Vec<(i64, Time, bool)>> {
    let Parked { sink, resumed_at, driver, .. } = parked;
    let scope = parked.event_name().unwrap_or_default();
    let (due_at, event) = parked.after.unwrap_or((*resumed_at, i64::MAX));
    let mut statement = connection.prepare_cached(WAITING)?;
    let asked = params![sink.0, Coded(*driver), At::from(due_at), event, scope, HELD, code::limit(TURN)];
    let rows = statement.query_map(asked, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}
