//! How fast requests may follow each other.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// At most so many requests a second, evenly spaced; by default as fast as they come.
#[derive(Debug)]
pub struct Pace {
    gap: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// So many requests a second; without a number, as many as come.
    pub fn new(per_second: Option<NonZeroU32>) -> Self {
        let gap = per_second.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate.get());
        Self { gap, next: Mutex::new(None) }
    }

    /// Returns when the next request may begin.
    pub async fn wait(&self) {
        if self.gap.is_zero() {
            return;
        }
        let mut next = self.next.lock().await;
        if let Some(at) = *next {
            tokio::time::sleep_until(at).await;
        }
        *next = Some(Instant::now() + self.gap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_are_spaced() {
        let pace = Pace::new(NonZeroU32::new(10));
        let start = Instant::now();
        for _ in 0..5 {
            pace.wait().await;
        }
        assert_eq!(start.elapsed().as_millis(), 400);
    }
}
