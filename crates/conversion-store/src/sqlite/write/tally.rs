//! Counters: they move in the transaction that moves the rows.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::confirmation::Confirmation;
use crate::lease::SinkId;
use crate::settlement::Status;
use crate::sqlite::code::{At, Coded, Word};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sqlite) enum Count {
    /// [`Status::Pending`].
    Pending,
    /// [`Status::Delivered`].
    Delivered,
    /// [`Status::Skipped`].
    Skipped,
    /// [`Status::Failed`].
    Failed,
    /// Events that were routed to the sink.
    Routed,
    /// Settled deliveries that retention has removed.
    Purged,
    /// Events, under [`NO_SINK`].
    Accepted,
    /// [`Confirmation::Awaited`].
    Awaited,
    /// [`Confirmation::Confirmed`].
    Confirmed,
    /// [`Confirmation::Refused`].
    Refused,
    /// [`Confirmation::Unconfirmed`].
    Unconfirmed,
}

/// Stands for the events themselves. Sinks are numbered from 1.
pub(in crate::sqlite) const NO_SINK: SinkId = SinkId(0);

impl Word for Count {
    const CODES: &'static [(Self, i64)] = &[
        (Self::Pending, 0),
        (Self::Delivered, 1),
        (Self::Skipped, 2),
        (Self::Failed, 3),
        (Self::Routed, 4),
        (Self::Purged, 5),
        (Self::Accepted, 6),
        (Self::Awaited, 7),
        (Self::Confirmed, 8),
        (Self::Refused, 9),
        (Self::Unconfirmed, 10),
    ];
}

impl From<Status> for Count {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Delivered => Self::Delivered,
            Status::Skipped => Self::Skipped,
            Status::Failed => Self::Failed,
        }
    }
}

impl Count {
    /// What counts deliveries of this verdict, where there is one.
    fn of_verdict(confirmation: Confirmation) -> Option<Self> {
        match confirmation {
            Confirmation::None => None,
            Confirmation::Awaited => Some(Self::Awaited),
            Confirmation::Confirmed => Some(Self::Confirmed),
            Confirmation::Refused => Some(Self::Refused),
            Confirmation::Unconfirmed => Some(Self::Unconfirmed),
        }
    }
}

/// What one transaction changes in the counters: written once at its end, however many rows it moved.
#[derive(Default)]
pub(in crate::sqlite) struct Tally {
    changes: BTreeMap<(SinkId, Count), i64>,
    delivered: BTreeMap<SinkId, At>,
}

impl Tally {
    /// Counts one more.
    pub(super) fn add(&mut self, sink: SinkId, count: Count) {
        *self.changes.entry((sink, count)).or_default() += 1;
    }

    /// Moves one delivery from a state to another.
    pub(super) fn shift(&mut self, sink: SinkId, from: Status, to: Status) {
        *self.changes.entry((sink, from.into())).or_default() -= 1;
        self.add(sink, to.into());
    }

    /// Moves one delivery from a later verdict to another.
    pub(super) fn shift_verdict(&mut self, sink: SinkId, from: Confirmation, to: Confirmation) {
        if let Some(count) = Count::of_verdict(from) {
            *self.changes.entry((sink, count)).or_default() -= 1;
        }
        if let Some(count) = Count::of_verdict(to) {
            self.add(sink, count);
        }
    }

    /// Remembers that the sink delivered.
    pub(super) fn delivered(&mut self, sink: SinkId, now: At) {
        self.delivered.insert(sink, now);
    }

    /// Writes the changes.
    pub(in crate::sqlite) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = "INSERT INTO counter (sink, kind, n) VALUES (?1, ?2, ?3)
            ON CONFLICT (sink, kind) DO UPDATE SET n = n + excluded.n";
        for ((sink, count), n) in self.changes.into_iter().filter(|(_, n)| *n != 0) {
            connection.prepare_cached(sql)?.execute(params![sink.0, Coded(count), n])?;
        }
        let sql =
            "UPDATE sink SET last_delivered_at = max(coalesce(last_delivered_at, ?2), ?2) WHERE id = ?1";
        for (sink, now) in self.delivered {
            connection.prepare_cached(sql)?.execute(params![sink.0, now])?;
        }
        Ok(())
    }
}
