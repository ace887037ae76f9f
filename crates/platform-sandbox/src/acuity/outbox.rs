//! Webhooks that wait for their first or next try.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::webhook::Webhook;
use crate::state::lock;

/// Waiting webhooks, the first due first; of those due at once, the one put in first.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Mutex<BTreeMap<(Instant, u64), Webhook>>,
    serial: AtomicU64,
    changed: Notify,
}

impl Outbox {
    pub(super) fn put(&self, due: Instant, webhook: Webhook) {
        let serial = self.serial.fetch_add(1, Relaxed);
        lock(&self.waiting).insert((due, serial), webhook);
        self.changed.notify_one();
    }

    /// Takes the next webhook that is due and of which no other is under way for the same appointment.
    pub(super) fn take(&self, now: Instant, under_way: &HashSet<u64>) -> Option<Webhook> {
        let mut waiting = lock(&self.waiting);
        let due = waiting.range(..=(now, u64::MAX));
        let free = |(key, webhook): (&(Instant, u64), &Webhook)| {
            (!under_way.contains(&webhook.appointment)).then_some(*key)
        };
        let key = due.into_iter().find_map(free)?;
        waiting.remove(&key)
    }

    /// Completes when there may be more to take: something was put in, or the next that is not due yet is.
    pub(super) async fn ready(&self, now: Instant) {
        let next = lock(&self.waiting).range((now, u64::MAX)..).next().map(|((due, _), _)| *due);
        let due = async {
            match next {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.changed.notified() => {}
            () = due => {}
        }
    }

    pub(super) fn len(&self) -> u64 {
        lock(&self.waiting).len() as u64
    }

    pub(super) fn clear(&self) {
        lock(&self.waiting).clear();
    }
}
