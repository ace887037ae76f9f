//! What the emulated Acuity tells about what it has seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What happened to appointments, and what became of webhooks and API requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcuityReport {
    /// Appointments booked.
    pub bookings: u64,
    /// Appointments moved; each move counts.
    pub reschedules: u64,
    /// Appointments cancelled.
    pub cancellations: u64,
    /// Edits of details.
    pub edits: u64,
    /// Tries to deliver a webhook: each ends as accepted or refused.
    pub webhooks_sent: u64,
    /// Webhooks answered with 2xx.
    pub webhooks_accepted: u64,
    /// Tries answered otherwise, or not at all.
    pub webhooks_refused: u64,
    /// Webhooks that no try delivered.
    pub webhooks_given_up: u64,
    /// Webhooks that wait for their first or next try.
    pub webhooks_waiting: u64,
    /// API requests.
    pub api_requests: u64,
    /// API requests by the status that they were answered with.
    pub api_by_outcome: BTreeMap<String, u64>,
}
