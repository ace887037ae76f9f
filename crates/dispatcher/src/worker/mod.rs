//! One worker per sink: takes what is due, from memory or from the store, and sends it as the gate allows.

mod call;
mod confirm;
mod dismantling;
mod foresee;
mod lot;
mod prepare;
mod send;
mod test_send;

pub use confirm::Confirmer;
pub use foresee::{LeftFor, Outlook};
pub use test_send::Tested;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::confirmation::ConfirmationSchedule;
use conversion_core::descriptor::SinkDescriptor;
use conversion_core::event::Vocabulary;
use conversion_core::sink::ConversionSink;
use conversion_store::crash::{self, Room};
use conversion_store::{
    Hold, ItemSettlement, Lease, LeaseRequest, Parked, Settlement, SinkId, Store, StoreError,
};
use http_exchange::Pace;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::alarm::Alarm;
use crate::batch::Limits;
use crate::clock::{Clock, after};
use crate::config::{OnMissingCredentials, OutboundMode};
use crate::gate::{Gate, GateChange, Passage};
use crate::intake::{Outlet, Work};
use crate::ledger::Ledger;
use crate::queue::Handover;
use crate::reason::UNREADABLE_EVENT;
use crate::run::Run;
use crate::screen::Rules;
use crate::settle::{self, Patience, Standing};
use crate::watch::Watch;

/// A store that cannot be read is asked again this much later.
pub(crate) const STORE_RETRY: Duration = Duration::from_secs(1);

/// So many deliveries are skipped or given up at most to find one that can be a probe.
const PROBE_TRIES: usize = 100;

/// Everything that a worker knows of its sink and its surroundings. Shared with the API.
#[derive(Debug)]
pub struct Station {
    /// The sink, as the store numbers it.
    pub id: SinkId,
    /// Its name.
    pub name: String,
    /// Its platform.
    pub descriptor: &'static SinkDescriptor,
    /// The connector.
    pub sink: Arc<dyn ConversionSink>,
    /// Whether it may be told now.
    pub gate: Gate,
    /// When to look into the store.
    pub alarm: Arc<Alarm>,
    /// Bounds of one request.
    pub limits: Limits,
    /// Requests under way at once.
    pub max_in_flight: usize,
    /// One for each of them.
    pub in_flight: Arc<Semaphore>,
    /// Where an external queue is configured: what its publisher and its calls share.
    pub handover: Option<Arc<Handover>>,
    /// How fast requests may follow each other.
    pub pace: Pace,
    /// How long deliveries are tried.
    pub patience: Patience,
    /// When the platform is asked what became of what it took, where it says so later.
    pub confirmation: Option<ConfirmationSchedule>,
    /// Whether platforms are told.
    pub mode: OutboundMode,
    /// What is held back whatever the platform.
    pub rules: Rules,
    /// What becomes of deliveries while credentials are missing.
    pub on_missing_credentials: OnMissingCredentials,
    /// Names of event fields.
    pub vocabulary: Arc<Vocabulary>,
    /// The time.
    pub clock: Clock,
    /// This node's run.
    pub run: Arc<Run>,
    /// The account.
    pub store: Arc<dyn Store>,
    /// The writer of results.
    pub ledger: Ledger,
    /// Held while a hold is written, so that the store ends up with the latest.
    pub writing_holds: Mutex<()>,
    /// Notices when sending breaks.
    pub watch: Watch,
    /// Cancelled when the service stops.
    pub stop: CancellationToken,
}

impl Station {
    /// Writes what the gate decided, and wakes the worker. Where the store refuses, the decision stands in memory.
    pub async fn record(&self, change: Option<GateChange>) {
        let Some(change) = change else { return };
        match self.write_down(&change).await {
            Ok(parked) => self.release(parked).await,
            Err(error) => {
                tracing::error!(sink = %self.name, %error, "the hold cannot be written; it stands in memory");
            }
        }
    }

    async fn write_down(&self, change: &GateChange) -> Result<Option<Parked>, StoreError> {
        let event_name = change.event_name();
        let shown = event_name.unwrap_or("*");
        match change {
            GateChange::Held(Hold { reason, message, .. }) => {
                tracing::warn!(sink = %self.name, %reason, event_name = shown, "held: {message}");
            }
            GateChange::Resumed | GateChange::EventNameResumed(_) => {
                tracing::info!(sink = %self.name, event_name = shown, "resumed");
            }
        }
        crash::pass(Room::HoldDecided);
        // One after the other, and each what holds by then: two decisions may come here in either order.
        let _turn = self.writing_holds.lock().await;
        let written = match self.gate.hold(event_name) {
            Some(hold) => self.store.hold(self.id, &hold).await.map(|()| None),
            None => self.store.resume(self.id, event_name, self.clock.now()).await,
        };
        self.alarm.set(self.clock.now());
        self.alarm.wake();
        written
    }

    /// Makes the rest due of what was parked under a hold that has ended, a part at a time, unless another begins.
    pub async fn release(&self, mut parked: Option<Parked>) {
        while let Some(rest) = parked {
            if self.stop.is_cancelled() || self.gate.hold(rest.event_name()).is_some() {
                return;
            }
            parked = self.store.release(rest).await.unwrap_or_else(|error| {
                tracing::error!(sink = %self.name, %error, "what was parked waits for its time");
                None
            });
            self.alarm.set(self.clock.now());
        }
    }

    /// Ends every hold, as a human or a change of settings asks. Returns what is still to be released.
    pub async fn resume(&self) -> Result<Vec<Parked>, StoreError> {
        let mut parked = Vec::new();
        for change in self.gate.resume(self.clock.now()) {
            parked.extend(self.write_down(&change).await?);
        }
        Ok(parked)
    }

    fn standing(&self, lease: &Lease, event_time: Timestamp) -> Standing {
        Standing {
            event_time,
            waiting_since: lease.waiting_since,
            tries: lease.tries,
            uncertain: lease.uncertain.clone(),
        }
    }

    /// Gives leases up unsent: due again at `due_at`.
    async fn hand_back(&self, work: impl IntoIterator<Item = Work>, due_at: Timestamp) {
        let items = work.into_iter().map(|work| {
            let standing = self.standing(&work.lease, work.event.event_time);
            send::change_only(&work.lease, settle::handed_back(&standing, due_at))
        });
        let sent_at = self.clock.now();
        crash::pass(Room::HandingBack);
        self.ledger.settle(Settlement::unsent(items.collect(), sent_at)).await;
    }

    /// Takes due deliveries out of the store. What cannot be read as an event has failed.
    async fn lease(&self, limit: usize) -> Result<Vec<Work>, StoreError> {
        let now = self.clock.now();
        let leases = self.store.lease(LeaseRequest { sink: self.id, run: self.run.id, now, limit }).await?;
        match self.store.next_due(self.id).await {
            _ if leases.len() == limit => self.alarm.set(now),
            Ok(Some(next)) => self.alarm.set(next),
            Ok(None) => {}
            // What is leased is leased: it must be worked on, whatever else fails.
            Err(error) => {
                tracing::error!(sink = %self.name, %error, "the store cannot be read");
                self.alarm.set(after(now, STORE_RETRY));
            }
        }
        let mut unreadable = Vec::new();
        let mut work = Vec::with_capacity(leases.len());
        for lease in leases {
            match self.read(lease) {
                Ok(read) => work.push(read),
                Err(failed) => unreadable.push(failed),
            }
        }
        self.ledger.settle(Settlement::unsent(unreadable, now)).await;
        Ok(work)
    }

    /// A lease with its event. What cannot be read as one has failed.
    fn read(&self, lease: Lease) -> Result<Work, ItemSettlement> {
        // That its time does not lie too far ahead was seen at the door; the clock may have been put since.
        match conversion_core::CanonicalEvent::parse(&lease.event, &self.vocabulary, Timestamp::MAX) {
            Ok(event) => Ok(Work { lease, event: Arc::new(event), retry_in: None }),
            Err(error) => {
                let standing = self.standing(&lease, lease.waiting_since);
                let change = settle::failed(&standing, UNREADABLE_EVENT, error.to_string());
                Err(send::change_only(&lease, change))
            }
        }
    }
}

/// A worker before it runs.
#[derive(Debug)]
pub struct Worker {
    station: Arc<Station>,
    outlet: Outlet,
    buffer: VecDeque<Work>,
    tasks: TaskTracker,
}

impl Worker {
    /// A worker of this station, fed by `outlet`, that ends when the station is stopped.
    pub fn new(station: Arc<Station>, outlet: Outlet) -> Self {
        Self { station, outlet, buffer: VecDeque::new(), tasks: TaskTracker::new() }
    }

    /// Works until stopped; then finishes what is in flight and hands back what is not.
    pub async fn run(mut self) {
        while !self.station.stop.is_cancelled() {
            match self.station.gate.passage(self.station.clock.now()) {
                Passage::Open => self.work_openly().await,
                Passage::Probe => self.probe().await,
                Passage::Closed(until) => self.wait_closed(until).await,
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
        self.outlet.drain_into(&mut self.buffer, usize::MAX);
        self.station.hand_back(self.buffer.drain(..), self.station.clock.now()).await;
    }

    async fn work_openly(&mut self) {
        let station = &self.station;
        let limit = station.limits.items;
        if self.buffer.len() < limit && station.alarm.take(station.clock.now()) {
            match station.lease(limit.saturating_mul(station.max_in_flight)).await {
                Ok(work) => self.buffer.extend(work),
                Err(error) => {
                    tracing::error!(sink = %station.name, %error, "the store cannot be read");
                    station.alarm.set(after(station.clock.now(), STORE_RETRY));
                }
            }
        }
        self.outlet.drain_into(&mut self.buffer, limit);
        if self.buffer.is_empty() {
            return self.wait_open().await;
        }
        let permit = tokio::select! {
            permit = Arc::clone(&station.in_flight).acquire_owned() => permit,
            () = self.station.stop.cancelled() => return,
        };
        let Ok(permit) = permit else { return };
        // More may have come, or the gate may have closed, while this waited.
        self.outlet.drain_into(&mut self.buffer, limit);
        if !station.gate.is_open() {
            return;
        }
        let lot: Vec<Work> = self.buffer.drain(..self.buffer.len().min(limit)).collect();
        let station = Arc::clone(station);
        self.tasks.spawn(self.station.watch.over(async move {
            lot::work_off(&station, lot, None).await;
            drop(permit);
        }));
    }

    /// Sends one delivery and waits for what becomes of it.
    async fn probe(&mut self) {
        let station = Arc::clone(&self.station);
        station.hand_back(self.buffer.drain(..), station.clock.now()).await;
        let reason = station.gate.reason();
        let mut found = false;
        station.alarm.take(station.clock.now());
        // What is not sent teaches nothing: the next one is tried, but not for ever. What has to wait is out of the way.
        let mut tries = 0;
        while tries < PROBE_TRIES {
            // What was handed back a moment ago can be the next probe only once it is written.
            station.ledger.flush().await;
            match station.lease(1).await {
                Ok(lot) if lot.is_empty() => break,
                Ok(lot) => {
                    found = true;
                    let worked = lot::work_off(&station, lot, reason.as_deref()).await;
                    tries += usize::from(!worked.waits);
                }
                Err(error) => {
                    tries += 1;
                    tracing::error!(sink = %station.name, %error, "the store cannot be read");
                    station.alarm.set(after(station.clock.now(), STORE_RETRY));
                    tokio::time::sleep(STORE_RETRY).await;
                }
            }
            if !station.gate.is_probing() || station.stop.is_cancelled() {
                break;
            }
        }
        let now = station.clock.now();
        if station.gate.is_asked_for(now) || !found && station.is_due_at_queue().await {
            // Theirs is the probe: it comes back by a call.
            station.gate.return_probe();
            station.wake_publisher();
            return self.wait_closed(station.alarm.time()).await;
        }
        let change = station.gate.probe_over(station.clock.now());
        station.record(change).await;
    }

    async fn wait_open(&mut self) {
        let station = &self.station;
        let alarm = station.alarm.time().unwrap_or(Timestamp::MAX);
        tokio::select! {
            () = self.outlet.wait_into(&mut self.buffer) => {}
            () = station.alarm.changed() => {}
            () = station.clock.sleep_until(alarm) => {}
            () = self.station.stop.cancelled() => {}
        }
    }

    async fn wait_closed(&mut self, until: Option<Timestamp>) {
        let station = Arc::clone(&self.station);
        station.hand_back(self.buffer.drain(..), station.clock.now()).await;
        tokio::select! {
            () = self.outlet.wait_into(&mut self.buffer) => {}
            () = station.alarm.changed() => {}
            () = station.clock.sleep_until(until.unwrap_or(Timestamp::MAX)) => {}
            () = self.station.stop.cancelled() => {}
        }
    }
}
