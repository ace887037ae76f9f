//! From a leased delivery to a payload, or to the reason that there is none.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::attribution::{self, Attribution};
use conversion_core::consent::ConsentVerdict;
use conversion_core::failure::FailureClass::Interrupted;
use conversion_core::reason::{HELD, MISSING_CREDENTIALS, Reason};
use conversion_core::sink::{NotSent, Payload, Related, Subject};
use conversion_core::skip::Skip;
use conversion_store::{Change, DeliveryId, Hold, StoreError};

use super::Station;
use crate::clock::after;
use crate::config::OnMissingCredentials;
use crate::gate::PROBE_EVERY;
use crate::intake::Work;
use crate::reason::{DEDUP_WINDOW_OVER, INTERNAL_ERROR, MAPPING_CHANGED_AFTER_SEND, WAITING_FOR_EARLIER};
use crate::screen::Screened;
use crate::settle::{self, Patience, Standing};

/// How long a delivery waits for an earlier one of the same conversion before it looks again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What of the store a lot is prepared with.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// By their ids.
    attributions: HashMap<String, Attribution>,
    /// Other deliveries of the same conversion.
    related: HashMap<DeliveryId, Vec<Related>>,
}

/// A delivery that can be sent.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) work: Work,
    pub(crate) payload: Payload,
    pub(crate) consent: ConsentVerdict,
}

/// What preparing came to.
pub(super) enum Prepared {
    Ready(Ready),
    Settled(Work, Change),
}

impl Station {
    /// Reads what preparing `lot` wants to know from the store, once for all of it.
    pub(super) async fn look_up(&self, lot: &[Work]) -> Result<Surroundings, StoreError> {
        let mut keys: Vec<String> =
            lot.iter().filter_map(|work| attribution::key(&work.event)).map(str::to_owned).collect();
        keys.sort_unstable();
        keys.dedup();
        let asked: Vec<(DeliveryId, String)> = lot
            .iter()
            .filter(|work| self.sink.wants_related(&work.event))
            .map(|work| (work.lease.id, work.event.conversion_id().to_owned()))
            .collect();
        let mut surroundings = Surroundings::default();
        if !keys.is_empty() {
            let found = self.store.attributions(&keys).await?;
            surroundings.attributions.extend(found.into_iter().map(|found| (found.id.clone(), found)));
        }
        if !asked.is_empty() {
            // What was sent a moment ago may not be written yet.
            self.ledger.flush().await;
            let found = self.store.related(&asked).await?;
            surroundings.related.extend(asked.into_iter().map(|(id, _)| id).zip(found));
        }
        Ok(surroundings)
    }

    /// Prepares one delivery as of `now`.
    pub(super) async fn prepare(&self, work: Work, surroundings: &Surroundings, now: Timestamp) -> Prepared {
        let standing = self.standing(&work.lease, work.event.event_time);
        // The clock was put back since it became due.
        if let Some(due_at) = self.clock.coming(work.event.event_time) {
            return Prepared::Settled(work, settle::handed_back(&standing, due_at));
        }
        let hold = self.gate.hold(Some(&work.event.event_name));
        if let Some(hold) = hold.filter(|hold| hold.until.is_none_or(|until| until > now)) {
            return Prepared::Settled(work, held(&standing, hold, now));
        }
        let (consent, prepared) = self.ask(&work, surroundings, now);
        let Some(prepared) = prepared else {
            // A bug of ours must not cost the deliveries beside it, nor come back with every restart.
            let change = settle::failed(&standing, INTERNAL_ERROR, INTERNAL_ERROR.tell(&["event"]));
            return Prepared::Settled(work, change);
        };
        match prepared {
            // The spec's order: mock mode is the first reason, whatever else there is.
            Err(_) if self.is_mock() => {
                let change = self.skipped(&standing, Skip::mock_mode(self.descriptor.platform), now).await;
                Prepared::Settled(work, change)
            }
            Ok(payload) => match self.too_late(&payload, &standing, now) {
                Some(change) => Prepared::Settled(work, change),
                // Whoever is asked last is the probe: what is not sent would be none.
                None => match self.gate.event_name_hold(&work.event.event_name, now) {
                    Some(hold) => Prepared::Settled(work, held(&standing, hold, now)),
                    None => Prepared::Ready(Ready { work, payload, consent }),
                },
            },
            Err(NotSent::WaitForRelated) => {
                let due_at = after(now, LOOK_AGAIN);
                let message = WAITING_FOR_EARLIER.tell(&[]);
                Prepared::Settled(work, settle::postponed(&standing, due_at, WAITING_FOR_EARLIER, message))
            }
            Err(NotSent::WaitUntil { at, reason, message }) => {
                let due_at = settle::due_after(at, now, rand::random());
                Prepared::Settled(work, settle::postponed(&standing, due_at, reason, message))
            }
            Err(NotSent::Skip(skip)) if standing.uncertain.is_some() => {
                // The platform may have it: to call it skipped would be a lie.
                let message = format!("perhaps received; not sent again because: {}", skip.message);
                Prepared::Settled(work, settle::failed(&standing, Interrupted.failed(), message))
            }
            Err(NotSent::Skip(skip)) => {
                let change = self.skipped(&standing, skip, now).await;
                Prepared::Settled(work, Change { consent: Some(consent), ..change })
            }
        }
    }

    /// What consent allows, and what the sink makes of the event under the rules of today: nothing where it broke. Pure.
    pub(super) fn ask(
        &self,
        work: &Work,
        surroundings: &Surroundings,
        now: Timestamp,
    ) -> (ConsentVerdict, Option<Result<Payload, NotSent>>) {
        let attribution = attribution::key(&work.event).and_then(|key| surroundings.attributions.get(key));
        let whole = attribution::complete(&work.event, attribution);
        let Screened { event: seen, consent, skip } = self.rules.screen(&whole, Some(now));
        let related = surroundings.related.get(&work.lease.id).map(Vec::as_slice).unwrap_or_default();
        let subject = Subject::new(&seen)
            .attributed(attribution)
            .beside(related)
            .perhaps_received(work.lease.uncertain.is_some())
            .screened(skip);
        (consent, catch_unwind(AssertUnwindSafe(|| self.sink.prepare(&subject, now))).ok())
    }

    async fn skipped(&self, standing: &Standing, skip: Skip, now: Timestamp) -> Change {
        if skip.reason == MISSING_CREDENTIALS && self.on_missing_credentials == OnMissingCredentials::Hold {
            if self.gate.reason().as_deref() != Some(skip.reason.name) || self.gate.is_probing() {
                let change = self.gate.hold_for(skip.reason, &skip.message, None, now);
                self.record(Some(change)).await;
            }
            return settle::waiting(standing, now, skip.reason, skip.message);
        }
        settle::skipped(standing, &skip)
    }

    /// How long this payload is tried.
    pub(super) fn patience(&self, payload: &Payload) -> Patience {
        let max_event_age = self.patience.max_event_age.filter(|_| !payload.takes_back);
        Patience { max_event_age, ..self.patience }
    }

    /// Gives up what is past its deadline, and what can no longer be sent without being counted twice.
    pub(super) fn too_late(&self, payload: &Payload, standing: &Standing, now: Timestamp) -> Option<Change> {
        let patience = self.patience(payload);
        let deadline = patience.deadline(standing, &self.gate.history(), now);
        // The platform's clock went on where this machine slept.
        let forgotten = patience.recognised_until(standing).filter(|until| self.clock.latest() >= until.at);
        let give_up = |reason: &Reason, message: &str| Some(settle::failed(standing, reason, message));
        let sent_as = standing.uncertain.as_ref().map(|uncertain| &uncertain.dedup_key);
        match sent_as {
            _ if now >= deadline.at => give_up(deadline.reason, "given up at its deadline"),
            _ if forgotten.is_some() => give_up(DEDUP_WINDOW_OVER, "given up at its deadline"),
            Some(_) if payload.dedup_key.is_none() => {
                let message = "perhaps received, and the platform would not recognise a repetition";
                give_up(Interrupted.failed(), message)
            }
            Some(Some(key)) if Some(key) != payload.dedup_key.as_ref() => {
                give_up(MAPPING_CHANGED_AFTER_SEND, &MAPPING_CHANGED_AFTER_SEND.tell(&[]))
            }
            _ => None,
        }
    }
}

/// Waits for the end of its event name's hold.
fn held(standing: &Standing, hold: Hold, now: Timestamp) -> Change {
    let due_at = hold.until.unwrap_or_else(|| after(now, PROBE_EVERY));
    settle::waiting(standing, due_at, HELD, hold.message)
}
