//! Sending one event past the queue, for the test endpoints.

use std::sync::Arc;

use conversion_core::CanonicalEvent;
use conversion_core::attribution::{self, Attribution};
use conversion_core::exchange::Exchange;
use conversion_core::failure::{Failure, FailureClass};
use conversion_core::report::Outcome;
use conversion_core::sink::{NotSent, Subject};
use conversion_core::skip::Skip;
use conversion_store::{
    Acceptance, Change, DeliveryId, Driver, ItemSettlement, Lease, NewDelivery, Origin, Settlement,
    StoreError,
};

use super::Station;
use super::prepare::Ready;
use super::send::Answer;
use super::send::change_only;
use crate::intake::Work;
use crate::route::{Route, admission};
use crate::screen::Screened;
use crate::settle;

/// What came of a test.
#[derive(Debug)]
pub enum Tested {
    /// Nothing was sent.
    Skipped(Skip),
    /// The platform was told.
    Sent {
        /// The last exchange, if there was one.
        exchange: Option<Exchange>,
        /// Why the platform did not take it, if it did not.
        failure: Option<Failure>,
    },
}

impl Station {
    /// Sends the event at once, whatever holds the sink and however old it is, and records what came of it outside the
    /// account. A test is never tried again.
    pub async fn test(&self, event: &Arc<CanonicalEvent>) -> Result<Tested, StoreError> {
        let now = self.clock.now();
        let attribution = self.attribution(event).await?;
        let whole = attribution::complete(event, attribution.as_ref());
        let Screened { event: seen, consent, skip } = self.rules.screen(&whole, None);
        // Without its attribution, nobody knows how old its click is: as for the event, such rules do not apply.
        let subject = Subject::new(&seen).screened(skip);
        let prepared = match self.sink.prepare(&subject, now) {
            _ if self.is_mock() => Err(Skip::mock_mode(self.descriptor.platform)),
            Ok(payload) => Ok(payload),
            Err(NotSent::Skip(skip)) => Err(skip),
            // Without another delivery in the subject there is none to wait for.
            Err(NotSent::WaitForRelated) => Err(Skip::already_counted(&event.event_name)),
            Err(NotSent::WaitUntil { reason, message, .. }) => Err(Skip::too_early(reason, message)),
        };
        let work = self.admit_test(event).await?;
        match prepared {
            Err(skip) => {
                let standing = self.standing(&work.lease, event.event_time);
                let change = settle::skipped(&standing, &skip);
                let items = vec![change_only(&work.lease, Change { consent: Some(consent), ..change })];
                self.ledger.settle(Settlement::unsent(items, now)).await;
                Ok(Tested::Skipped(skip))
            }
            Ok(payload) => Ok(self.send_test(Ready { work, payload, consent }).await),
        }
    }

    async fn attribution(&self, event: &CanonicalEvent) -> Result<Option<Attribution>, StoreError> {
        match attribution::key(event) {
            Some(key) => Ok(self.store.attributions(&[key.to_owned()]).await?.pop()),
            None => Ok(None),
        }
    }

    /// The test on record, leased to nobody but the caller.
    async fn admit_test(&self, event: &Arc<CanonicalEvent>) -> Result<Work, StoreError> {
        let now = self.clock.now();
        let delivery =
            NewDelivery { sink: self.id, due_at: now, leased_to: Some(self.run.id), driver: Driver::Builtin };
        let admission = admission(event, Origin::Test, Route(vec![delivery]));
        let accepted = self.store.accept(std::slice::from_ref(&admission), now).await?;
        let Some(Acceptance::Accepted { event: number }) = accepted.first() else {
            return Err(StoreError::Closed);
        };
        let id = DeliveryId { event: *number, sink: self.id };
        let lease = Lease::fresh(id, now, admission.json);
        Ok(Work { lease, event: Arc::clone(event), retry_in: None })
    }

    async fn send_test(&self, ready: Ready) -> Tested {
        let part = [ready];
        let answer = self.send(&part).await;
        let [ready] = &part;
        let Ready { work, payload, consent } = ready;
        let outcome = match &answer.verdict {
            Ok(outcomes) => outcomes.first().cloned().unwrap_or(Outcome::DELIVERED),
            Err(failure) => Outcome::Failed(failure.clone()),
        };
        let standing = self.standing(&work.lease, work.event.event_time);
        let (change, failure) = match &outcome {
            Outcome::Delivered { note } => (self.delivered(ready, note.clone(), &answer), None),
            // A request of one item has no others.
            Outcome::RefusedWithOthers => {
                let message = "the platform refused it for the sake of others that it was not sent with";
                let failure = Failure::new(FailureClass::Interrupted, message);
                (settle::failed(&standing, failure.class.failed(), message), Some(failure))
            }
            Outcome::Failed(failure) => {
                (settle::failed(&standing, failure.class.failed(), &failure.message), Some(failure.clone()))
            }
        };
        let change = Change { response_code: answer.response_code(), consent: Some(*consent), ..change };
        let item = ItemSettlement {
            attempts: answer.attempts(0, payload, &outcome),
            ..change_only(&work.lease, change)
        };
        let exchange = answer.exchanges.last().cloned();
        let Answer { exchanges, sent_at, receipt, .. } = answer;
        let settlement = Settlement { exchanges, sent_at, items: vec![item], receipt };
        self.ledger.settle(settlement).await;
        Tested::Sent { exchange, failure }
    }
}
