//! Sinks and their holds.

use std::collections::BTreeMap;

use conversion_core::dedup::DedupTarget;
use conversion_core::{Timestamp, reason};

use crate::audit::SinkAccount;
use crate::lease::SinkId;
use crate::queue::Driver;

/// [`Change::reason`](crate::Change::reason) of a delivery that is parked under a hold: what [`crate::Store::resume`]
/// makes due.
pub const HELD: &str = reason::HELD.name;

/// A configured sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkRegistration {
    /// Its name; the same name is the same sink across restarts.
    pub name: String,
    /// Its kind, such as `tiktok`.
    pub kind: String,
    /// Its platform, such as `TIKTOK`.
    pub platform: String,
    /// Digest of its settings, to see that they changed.
    pub fingerprint: [u8; 16],
    /// By event name, what its dedup keys are made of from now on.
    pub targets: BTreeMap<String, DedupTarget>,
}

/// What is remembered of a sink.
#[derive(Clone, Debug)]
pub struct RegisteredSink {
    /// Its number.
    pub id: SinkId,
    /// Whether its settings are others than when it was last registered; not so for a new one.
    pub settings_changed: bool,
    /// Holds in force.
    pub holds: Vec<Hold>,
    /// Holds of all the sink that have ended, latest first, at most 1000.
    pub past: Vec<HoldPeriod>,
}

/// A sink, or one event name at it, that is not leased from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The event name that it concerns; all the sink without one.
    pub event_name: Option<String>,
    /// Stable name of the reason.
    pub reason: String,
    /// The reason in a sentence, with what the platform said.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
    /// When it ends or is probed; without a time only a human ends it.
    pub until: Option<Timestamp>,
    /// Failures in a row that led to it or renewed it.
    pub failures: u32,
}

/// A hold that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldPeriod {
    /// From.
    pub from: Timestamp,
    /// To.
    pub to: Timestamp,
}

/// Where the rest begins of what was parked under a hold that has ended: [`Store::release`](crate::Store::release) makes
/// it due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    pub(crate) sink: SinkId,
    pub(crate) event_name: Option<String>,
    pub(crate) resumed_at: Timestamp,
    pub(crate) driver: Driver,
    /// The last that was looked at of this driver, in the order in which they are due, as far as any was.
    pub(crate) after: Option<(Timestamp, i64)>,
}

impl Parked {
    /// The event name whose hold has ended; that of all the sink without one.
    pub fn event_name(&self) -> Option<&str> {
        self.event_name.as_deref()
    }
}

/// A sink as the store sees it.
#[derive(Clone, Debug)]
pub struct SinkState {
    /// Its number.
    pub id: SinkId,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Its platform.
    pub platform: String,
    /// Holds in force.
    pub holds: Vec<Hold>,
    /// Its counters.
    pub account: SinkAccount,
    /// When a live delivery was last delivered.
    pub last_delivered_at: Option<Timestamp>,
    /// Until when the times of its replayed deliveries are taken: a further replay is due behind them.
    pub replayed_until: Option<Timestamp>,
}
