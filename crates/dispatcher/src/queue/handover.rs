//! What a sink's publisher and QStash's calls for that sink must know of each other.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use conversion_core::Timestamp;
use conversion_store::{DeliveryId, Publication};
use tokio::sync::watch;

use crate::alarm::Alarm;

/// So many deliveries are handed over at once.
pub(super) const BATCH: usize = 100;
/// So many deliveries of a sink at most are with QStash for each request that may be under way: at fifteen seconds each,
/// all have had their turn within the grace after which they count as lost.
const OUT_PER_REQUEST: usize = 40;
/// So many at most, however many requests may be.
const MOST_OUT: usize = 1_000;

/// Shared by a sink's publisher and the calls.
#[derive(Debug)]
pub struct Handover {
    /// When the publisher should next look into the store.
    pub alarm: Arc<Alarm>,
    /// Deliveries that are being handed over right now.
    posting: watch::Sender<Vec<DeliveryId>>,
    /// Deliveries that were and have not had their turn, until when they must have.
    out: Mutex<HashMap<DeliveryId, Timestamp>>,
    /// So many of them at most.
    most_out: usize,
    /// Calls that are being answered.
    calls: Mutex<HashMap<DeliveryId, Ended>>,
    trouble: Mutex<Option<String>>,
}

/// What must be known when the answer to a call is made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ended {
    /// Another call for the delivery came meanwhile, and was told that this one sees to it.
    pub(super) is_repeated: bool,
}

impl Handover {
    /// With nothing handed over yet, for a sink of which so many requests may be under way.
    pub fn new(alarm: Arc<Alarm>, max_in_flight: usize) -> Self {
        Self {
            alarm,
            posting: watch::Sender::default(),
            out: Mutex::default(),
            most_out: (max_in_flight * OUT_PER_REQUEST).clamp(BATCH, MOST_OUT),
            calls: Mutex::default(),
            trouble: Mutex::default(),
        }
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<DeliveryId, Ended>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn out(&self) -> MutexGuard<'_, HashMap<DeliveryId, Timestamp>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is room for a batch; if not, when there is for certain.
    pub(super) fn room(&self, now: Timestamp) -> Result<(), Timestamp> {
        let mut out = self.out();
        out.retain(|_, check_at| *check_at > now);
        if out.len() + BATCH <= self.most_out {
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
    }

    /// A call of which the answer is now to be made; none, where one for the same delivery is.
    pub(super) fn begin_call(&self, id: DeliveryId) -> Option<Call<'_>> {
        match self.calls().entry(id) {
            Entry::Occupied(mut first) => {
                first.get_mut().is_repeated = true;
                None
            }
            Entry::Vacant(free) => {
                free.insert(Ended::default());
                Some(Call { handover: self, id, is_over: false })
            }
        }
    }

    /// The delivery waits for its turn no longer.
    fn has_turn(&self, id: DeliveryId) {
        let mut out = self.out();
        let had_no_room = out.len() + BATCH > self.most_out;
        if out.remove(&id).is_some() && had_no_room && out.len() + BATCH <= self.most_out {
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

/// A call that is being answered.
#[derive(Debug)]
pub(super) struct Call<'a> {
    handover: &'a Handover,
    id: DeliveryId,
    is_over: bool,
}

impl<'a> Call<'a> {
    pub(super) fn handover(&self) -> &'a Handover {
        self.handover
    }

    /// It has its turn at the sink, or will have none: there is room for another delivery.
    pub(super) fn has_turn(&self) {
        self.handover.has_turn(self.id);
    }

    /// From now on another call is one of its own.
    pub(super) fn end(mut self) -> Ended {
        self.is_over = true;
        self.handover.calls().remove(&self.id).unwrap_or_default()
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.handover.calls().remove(&self.id);
        }
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
        Handover::new(Arc::new(Alarm::at(START)), 25)
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
        let call = handover.begin_call(id(7)).unwrap();
        assert_eq!(handover.room(START), Err(check_at), "a call that waits for its turn makes none");
        call.has_turn();
        assert_eq!(handover.room(START), Ok(()), "one that has it does");
        publish(&handover, 901..1_001, check_at);
        assert_eq!(handover.room(check_at), Ok(()), "what is lost takes none");
    }

    #[test]
    fn what_one_call_sees_to_another_leaves_to_it() {
        let handover = handover();
        let first = handover.begin_call(id(1)).unwrap();
        let other = handover.begin_call(id(2)).unwrap();
        assert!(handover.begin_call(id(1)).is_none());
        assert_eq!((first.end().is_repeated, other.end().is_repeated), (true, false));
        drop(handover.begin_call(id(1)).unwrap());
        assert!(!handover.begin_call(id(1)).unwrap().end().is_repeated, "what is over is forgotten");
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
