//! How long to wait before the next try: exponential, with full jitter.

use std::time::Duration;

/// A schedule of waits. Pure in the number of tries and the random number given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The longest wait after the first failure.
    pub base: Duration,
    /// The longest wait of all.
    pub cap: Duration,
}

impl Backoff {
    /// Waits between the tries of one delivery.
    pub const DELIVERY: Self = Self { base: Duration::from_secs(4), cap: Duration::from_secs(3600) };
    /// Waits between the probes of a sink whose platform is down.
    pub const SINK: Self = Self { base: Duration::from_secs(5), cap: Duration::from_secs(300) };

    /// The longest wait after `tries` failures: the base, doubled each time, up to the cap.
    pub fn ceiling(&self, tries: u32) -> Duration {
        let factor = 2u32.saturating_pow(tries.saturating_sub(1));
        self.base.saturating_mul(factor).min(self.cap)
    }

    /// The wait after `tries` failures. `random` is uniform over its whole range; so is the wait, between nothing and
    /// the ceiling, so that deliveries that failed together do not come back together.
    pub fn delay(&self, tries: u32, random: u64) -> Duration {
        let millis = u64::try_from(self.ceiling(tries).as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(random % millis.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn doubles_up_to_the_cap() {
        let seconds: Vec<u64> = (1..=8).map(|tries| Backoff::SINK.ceiling(tries).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn the_wait_is_a_share_of_the_ceiling() {
        for (tries, random, millis) in
            [(1, 0, 0), (1, 5_000, 5_000), (1, 5_001, 0), (2, 12_345, 2_344), (9, 300_000, 300_000)]
        {
            assert_eq!(Backoff::SINK.delay(tries, random), Duration::from_millis(millis), "{tries} {random}");
        }
    }

    proptest! {
        #[test]
        fn never_passes_the_ceiling(tries in any::<u32>(), random in any::<u64>()) {
            let backoff = Backoff::DELIVERY;
            prop_assert!(backoff.delay(tries, random) <= backoff.ceiling(tries));
            prop_assert!(backoff.ceiling(tries) <= backoff.cap);
            prop_assert!(backoff.ceiling(tries) <= backoff.ceiling(tries.saturating_add(1)));
        }
    }
}
