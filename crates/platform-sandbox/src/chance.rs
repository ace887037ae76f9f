//! Repeatable randomness.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A sequence of draws that depends on the seed alone.
#[derive(Debug)]
pub(crate) struct Chance {
    seed: u64,
    draws: AtomicU64,
    serial: AtomicU64,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, draws: AtomicU64::new(0), serial: AtomicU64::new(0) }
    }

    /// Starts the sequence of draws again. Names stay fresh, for a token must never be issued twice.
    pub(crate) fn restart(&self) {
        self.draws.store(0, Relaxed);
    }

    /// A number from 0 up to, but not including, 1.
    pub(crate) fn draw(&self) -> f64 {
        let bits = mix(self.seed ^ mix(self.draws.fetch_add(1, Relaxed)));
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens now. What is off costs no draw, so that switching one fault on
    /// leaves the sequence of the others alone.
    pub(crate) fn hit(&self, probability: f64) -> bool {
        probability > 0.0 && self.draw() < probability
    }

    /// A fresh name for a request or a token.
    pub(crate) fn name(&self) -> String {
        let serial = self.serial.fetch_add(1, Relaxed);
        format!("{:016x}{serial:08x}", mix(self.seed ^ mix(!serial)))
    }
}

/// The finaliser of `SplitMix64`: neighbouring inputs give unrelated outputs.
fn mix(input: u64) -> u64 {
    let mut bits = input.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn the_same_seed_gives_the_same_draws() {
        let (one, two, other) = (Chance::new(7), Chance::new(7), Chance::new(8));
        let draws = |chance: &Chance| (0..50).map(|_| chance.hit(0.5)).collect::<Vec<_>>();
        let first = draws(&one);
        assert_eq!(first, draws(&two));
        assert_ne!(first, draws(&other));
        one.restart();
        assert_eq!(first, draws(&one));
    }

    #[test]
    fn certain_and_impossible() {
        let chance = Chance::new(1);
        assert!((0..1000).all(|_| chance.hit(1.0) && !chance.hit(0.0)));
    }
}
