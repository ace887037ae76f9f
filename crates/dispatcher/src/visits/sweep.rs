//! Forgets attributions whose time is over.

use std::time::Duration;

use conversion_core::Timestamp;
use conversion_store::Store;
use jiff::SignedDuration;

use crate::clock::{Clock, after};

const EVERY: Duration = Duration::from_secs(3600);
/// Attributions in one transaction: others who write wait no longer than that.
const PORTION: usize = 1000;

/// Forgets what was last written longer ago than `keep_for`, at once and every hour.
pub(super) async fn run(store: &dyn Store, clock: &Clock, keep_for: Duration) {
    loop {
        let now = clock.now();
        let over = SignedDuration::try_from(keep_for).ok().and_then(|span| now.checked_sub(span).ok());
        if let Some(over) = over {
            forget(store, over).await;
        }
        clock.sleep_until(after(now, EVERY)).await;
    }
}

async fn forget(store: &dyn Store, last_seen_before: Timestamp) {
    let mut forgotten = 0;
    loop {
        match store.forget_attributions(last_seen_before, PORTION).await {
            Ok(0) => break,
            Ok(count) => forgotten += count,
            Err(error) => return tracing::error!(%error, "old attributions cannot be forgotten"),
        }
    }
    if forgotten > 0 {
        tracing::info!(forgotten, "attributions whose time was over are forgotten");
    }
}
