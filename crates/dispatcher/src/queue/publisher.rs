//! Hands what is due over to QStash, as the gate allows: one task for each sink.
//!
//! What QStash must have lost is due again by then, so that finding it needs nothing of its own.

use std::sync::Arc;
use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::backoff::Backoff;
use conversion_core::failure::{Consequence, Failure, FailureClass};
use conversion_store::crash::{self, Room};
use conversion_store::{Publication, QueueItem, StoreError};

use super::client::Lane;
use super::handover::BATCH;
use super::{Handover, Queue};
use crate::clock::after;
use crate::gate::Passage;
use crate::worker::{STORE_RETRY, Station};

/// QStash that refuses our settings is asked again this much later.
const REFUSED: Duration = Duration::from_secs(15 * 60);

/// So many calls at once for each request that may be: while one is answered the next is there.
const CALLS_PER_REQUEST: usize = 2;

/// A publisher before it runs.
#[derive(Debug)]
pub struct Publisher {
    queue: Arc<Queue>,
    station: Arc<Station>,
    handover: Arc<Handover>,
    installation: Arc<str>,
    failures: u32,
    paused_until: Option<Timestamp>,
}

impl Publisher {
    /// A publisher of the station's deliveries, that ends when the station is stopped.
    pub fn new(
        queue: Arc<Queue>,
        station: Arc<Station>,
        handover: Arc<Handover>,
        installation: Arc<str>,
    ) -> Self {
        Self { queue, station, handover, installation, failures: 0, paused_until: None }
    }

    /// Publishes until stopped.
    pub async fn run(mut self) {
        while !self.station.stop.is_cancelled() {
            let Some(until) = self.turn().await else { continue };
            tokio::select! {
                () = self.handover.alarm.changed() => {}
                () = self.station.clock.sleep_until(until) => {}
                () = self.station.stop.cancelled() => {}
            }
        }
    }

    /// Hands over what may be now. Returns until when to wait, unless there is more to do.
    async fn turn(&mut self) -> Option<Timestamp> {
        let now = self.station.clock.now();
        if let Some(until) = self.paused_until.filter(|until| now < *until) {
            return Some(until);
        }
        if let Err(until) = self.handover.room(now) {
            return Some(until);
        }
        let handover = Arc::clone(&self.handover);
        let alarm = &handover.alarm;
        let passage = self.station.gate.passage_by_queue(now);
        let limit = match passage {
            Passage::Closed(until) => return Some(until.unwrap_or(Timestamp::MAX)),
            Passage::Open if !alarm.take(now) => return Some(alarm.time().unwrap_or(Timestamp::MAX)),
            Passage::Open => BATCH,
            Passage::Probe => {
                alarm.take(now);
                1
            }
        };
        match self.hand_over(limit, now).await {
            Ok(count) if count == limit => {
                alarm.set(now);
                None
            }
            Ok(_) => {
                if passage == Passage::Probe {
                    // Nothing is due here: what follows for the hold is the worker's to say.
                    self.station.gate.asked_in_vain();
                    self.station.alarm.wake();
                }
                Some(alarm.time().unwrap_or(Timestamp::MAX))
            }
            Err(error) => {
                tracing::error!(sink = %self.station.name, %error, "the store cannot serve the queue");
                alarm.set(after(now, STORE_RETRY));
                self.paused_until = Some(after(now, STORE_RETRY));
                self.paused_until
            }
        }
    }

    /// Hands over the longest due, up to `limit`, and returns how many were due.
    async fn hand_over(&mut self, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
        let (station, handover) = (Arc::clone(&self.station), Arc::clone(&self.handover));
        let items = station.store.queue_due(station.id, now, limit).await?;
        if !items.is_empty() {
            handover.begin(items.iter().map(|item| item.id).collect());
            let parallelism = station.max_in_flight * CALLS_PER_REQUEST;
            let lane = Lane { installation: &self.installation, sink: &station.name, parallelism };
            crash::pass(Room::BeforePublishing);
            let answer = self.queue.client.publish(lane, &items).await;
            crash::pass(Room::Published);
            let posted = self.take_in(&items, answer);
            // In vain, if the store refuses: the next time QStash recognises what it has.
            let written = if posted.is_empty() { Ok(()) } else { station.store.published(&posted).await };
            handover.end(&posted);
            written?;
        }
        if items.len() < limit
            && let Some(next) = station.store.next_queue_due(station.id).await?
        {
            handover.alarm.set(next);
        }
        Ok(items.len())
    }

    /// What QStash has taken. Where it has not taken all, the publisher pauses.
    fn take_in(
        &mut self,
        items: &[QueueItem],
        answer: Result<Vec<Result<(), String>>, Failure>,
    ) -> Vec<Publication> {
        let now = self.station.clock.now();
        let (taken, failure) = match answer {
            Ok(taken) => {
                let refused = taken.iter().find_map(|item| item.as_ref().err());
                let failure = refused.map(|error| {
                    let retry_after = None;
                    let message = format!("QStash did not take every message: {error}");
                    Failure::new(FailureClass::Unavailable { retry_after }, message)
                });
                (taken, failure)
            }
            Err(failure) => (Vec::new(), Some(failure)),
        };
        match failure {
            None => self.go_on(),
            Some(failure) => self.pause(&failure, now),
        }
        let check_at = after(now, self.queue.schedule.whole());
        let posted = items.iter().zip(taken).filter(|(_, taken)| taken.is_ok());
        posted.map(|(item, _)| Publication { item: *item, check_at }).collect()
    }

    fn go_on(&mut self) {
        if self.failures > 0 {
            tracing::info!(sink = %self.station.name, "QStash takes deliveries again");
        }
        self.failures = 0;
        self.paused_until = None;
        self.handover.set_trouble(None);
    }

    fn pause(&mut self, failure: &Failure, now: Timestamp) {
        self.failures += 1;
        let (sink, message) = (&self.station.name, &failure.message);
        let wait = match failure.class.consequence() {
            Consequence::Retry { retry_after, .. } | Consequence::Pause(retry_after) => {
                tracing::warn!(%sink, "deliveries cannot be handed to QStash now: {message}");
                Backoff::SINK.ceiling(self.failures).max(retry_after.unwrap_or_default())
            }
            Consequence::Fail | Consequence::Halve | Consequence::Later(_) | Consequence::Hold(_) => {
                tracing::error!(%sink, "QStash refuses deliveries; look at [qstash]: {message}");
                REFUSED
            }
        };
        self.paused_until = Some(after(now, wait));
        self.handover.set_trouble(Some(message.clone()));
    }
}
