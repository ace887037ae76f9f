//! The writer of results: gathers what workers report and writes it in groups, again and again until it is written.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use conversion_store::crash::{self, Room};
use conversion_store::{Settlement, SinkId, Status, Store};
use tokio::sync::{mpsc, oneshot};

use crate::alarm::Alarm;
use crate::clock::Clock;

/// Results that wait to be written; a worker that finds it full waits.
const WAITING: usize = 256;
/// Deliveries in one transaction, about.
const GROUP: usize = 2_000;
/// A store that refuses is asked again this much later.
const RETRY: Duration = Duration::from_secs(1);

/// Where workers hand in results. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ledger(mpsc::Sender<Entry>);

#[derive(Debug)]
enum Entry {
    Settlement(Settlement),
    Flush(oneshot::Sender<()>),
}

impl Ledger {
    /// The ledger, and the task that writes it, which sets the alarms of workers and those of whoever asks by receipts: it
    /// ends when every ledger is dropped and all is written.
    pub fn open(
        store: Arc<dyn Store>,
        clock: Clock,
        alarms: HashMap<SinkId, Arc<Alarm>>,
        receipts: HashMap<SinkId, Arc<Alarm>>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), write(receiver, Writer { store, clock, alarms, receipts }))
    }

    /// Hands in a result. It is not yet written when this returns; until it is, its lease stands.
    pub async fn settle(&self, settlement: Settlement) {
        if settlement.items.is_empty() && settlement.exchanges.is_empty() {
            return;
        }
        for item in &settlement.items {
            if let Some(change) = item.change.as_ref().filter(|change| change.status == Status::Failed) {
                let (reason, message) =
                    (change.reason.as_deref(), change.message.as_deref().unwrap_or_default());
                tracing::warn!(delivery = %item.id, reason, "failed: {message}");
            }
        }
        // The writer outlives every ledger: it can only be gone when the process ends.
        drop(self.0.send(Entry::Settlement(settlement)).await);
    }

    /// Returns when all that was handed in before is written.
    pub async fn flush(&self) {
        let (written, wait) = oneshot::channel();
        drop(self.0.send(Entry::Flush(written)).await);
        drop(wait.await);
    }
}

struct Writer {
    store: Arc<dyn Store>,
    clock: Clock,
    alarms: HashMap<SinkId, Arc<Alarm>>,
    /// When to ask for later verdicts.
    receipts: HashMap<SinkId, Arc<Alarm>>,
}

async fn write(mut entries: mpsc::Receiver<Entry>, writer: Writer) {
    let mut group = Vec::new();
    let mut flushed = Vec::new();
    while let Some(first) = entries.recv().await {
        let mut next = Some(first);
        let mut size = 0;
        while let Some(entry) = next {
            match entry {
                Entry::Settlement(settlement) => {
                    size += settlement.items.len();
                    group.push(settlement);
                }
                Entry::Flush(written) => flushed.push(written),
            }
            next = if size < GROUP { entries.try_recv().ok() } else { None };
        }
        writer.write(&group).await;
        group.clear();
        for written in flushed.drain(..) {
            // Whoever waited may have gone; that is theirs to decide.
            written.send(()).ok();
        }
    }
}

impl Writer {
    async fn write(&self, group: &[Settlement]) {
        if group.is_empty() {
            return;
        }
        crash::pass(Room::ResultsGathered);
        while let Err(error) = self.store.settle(group, self.clock.now()).await {
            tracing::error!(%error, "results cannot be written; trying again");
            tokio::time::sleep(RETRY).await;
        }
        for settlement in group {
            let alarm = settlement.items.first().and_then(|item| self.receipts.get(&item.id.sink));
            if let Some((receipt, alarm)) = settlement.receipt.as_ref().zip(alarm) {
                alarm.set(receipt.ask_at);
            }
        }
        // Only what is written can be leased again: before, its worker would look in vain.
        for item in group.iter().flat_map(|settlement| &settlement.items) {
            let due_at = item.change.as_ref().and_then(|change| change.due_at);
            if let (Some(due_at), Some(alarm)) = (due_at, self.alarms.get(&item.id.sink)) {
                alarm.set(due_at);
            }
        }
    }
}
