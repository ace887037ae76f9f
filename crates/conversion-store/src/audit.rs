//! The account of all events.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// One sink's account. Balanced: routed = delivered + skipped + failed + pending + purged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct SinkAccount {
    /// Live events that were routed to the sink.
    pub routed: u64,
    /// Deliveries the platform has.
    pub delivered: u64,
    /// Deliveries not sent, with a reason.
    pub skipped: u64,
    /// Deliveries given up, with a reason.
    pub failed: u64,
    /// Deliveries to be sent.
    pub pending: u64,
    /// Settled deliveries that retention has removed.
    pub purged: u64,
    /// How the platform judged later what it had taken; absent where it has taken nothing that it judges later.
    #[serde(skip_serializing_if = "VerdictAccount::is_empty")]
    #[schema(required = false)]
    pub verdicts: VerdictAccount,
}

/// Deliveries by the platform's later verdict. Those awaited, confirmed and unconfirmed are delivered, those refused have
/// failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct VerdictAccount {
    /// Not yet judged.
    pub awaited: u64,
    /// Counted.
    pub confirmed: u64,
    /// Not counted.
    pub refused: u64,
    /// Asked for in vain.
    pub unconfirmed: u64,
}

impl VerdictAccount {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl SinkAccount {
    /// Whether every routed event is accounted for.
    pub fn is_balanced(&self) -> bool {
        self.routed == self.delivered + self.skipped + self.failed + self.pending + self.purged
    }
}

/// The account of all live events, from one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Audit {
    /// Live events accepted.
    pub accepted: u64,
    /// Whether every sink's account is balanced, and the counters agree with the rows and with what each event was
    /// routed to.
    pub balanced: bool,
    /// What does not agree, in sentences; empty when balanced.
    pub differences: Vec<String>,
    /// By sink name.
    pub sinks: BTreeMap<String, SinkAccount>,
}
