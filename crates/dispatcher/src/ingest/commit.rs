//! Committing in groups: whoever waits shares one transaction and one sync with all who wait.

use std::sync::Arc;

use conversion_core::{CanonicalEvent, Timestamp};
use conversion_store::crash::{self, Room};
use conversion_store::{Acceptance, Admission, DeliveryId, Driver, Lease, NewDelivery, Origin, RunId, Store};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Submission;
use crate::clock::Clock;
use crate::intake::{Intake, Work};
use crate::route::{Route, admission};
use crate::worker::Station;

/// Events in one transaction, about.
const GROUP: usize = 2_000;

/// The one writer of new events.
#[derive(Debug)]
pub struct Committer {
    /// The account.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Clock,
    /// This node's run.
    pub run: RunId,
    /// Every sink, with the way to its worker.
    pub lanes: Vec<Lane>,
    /// Who drives new deliveries.
    pub driver: Driver,
    /// Ends it, after what has come in is committed.
    pub stop: CancellationToken,
}

/// A sink, with the way to its worker.
#[derive(Debug)]
pub struct Lane {
    /// The sink.
    pub station: Arc<Station>,
    /// The way.
    pub intake: Intake,
}

/// What comes next; after `stop`, what has come in before it, and then nothing.
pub(crate) async fn next_until<T>(
    stop: &CancellationToken,
    submissions: &mut mpsc::Receiver<T>,
) -> Option<T> {
    tokio::select! {
        biased;
        next = submissions.recv() => next,
        () = stop.cancelled() => {
            submissions.close();
            submissions.recv().await
        }
    }
}

impl Committer {
    pub(super) async fn run(self, mut submissions: mpsc::Receiver<Submission>) {
        while let Some(first) = next_until(&self.stop, &mut submissions).await {
            let mut size = first.events.len();
            let mut group = vec![first];
            // Never waits for more: what came while the last group was written is this group.
            while size < GROUP
                && let Ok(next) = submissions.try_recv()
            {
                size += next.events.len();
                group.push(next);
            }
            self.commit(group).await;
        }
    }

    async fn commit(&self, group: Vec<Submission>) {
        let now = self.clock.now();
        let events: Vec<Arc<CanonicalEvent>> =
            group.iter().flat_map(|submission| submission.events.iter().cloned()).collect();
        let due: Vec<_> =
            events.iter().map(|event| self.clock.coming(event.event_time).unwrap_or(now)).collect();
        let immediate = due.iter().filter(|due_at| **due_at <= now).count();
        let wanted = if self.driver == Driver::Builtin { immediate } else { 0 };
        let mut room: Vec<usize> = self.lanes.iter().map(|lane| lane.reserve(wanted, now)).collect();
        let reserved = room.clone();
        let admissions: Vec<Admission> =
            events.iter().zip(due).map(|(event, due_at)| self.admit(event, due_at, now, &mut room)).collect();
        match self.store.accept(&admissions, now).await {
            Ok(acceptances) => {
                self.hand_over(&events, &admissions, &acceptances, &reserved, now);
                crash::pass(Room::HandedOver);
                let mut acceptances = acceptances.into_iter();
                for submission in group {
                    let own = acceptances.by_ref().take(submission.events.len()).collect();
                    // A caller that has gone sends again, and learns that it is a duplicate.
                    drop(submission.committed.send(Ok(own)));
                }
            }
            Err(error) => {
                tracing::error!(%error, "events cannot be accepted");
                for (lane, count) in self.lanes.iter().zip(reserved) {
                    lane.intake.release(count);
                }
                let error = Arc::new(error);
                for submission in group {
                    drop(submission.committed.send(Err(Arc::clone(&error))));
                }
            }
        }
    }

    /// The event's deliveries: leased to this run where its worker has room, else free and due.
    fn admit(
        &self,
        event: &CanonicalEvent,
        due_at: Timestamp,
        now: Timestamp,
        room: &mut [usize],
    ) -> Admission {
        let routes = self.lanes.iter().zip(room).map(|(lane, room)| {
            let in_memory = due_at <= now && *room > 0;
            *room -= usize::from(in_memory);
            let leased_to = in_memory.then_some(self.run);
            NewDelivery { sink: lane.station.id, due_at, leased_to, driver: self.driver }
        });
        admission(event, Origin::Live, Route(routes.collect()))
    }

    /// Gives the workers what is theirs: by memory what was leased to them, by alarm what was not.
    fn hand_over(
        &self,
        events: &[Arc<CanonicalEvent>],
        admissions: &[Admission],
        acceptances: &[Acceptance],
        reserved: &[usize],
        now: Timestamp,
    ) {
        for (index, (lane, reserved)) in self.lanes.iter().zip(reserved).enumerate() {
            let mut lot = Vec::with_capacity(*reserved);
            for ((event, admission), acceptance) in events.iter().zip(admissions).zip(acceptances) {
                let Acceptance::Accepted { event: number } = acceptance else { continue };
                let Some(delivery) = admission.deliveries.get(index) else { continue };
                if delivery.leased_to.is_some() {
                    lot.push(fresh(*number, delivery, event, admission, now));
                } else {
                    lane.station.alarm.set(delivery.due_at);
                }
            }
            lane.intake.release(reserved - lot.len());
            if !lot.is_empty() {
                lane.intake.send(lot);
            }
        }
    }
}

impl Lane {
    /// Room for deliveries in the worker's memory; none while the sink is held, nor while older work is due in the
    /// store, which would starve beside a steady stream.
    fn reserve(&self, wanted: usize, now: Timestamp) -> usize {
        let is_behind = self.station.alarm.time().is_some_and(|at| at <= now);
        if self.station.gate.is_open() && !is_behind { self.intake.reserve(wanted) } else { 0 }
    }
}

fn fresh(
    event: i64,
    delivery: &NewDelivery,
    read: &Arc<CanonicalEvent>,
    admission: &Admission,
    now: Timestamp,
) -> Work {
    let id = DeliveryId { event, sink: delivery.sink };
    let lease = Lease::fresh(id, now, Arc::clone(&admission.json));
    Work { lease, event: Arc::clone(read), retry_in: None }
}
