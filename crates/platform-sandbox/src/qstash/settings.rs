//! How QStash behaves.

use serde::{Deserialize, Serialize};

use crate::SettingsError;

/// The settings of QStash; by default it works as documented and fails at nothing.
///
/// Each `p_*` is a probability for one message, from 0 to 1, drawn when it is accepted. A callback is a message too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QstashSettings {
    /// The bearer token of the account.
    pub token: String,
    /// Once, when set: signs from now on. `sig_current_sandbox` at the start.
    pub current_signing_key: Option<String>,
    /// Once, when set: signs after the next rotation. `sig_next_sandbox` at the start.
    pub next_signing_key: Option<String>,
    /// Delays, backoff and the waits that answers ask for are multiplied by this: with 0.001, 12 s take 12 ms.
    pub time_scale: f64,
    /// How long a deduplication id is remembered, unscaled. QStash's 10 minutes unless set.
    pub dedup_window_ms: u64,
    /// Longest delay of a message, unscaled. The free plan's 7 days unless set.
    pub max_delay_s: u64,
    /// Deliveries at the same time.
    pub concurrency: usize,
    /// Each request to the API waits this long before it is looked at.
    pub latency_ms: u64,
    /// Every request to the API is answered with HTTP 503. Deliveries go on.
    pub down: bool,
    /// The message is accepted and never delivered.
    pub p_lost: f64,
    /// The first attempt fails before it reaches the destination.
    pub p_fail_once: f64,
    /// The first attempt that reaches the destination counts as unanswered.
    pub p_answer_lost: f64,
    /// The first attempt that reaches the destination is made twice at the same time.
    pub p_duplicate: f64,
    /// The digest in a signature ends in `=`, which a receiver has to allow.
    pub padded_digest: bool,
    /// Moves the clock that signatures are dated by.
    pub clock_offset_s: i64,
}

impl Default for QstashSettings {
    fn default() -> Self {
        Self {
            token: "sandbox-qstash-token".to_owned(),
            current_signing_key: None,
            next_signing_key: None,
            time_scale: 1.0,
            dedup_window_ms: 600_000,
            max_delay_s: 7 * 86_400,
            concurrency: 50,
            latency_ms: 0,
            down: false,
            p_lost: 0.0,
            p_fail_once: 0.0,
            p_answer_lost: 0.0,
            p_duplicate: 0.0,
            padded_digest: false,
            clock_offset_s: 0,
        }
    }
}

impl QstashSettings {
    /// Whether every setting makes sense.
    pub fn check(&self) -> Result<(), SettingsError> {
        let chances = [
            ("p_lost", self.p_lost),
            ("p_fail_once", self.p_fail_once),
            ("p_answer_lost", self.p_answer_lost),
            ("p_duplicate", self.p_duplicate),
        ];
        if let Some((name, _)) = chances.iter().find(|(_, p)| !(0.0..=1.0).contains(p)) {
            return Err(SettingsError::Probability { name: (*name).to_owned() });
        }
        let ranges = [
            ("token", !self.token.is_empty(), "filled"),
            ("time_scale", (0.0..=1.0).contains(&self.time_scale), "from 0 to 1"),
            ("concurrency", self.concurrency > 0, "at least 1"),
        ];
        match ranges.into_iter().find(|(_, fits, _)| !fits) {
            Some((name, _, range)) => Err(SettingsError::OutOfRange { name, range }),
            None => Ok(()),
        }
    }

    /// Microseconds of a wait that QStash makes out to be so many seconds.
    pub(super) fn scaled_us(&self, seconds: f64) -> u64 {
        let scale = self.time_scale.clamp(0.0, 1.0);
        // A float that is too large, negative or no number ends at the nearest bound.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        let us = (seconds * scale * 1e6) as u64;
        us
    }
}
