//! What QStash tells about what it has done.

use serde::{Deserialize, Serialize};

/// What was published and what became of it.
///
/// `published = delivered + dead + cancelled + lost + waiting`, and once nothing is waiting and nothing was cancelled
/// under way, `attempts = delivered + failed_attempts`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QstashReport {
    /// Requests to the API that were refused.
    pub refused: u64,
    /// Messages accepted, those that were put back from the dead letters included.
    pub published: u64,
    /// Publications that were answered with an earlier message.
    pub deduplicated: u64,
    /// Deliveries tried, duplicates aside.
    pub attempts: u64,
    /// Attempts that failed: another status than 2xx, or no answer.
    pub failed_attempts: u64,
    /// Deliveries made besides, by `p_duplicate`.
    pub duplicates: u64,
    /// Messages delivered.
    pub delivered: u64,
    /// Messages that became dead letters.
    pub dead: u64,
    /// Messages cancelled.
    pub cancelled: u64,
    /// Messages lost by `p_lost`.
    pub lost: u64,
    /// Messages that are to be delivered still.
    pub waiting: u64,
    /// Callbacks of both kinds that were due.
    pub callbacks: u64,
    /// Callbacks delivered.
    pub callbacks_delivered: u64,
    /// Callbacks given up or lost.
    pub callbacks_failed: u64,
    /// Most deliveries at the same time, callbacks included.
    pub max_in_flight: u64,
}
