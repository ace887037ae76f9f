//! The sandbox's own clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The wall clock at the start plus monotonic time, so that a jump of the machine's clock moves no dedup window.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_at: Duration,
}

impl Clock {
    pub(crate) fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the platforms have a clock of their own, read here only"
        )]
        let wall = SystemTime::now();
        let started_at = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), started_at }
    }

    /// Microseconds since 1970, moved by an offset in seconds.
    pub(crate) fn now_us(&self, offset_s: i64) -> u64 {
        let now = self.started_at + self.started.elapsed();
        let now_us = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        let offset_us = offset_s.unsigned_abs().saturating_mul(1_000_000);
        if offset_s < 0 { now_us.saturating_sub(offset_us) } else { now_us.saturating_add(offset_us) }
    }
}
