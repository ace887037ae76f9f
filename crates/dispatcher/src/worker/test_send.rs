//! Sending one event past the queue, for the test endpoints.

use conversion_core::CanonicalEvent;
use conversion_core::consent::ConsentVerdict;
use conversion_core::exchange::Exchange;
use conversion_core::failure::{Failure, FailureClass};
use conversion_core::report::Outcome;
use conversion_core::sink::Payload;
use conversion_store::{Acceptance, DeliveryId, Lease, NewDelivery, Origin, StoreError};

use super::Station;
use super::prepare::Ready;
use super::send::Verdict;
use crate::intake::Work;
use crate::route::{Route, admission};

/// What came of a test.
#[derive(Debug)]
pub struct TestSend {
    /// The last exchange, if there was one.
    pub exchange: Option<Exchange>,
    /// Why the platform did not take it, if it did not.
    pub failure: Option<Failure>,
}

impl Station {
    /// Sends the payload at once, whatever holds the sink, and records it outside the account. A test is never tried
    /// again.
    pub async fn send_test(
        &self,
        event: &std::sync::Arc<CanonicalEvent>,
        payload: Payload,
    ) -> Result<TestSend, StoreError> {
        let now = self.clock.now();
        let delivery = NewDelivery { sink: self.id, due_at: now, leased_to: Some(self.run.id) };
        let admission = admission(event, Origin::Test, Route(vec![delivery]));
        let accepted = self.store.accept(std::slice::from_ref(&admission), now).await?;
        let Some(Acceptance::Accepted { event: number }) = accepted.first() else {
            return Err(StoreError::Closed);
        };
        let lease = Lease {
            id: DeliveryId { event: *number, sink: self.id },
            fence: 1,
            tries: 0,
            accepted_at: now,
            uncertain: None,
            event: admission.json,
        };
        let work = Work { lease, event: std::sync::Arc::clone(event) };
        let part = [Ready { work, payload, consent: ConsentVerdict::Full }];
        let answer = self.send(&part).await;
        let exchange = answer.exchanges.last().cloned();
        let outcome = match &answer.verdict {
            Ok(outcomes) => outcomes.first().cloned().unwrap_or(Outcome::DELIVERED),
            Err(failure) => Outcome::Failed(failure.clone()),
        };
        let failure = match &outcome {
            Outcome::Delivered { .. } => None,
            Outcome::Failed(failure) => Some(failure.clone()),
        };
        // Recorded as refused, so that nothing becomes due of it.
        let recorded = match outcome {
            Outcome::Delivered { .. } => outcome,
            Outcome::Failed(failure) => Outcome::Failed(Failure { class: FailureClass::Rejected, ..failure }),
        };
        self.settle(&part, answer, &[(recorded, Verdict::Final)]).await;
        Ok(TestSend { exchange, failure })
    }
}
