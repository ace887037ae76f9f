//! The one place that reads the time.

use std::time::{Duration, Instant};

use conversion_core::Timestamp;
use jiff::SignedDuration;
use tokio::sync::watch;

/// Tells the time and waits for it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    /// The wall clock at start plus the monotonic clock, so that a jump of the wall clock neither skips nor doubles.
    Running { start: Timestamp, since: Instant },
    /// Stands still until it is set.
    Manual(watch::Sender<Timestamp>),
}

impl Clock {
    /// The machine's time.
    pub fn running() -> Self {
        Self(Source::Running { start: wall(), since: Instant::now() })
    }

    /// A clock that stands at `start` until [`Self::advance`] is called.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(watch::Sender::new(start)))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Running { start, since } => after(*start, since.elapsed()),
            Source::Manual(time) => *time.borrow(),
        }
    }

    /// The later of this clock and the wall clock, which differ where that was put since the start, or where the machine
    /// slept: what lies ahead of it lies ahead by any clock.
    pub fn latest(&self) -> Timestamp {
        match &self.0 {
            Source::Running { .. } => self.now().max(wall()),
            Source::Manual(_) => self.now(),
        }
    }

    /// When, by this clock, the time comes that others call `time`; nothing if it has come.
    pub fn coming(&self, time: Timestamp) -> Option<Timestamp> {
        let ahead =
            Duration::try_from(time.duration_since(self.latest())).ok().filter(|ahead| !ahead.is_zero());
        ahead.map(|ahead| after(self.now(), ahead))
    }

    /// Puts a manual clock forward; a running one cannot be put.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(time) = &self.0 {
            time.send_modify(|time| *time = after(*time, by));
        }
    }

    /// Returns at `time`, at once if it has passed.
    pub async fn sleep_until(&self, time: Timestamp) {
        match &self.0 {
            Source::Running { .. } => {
                let wait = Duration::try_from(time.duration_since(self.now())).unwrap_or_default();
                tokio::time::sleep(wait).await;
            }
            Source::Manual(now) => {
                // The sender lives as long as this clock: the wait ends only with the time.
                drop(now.subscribe().wait_for(|now| *now >= time).await);
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
fn wall() -> Timestamp {
    Timestamp::now()
}

/// `time` and `wait` later; the end of time where there is no such time.
pub fn after(time: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| time.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_its_sleepers_when_it_is_put_forward() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let until = after(clock.now(), Duration::from_secs(72 * 3600));
        let (sleeper, setter) = (clock.clone(), clock.clone());
        tokio::join!(sleeper.sleep_until(until), async move {
            setter.advance(Duration::from_secs(71 * 3600));
            tokio::task::yield_now().await;
            setter.advance(Duration::from_secs(3600));
        });
        assert_eq!(clock.now(), until);
    }
}
