//! What a sink's publisher and QStash's calls for that sink must know of each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use conversion_core::Timestamp;
use conversion_store::{DeliveryId, Publication};
use tokio::sync::watch;

use crate::alarm::Alarm;

/// So many deliveries are handed over at once.
pub(super) const BATCH: usize = 100;
/// So many deliveries of a sink at most wait for QStash's call: more could not be worked off before they count as lost.
const MOST_OUT: usize = 1_000;

/// Shared by a sink's publisher and the calls.
#[derive(Debug)]
pub struct Handover {
    /// When the publisher should next look into the store.
    pub alarm: Arc<Alarm>,
    /// Deliveries that are being handed over right now.
    posting: watch::Sender<Vec<DeliveryId>>,
    /// Deliveries that were, until when their call must have come.
    out: Mutex<HashMap<DeliveryId, Timestamp>>,
    trouble: Mutex<Option<String>>,
}

impl Handover {
    /// With nothing handed over yet.
    pub fn new(alarm: Arc<Alarm>) -> Self {
        Self { alarm, posting: watch::Sender::default(), out: Mutex::default(), trouble: Mutex::default() }
    }

    fn out(&self) -> MutexGuard<'_, HashMap<DeliveryId, Timestamp>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is room for a batch; if not, when there is for certain.
    pub(super) fn room(&self, now: Timestamp) -> Result<(), Timestamp> {
        let mut out = self.out();
        out.retain(|_, check_at| *check_at > now);
        if out.len() + BATCH <= MOST_OUT {
            return Ok(());
        }
        Err(out.values().min().copied().unwrap_or(now))
    }

    /// These are about to be handed over.
    pub(super) fn begin(&self, posting: Vec<DeliveryId>) {
        self.posting.send_replace(posting);
    }

    /// These were, and the store knows.
    pub(super) fn end(&self, posted: &[Publication]) {
        self.out().extend(posted.iter().map(|posted| (posted.item.id, posted.check_at)));
        self.posting.send_replace(Vec::new());
    }

    /// QStash has called for a delivery. Returns once the store knows that it was handed over: QStash may be faster than
    /// its own answer, and what is written of the call must not be taken for what was there before.
    pub(super) async fn called(&self, id: DeliveryId) {
        let mut posting = self.posting.subscribe();
        // The sender lives as long as this: the wait ends only with the posting.
        drop(posting.wait_for(|posting| !posting.contains(&id)).await);
        let mut out = self.out();
        let had_no_room = out.len() + BATCH > MOST_OUT;
        if out.remove(&id).is_some() && had_no_room && out.len() + BATCH <= MOST_OUT {
            self.alarm.wake();
        }
    }

    /// Why nothing can be handed over at present, if so.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use conversion_store::{QueueItem, SinkId};

    use super::*;
    use crate::clock::after;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn id(event: i64) -> DeliveryId {
        DeliveryId { event, sink: SinkId(1) }
    }

    fn handover() -> Handover {
        Handover::new(Arc::new(Alarm::at(START)))
    }

    fn publish(handover: &Handover, events: std::ops::Range<i64>, check_at: Timestamp) {
        let item = |event| QueueItem { id: id(event), publications: 0, due_at: START };
        let posted: Vec<_> = events.map(|event| Publication { item: item(event), check_at }).collect();
        handover.begin(posted.iter().map(|posted| posted.item.id).collect());
        handover.end(&posted);
    }

    #[tokio::test]
    async fn no_more_than_can_be_worked_off_is_out() {
        let handover = handover();
        let check_at = after(START, Duration::from_secs(60));
        publish(&handover, 0..901, check_at);
        assert_eq!(handover.room(START), Err(check_at));
        handover.called(id(7)).await;
        assert_eq!(handover.room(START), Ok(()), "a call makes room");
        publish(&handover, 901..1_001, check_at);
        assert_eq!(handover.room(check_at), Ok(()), "what is lost takes none");
    }

    #[tokio::test]
    async fn a_call_waits_until_its_own_handing_over_is_written() {
        let handover = handover();
        handover.begin(vec![id(1)]);
        handover.called(id(2)).await;
        let mut call = Box::pin(handover.called(id(1)));
        assert!(tokio::time::timeout(Duration::from_millis(5), &mut call).await.is_err());
        handover.end(&[]);
        call.await;
    }
}
