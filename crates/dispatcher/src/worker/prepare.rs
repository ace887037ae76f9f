//! From a leased delivery to a payload, or to the reason that there is none.

use std::panic::{AssertUnwindSafe, catch_unwind};

use conversion_core::Timestamp;
use conversion_core::consent::ConsentVerdict;
use conversion_core::sink::{Earlier, NotSent, Payload, Subject};
use conversion_core::skip::{MISSING_CREDENTIALS, Skip};
use conversion_store::{Change, HELD};

use super::Station;
use crate::clock::after;
use crate::config::OnMissingCredentials;
use crate::gate::PROBE_EVERY;
use crate::intake::Work;
use crate::screen::Screened;
use crate::settle::{self, Standing};

/// How long a delivery waits for an earlier one of the same conversion before it looks again.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(60);

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
    /// Prepares one delivery as of `now`.
    pub(super) async fn prepare(&self, work: Work, now: Timestamp) -> Prepared {
        let standing = self.standing(&work.lease, work.event.event_time);
        if let Some(hold) = self.gate.event_name_hold(&work.event.event_name, now) {
            let due_at = hold.until.unwrap_or_else(|| after(now, PROBE_EVERY));
            let change = settle::waiting(&standing, due_at, HELD, hold.message);
            return Prepared::Settled(work, change);
        }
        let earlier = match self.earlier(&work).await {
            Ok(earlier) => earlier,
            Err(error) => {
                tracing::error!(sink = %self.name, %error, "the store cannot be read");
                let change = settle::handed_back(&standing, after(now, super::STORE_RETRY));
                return Prepared::Settled(work, change);
            }
        };
        let Screened { event: seen, consent, skip } = self.rules.screen(&work.event, Some(now));
        let subject = Subject::new(&seen).after(earlier.as_ref()).screened(skip);
        let Ok(prepared) = catch_unwind(AssertUnwindSafe(|| self.sink.prepare(&subject, now))) else {
            // A bug of ours must not cost the deliveries beside it, nor come back with every restart.
            let change = settle::failed(
                &standing,
                "internal_error",
                "the connector broke on this event; please report it",
            );
            return Prepared::Settled(work, change);
        };
        match prepared {
            // The spec's order: mock mode is the first reason, whatever else there is.
            Err(_) if self.is_mock() => {
                let change = self.skipped(&standing, Skip::mock_mode(self.descriptor.platform), now).await;
                Prepared::Settled(work, change)
            }
            Ok(payload) => self.unless_too_late(work, payload, consent, &standing, now),
            Err(NotSent::WaitForEarlier) => {
                let message = "an earlier delivery of the same conversion is not settled yet";
                let change =
                    settle::waiting(&standing, after(now, LOOK_AGAIN), "waiting_for_earlier", message);
                Prepared::Settled(work, change)
            }
            Err(NotSent::Skip(skip)) if standing.uncertain.is_some() => {
                // The platform may have it: to call it skipped would be a lie.
                let message = format!("perhaps received; not sent again because: {}", skip.message);
                Prepared::Settled(work, settle::failed(&standing, "interrupted", message))
            }
            Err(NotSent::Skip(skip)) => {
                let change = self.skipped(&standing, skip, now).await;
                Prepared::Settled(work, Change { consent: Some(consent), ..change })
            }
        }
    }

    async fn earlier(&self, work: &Work) -> Result<Option<Earlier>, conversion_store::StoreError> {
        if !self.sink.wants_earlier(&work.event) {
            return Ok(None);
        }
        // What was sent a moment ago may not be written yet.
        self.ledger.flush().await;
        self.store.earlier(work.lease.id, work.event.conversion_id()).await
    }

    async fn skipped(&self, standing: &Standing, skip: Skip, now: Timestamp) -> Change {
        if skip.reason == MISSING_CREDENTIALS && self.on_missing_credentials == OnMissingCredentials::Hold {
            if self.gate.reason().as_deref() != Some(skip.reason) || self.gate.is_probing() {
                let change = self.gate.hold_for(skip.reason, &skip.message, None, now);
                self.record(Some(change)).await;
            }
            return settle::waiting(standing, now, skip.reason, skip.message);
        }
        settle::skipped(standing, &skip)
    }

    /// Gives up what is past its deadline, and what can no longer be sent without being counted twice.
    fn unless_too_late(
        &self,
        work: Work,
        payload: Payload,
        consent: ConsentVerdict,
        standing: &Standing,
        now: Timestamp,
    ) -> Prepared {
        let deadline = self.patience.deadline(standing, &self.gate.history(), now);
        let give_up = |reason, message: &str| settle::failed(standing, reason, message);
        let sent_as = standing.uncertain.as_ref().map(|uncertain| &uncertain.dedup_key);
        let change = match sent_as {
            _ if now >= deadline.at => Some(give_up(deadline.reason, "given up at its deadline")),
            Some(_) if payload.dedup_key.is_none() => {
                let message = "perhaps received, and the platform would not recognise a repetition";
                Some(give_up("interrupted", message))
            }
            Some(Some(key)) if Some(key) != payload.dedup_key.as_ref() => {
                let message =
                    "perhaps received under another key: sending it under the new one could count it twice";
                Some(give_up("mapping_changed_after_send", message))
            }
            _ => None,
        };
        match change {
            Some(change) => Prepared::Settled(work, change),
            None => Prepared::Ready(Ready { work, payload, consent }),
        }
    }
}
