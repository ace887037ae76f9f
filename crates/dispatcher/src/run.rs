//! This node's run: what its leases hang on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

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
    alive_until_ms: AtomicI64,
}

impl Run {
    /// Begins a run.
    pub async fn start(store: Arc<dyn Store>, clock: Clock) -> Result<Self, StoreError> {
        let now = clock.now();
        let alive_until = after(now, ALIVE_FOR);
        let id = store.start_run(now, alive_until).await?;
        Ok(Self { id, store, clock, alive_until_ms: AtomicI64::new(alive_until.as_millisecond()) })
    }

    /// Renews the run for ever, or until dropped.
    pub async fn keep_alive(&self) {
        loop {
            self.clock.sleep_until(after(self.clock.now(), HEARTBEAT)).await;
            if let Err(error) = self.renew().await {
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
        if let Err(error) = self.renew().await {
            tracing::error!(%error, "the store takes no heartbeat");
        }
        false
    }

    async fn renew(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let alive_until = after(now, ALIVE_FOR);
        self.store.heartbeat(self.id, now, alive_until).await?;
        self.alive_until_ms.store(alive_until.as_millisecond(), Ordering::Release);
        Ok(())
    }
}
