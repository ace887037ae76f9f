//! Sinks, their holds and their counters.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};

use crate::audit::{SinkAccount, VerdictAccount};
use crate::hold::{Hold, SinkState};
use crate::lease::SinkId;
use crate::sqlite::code::{Coded, Time};
use crate::sqlite::write::tally::{Count, NO_SINK};

/// Every sink that the store knows.
pub(in crate::sqlite) fn sinks(connection: &Connection) -> rusqlite::Result<Vec<SinkState>> {
    let counters = Counters::read(connection)?;
    let state = |row: &Row<'_>| {
        let id = SinkId(row.get(0)?);
        Ok(SinkState {
            id,
            name: row.get(1)?,
            kind: row.get(2)?,
            platform: row.get(3)?,
            holds: holds(connection, id)?,
            account: counters.account(id),
            last_delivered_at: row.get::<_, Option<Time>>(4)?.map(|time| time.0),
            replayed_until: row.get::<_, Option<Time>>(5)?.map(|time| time.0),
        })
    };
    let sql = "SELECT id, name, kind, platform, last_delivered_at, replayed_until FROM sink ORDER BY id";
    connection.prepare_cached(sql)?.query_map([], state)?.collect()
}

/// Holds in force at a sink, that of all the sink first.
pub(in crate::sqlite) fn holds(connection: &Connection, sink: SinkId) -> rusqlite::Result<Vec<Hold>> {
    let sql = "SELECT event_name, reason, message, since, until, failures FROM hold
        WHERE sink = ?1 AND ended_at IS NULL ORDER BY event_name";
    let hold = |row: &Row<'_>| {
        Ok(Hold {
            event_name: Some(row.get(0)?).filter(|name: &String| !name.is_empty()),
            reason: row.get(1)?,
            message: row.get(2)?,
            since: row.get::<_, Time>(3)?.0,
            until: row.get::<_, Option<Time>>(4)?.map(|time| time.0),
            failures: row.get(5)?,
        })
    };
    connection.prepare_cached(sql)?.query_map([sink.0], hold)?.collect()
}

/// Names of sinks.
pub(super) struct Names(BTreeMap<u32, String>);

impl Names {
    /// Reads them.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare_cached("SELECT id, name FROM sink")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<_>>().map(Self)
    }

    /// The name of a sink.
    pub(super) fn of(&self, sink: u32) -> String {
        self.0.get(&sink).cloned().unwrap_or_else(|| format!("unknown sink {sink}"))
    }

    /// Numbers of all sinks.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.keys().copied()
    }
}

/// The counters.
pub(super) struct Counters(BTreeMap<(u32, Count), u64>);

impl Counters {
    /// Reads them.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare_cached("SELECT sink, kind, n FROM counter")?;
        // One below zero is wrong either way, and the audit finds it as zero.
        let number = |n: i64| u64::try_from(n).unwrap_or_default();
        let rows = statement.query_map([], |row| {
            let count = row.get::<_, Coded<Count>>(1)?.0;
            Ok(((row.get(0)?, count), number(row.get(2)?)))
        })?;
        rows.collect::<rusqlite::Result<_>>().map(Self)
    }

    fn get(&self, sink: SinkId, count: Count) -> u64 {
        self.0.get(&(sink.0, count)).copied().unwrap_or_default()
    }

    /// How many live events were accepted.
    pub(super) fn accepted(&self) -> u64 {
        self.get(NO_SINK, Count::Accepted)
    }

    /// The account of a sink.
    pub(super) fn account(&self, sink: SinkId) -> SinkAccount {
        SinkAccount {
            routed: self.get(sink, Count::Routed),
            delivered: self.get(sink, Count::Delivered),
            skipped: self.get(sink, Count::Skipped),
            failed: self.get(sink, Count::Failed),
            pending: self.get(sink, Count::Pending),
            purged: self.get(sink, Count::Purged),
            verdicts: VerdictAccount {
                awaited: self.get(sink, Count::Awaited),
                confirmed: self.get(sink, Count::Confirmed),
                refused: self.get(sink, Count::Refused),
                unconfirmed: self.get(sink, Count::Unconfirmed),
            },
        }
    }

    /// Numbers of all sinks that were ever counted for.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.keys().map(|(sink, _)| *sink).filter(|sink| *sink != NO_SINK.0)
    }
}
