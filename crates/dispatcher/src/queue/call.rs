//! What a call of QStash comes to: the delivery is worked off like any other, and the answer says who has it next.

use std::time::Duration;

use conversion_core::failure::FailureClass;
use conversion_core::reason::Place;
use conversion_store::crash::{self, Room};
use conversion_store::{DeliveryId, DeliveryRecord, Status, StoreError, Taken, Ticket};

use super::handover::Call;
use super::{Handover, Queue};
use crate::Service;
use crate::clock::after;
use crate::reason::{NOT_CONFIGURED, QUEUE_GAVE_UP};
use crate::worker::Station;

/// A call that has not got its turn at the sink by then is taken back from QStash, long before QStash gives it up.
const TURN: Duration = Duration::from_secs(15);
/// What was taken back because too many called at once is handed over again after this.
const TAKEN_BACK: Duration = Duration::from_secs(60);

/// What QStash is told of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is settled.
    Settled(Status),
    /// It waits for this reason and will be handed over again: this message is done.
    Waits(String),
    /// It failed in passing: QStash's next retry is its next try, not before the wait that the platform named.
    TryAgain(Option<Duration>),
    /// It was published again since, or a human has retried it: that message is the one to work off.
    Superseded,
    /// Another run is at work on it, or was when it ended.
    UnderWay,
    /// It is not the queue's.
    NotQueued,
    /// There is no such delivery.
    Unknown,
}

/// Works off calls.
#[derive(Clone, Copy, Debug)]
pub struct CallHandler<'a> {
    /// The service.
    pub service: &'a Service,
    /// The queue that calls.
    pub queue: &'a Queue,
}

impl CallHandler<'_> {
    /// Works off one delivery. `retried` counts the calls for this message before this one.
    pub async fn deliver(self, ticket: Ticket, retried: u32) -> Result<Reply, StoreError> {
        let id = ticket.delivery;
        let Some((station, handover)) = self.station(id) else { return self.without_sink(id).await };
        handover.called(id).await;
        let Some(call) = handover.begin_call(id) else { return Ok(Reply::Waits("under_way".to_owned())) };
        let Ok(permit) = tokio::time::timeout(TURN, station.in_flight.acquire()).await else {
            return self.take_back(ticket, call, "busy", TAKEN_BACK).await;
        };
        if station.stop.is_cancelled() {
            return self.take_back(ticket, call, "stopping", Duration::ZERO).await;
        }
        call.has_turn();
        let now = self.service.clock.now();
        let lease = match self.service.store.take(ticket, station.run.id, now).await? {
            Taken::Leased(lease) => lease,
            Taken::Superseded => return self.superseded(id, call).await,
            Taken::UnderWay => return Ok(Reply::UnderWay),
            Taken::Settled(status) => return Ok(Reply::Settled(status)),
            Taken::NotQueued => return Ok(Reply::NotQueued),
            Taken::Unknown => return Ok(Reply::Unknown),
        };
        let retry_in = self.queue.schedule.next(retried);
        let retry_after = station.watch.over(station.serve_call(lease, retry_in)).await;
        drop(permit);
        self.service.flush().await;
        crash::pass(Room::CallWorkedOff);
        match self.record(id).await? {
            Some(DeliveryRecord { status: Status::Pending, reason, .. }) => {
                let reason = reason.unwrap_or_else(|| "due".to_owned());
                // What holds the sink is no longer this delivery's trouble; and a message that was told of this call's
                // work is done, so that no retry of it is to be counted on.
                let is_left = is_retried(&reason) && station.gate.is_open();
                if call.end().is_repeated || !is_left {
                    return Ok(Reply::Waits(reason));
                }
                let rest = self.queue.schedule.rest(retried, retry_after);
                let check_at = after(self.service.clock.now(), rest);
                self.service.store.leave_to_queue(ticket, check_at).await?;
                Ok(Reply::TryAgain(retry_after))
            }
            Some(record) => Ok(Reply::Settled(record.status)),
            None => Ok(Reply::Unknown),
        }
    }

    /// QStash has given up: so has the delivery, unless it is settled, being worked on, or another message's by now.
    pub async fn give_up(self, ticket: Ticket, status: Option<u16>) -> Result<bool, StoreError> {
        let id = ticket.delivery;
        if let Some((_, handover)) = self.station(id) {
            handover.called(id).await;
        }
        let last = self.record(id).await?.and_then(|record| record.message);
        let status = status.map_or("with none".to_owned(), |status| format!("with status {status}"));
        let last = last.map(|last| format!("; last: {last}")).unwrap_or_default();
        let message = QUEUE_GAVE_UP.tell(&[&format!("{status}{last}")]);
        let reason = QUEUE_GAVE_UP.name_in(Place::Failed);
        let now = self.service.clock.now();
        let given_up = self.service.store.give_up(ticket, reason, &message, now).await?;
        if given_up {
            tracing::warn!(delivery = %id, reason, "failed: {message}");
        }
        Ok(given_up)
    }

    fn station(&self, id: DeliveryId) -> Option<(&Station, &Handover)> {
        let station = self.service.stations.iter().find(|station| station.id == id.sink)?;
        Some((station, station.handover.as_deref()?))
    }

    /// A sink that is no longer configured keeps its deliveries: they are published again when it is back.
    async fn without_sink(self, id: DeliveryId) -> Result<Reply, StoreError> {
        Ok(match self.record(id).await? {
            Some(DeliveryRecord { status: Status::Pending, .. }) => {
                Reply::Waits(NOT_CONFIGURED.name.to_owned())
            }
            Some(record) => Reply::Settled(record.status),
            None => Reply::Unknown,
        })
    }

    /// The message is done and the delivery handed over again: so neither more calls than the sink can take nor a
    /// restart uses up QStash's retries.
    async fn take_back(
        self,
        ticket: Ticket,
        call: Call<'_>,
        reason: &str,
        wait: Duration,
    ) -> Result<Reply, StoreError> {
        let due_at = after(self.service.clock.now(), wait);
        self.service.store.leave_to_queue(ticket, due_at).await?;
        call.handover().alarm.set(due_at);
        call.has_turn();
        Ok(Reply::Waits(reason.to_owned()))
    }

    /// A call of the message that superseded this one may have come meanwhile, and been told that this one sees to the
    /// delivery: it is handed over again.
    async fn superseded(self, id: DeliveryId, call: Call<'_>) -> Result<Reply, StoreError> {
        let alarm = &call.handover().alarm;
        if call.end().is_repeated {
            let now = self.service.clock.now();
            self.service.store.leave_to_queue(Ticket { delivery: id, publication: None }, now).await?;
            alarm.set(now);
        }
        Ok(Reply::Superseded)
    }

    async fn record(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>, StoreError> {
        let records = self.service.store.deliveries_of(&[id.event], false).await?;
        Ok(records.into_iter().find(|record| record.id == id))
    }
}

/// Whether a delivery that waits for this reason failed in passing.
fn is_retried(reason: &str) -> bool {
    let retry_after = None;
    [FailureClass::Unavailable { retry_after }, FailureClass::Unreachable, FailureClass::Interrupted]
        .iter()
        .any(|class| class.name() == reason)
}
