//! This node's run: what its leases hang on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use conversion_core::Timestamp;
use conversion_store::{RunId, Store, StoreError};

use crate::clock::{Clock, after};

/// A run is good for this long after a heartbeat: longer than the longest send, with its renewals, can take.
const ALIVE_FOR: Duration = Duration::from_secs(300);
/// A heartbeat is due this often.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A run, from start to end.
#[derive(Debug)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    store: Arc<dyn Store>,
    clock: Clock,
    started: Timestamp,
    alive_until_ms: AtomicI64,
}

impl Run {
    /// Begins a run.
    pub async fn start(store: Arc<dyn Store>, clock: Clock) -> Result<Self, StoreError> {
        let started = clock.now();
        let alive_until = after(started, ALIVE_FOR);
        let id = store.start_run(started, alive_until).await?;
        Ok(Self { id, store, clock, started, alive_until_ms: AtomicI64::new(alive_until.as_millisecond()) })
    }

    /// Renews the run for ever, or until dropped.
    pub async fn keep_alive(&self) {
        // Reckoned from the last beat, not from when this gets its turn: time that has passed by then counts.
        let mut last = self.started;
        loop {
            self.clock.sleep_until(after(last, HEARTBEAT)).await;
            last = self.clock.now();
            if let Err(error) = self.renew(last).await {
                tracing::error!(%error, "the store takes no heartbeat");
            }
        }
    }

    /// Whether leases of this run are good for `span` more: what is sent now can still be settled then. A lapsed run is
    /// renewed, but what it had leased before may be another's by now.
    pub async fn is_good_for(&self, span: Duration) -> bool {
        let now = self.clock.now();
        if after(now, span).as_millisecond() < self.alive_until_ms.load(Ordering::Acquire) {
            return true;
        }
        if let Err(error) = self.renew(now).await {
            tracing::error!(%error, "the store takes no heartbeat");
        }
        false
    }

    async fn renew(&self, now: Timestamp) -> Result<(), StoreError> {
        let alive_until = after(now, ALIVE_FOR);
        self.store.heartbeat(self.id, now, alive_until).await?;
        self.alive_until_ms.store(alive_until.as_millisecond(), Ordering::Release);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use conversion_store::sqlite::SqliteStore;

    use super::*;

    #[tokio::test]
    async fn time_that_passes_before_the_first_turn_counts() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("s.db").to_str().unwrap()).unwrap());
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let run = Run::start(store, clock.clone()).await.unwrap();
        clock.advance(HEARTBEAT);
        let beaten = async {
            let renewed = after(clock.now(), ALIVE_FOR).as_millisecond();
            while run.alive_until_ms.load(Ordering::Acquire) < renewed {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            () = run.keep_alive() => unreachable!(),
            beat = tokio::time::timeout(Duration::from_secs(60), beaten) => beat.expect("a heartbeat"),
        }
    }
}
