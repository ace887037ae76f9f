//! What a sink reports after sending one batch.

use crate::exchange::Exchange;
use crate::failure::{Failure, FailureClass};

/// What became of one item of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The platform has it.
    Delivered {
        /// What is worth knowing about it, such as that the platform had it already.
        note: Option<String>,
    },
    /// The platform has it not, or it is not known whether it has.
    Failed(Failure),
    /// Refused for the sake of others in its request, which have failed: nothing is wrong with it, and it is sent again
    /// at once.
    RefusedWithOthers,
}

impl Outcome {
    /// Delivered, with nothing to remark.
    pub const DELIVERED: Self = Self::Delivered { note: None };

    /// Those of a request of so many `items` that was refused for the sake of the one at `position`.
    pub fn refused_for(position: usize, failure: &Failure, items: usize) -> Vec<Self> {
        let outcome = |item| match item == position {
            true => Self::Failed(failure.clone()),
            false => Self::RefusedWithOthers,
        };
        (0..items).map(outcome).collect()
    }
}

/// The exchanges of one batch and its verdict. A refused token makes two exchanges: the refused and the resent.
#[derive(Clone, Debug)]
pub struct SendReport {
    exchanges: Vec<Exchange>,
    verdict: Result<Vec<Outcome>, Failure>,
    receipt: Option<String>,
}

impl SendReport {
    /// One outcome per item, in the order of the request. If the count is not that of the request, or if items were
    /// refused for the sake of others and no other has failed, nothing is known about any, and the report says so.
    pub fn per_item(exchanges: Vec<Exchange>, outcomes: Vec<Outcome>) -> Self {
        let sent = exchanges.last().map_or(0, |exchange| exchange.request.body.len());
        let has_failed = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failed(_)));
        let verdict = if outcomes.len() != sent {
            Err(format!("the platform answered for {} items of {sent}", outcomes.len()))
        } else if !has_failed && outcomes.contains(&Outcome::RefusedWithOthers) {
            Err("items were refused for the sake of others, of which there are none".to_owned())
        } else {
            Ok(outcomes)
        };
        let verdict = verdict.map_err(|message| Failure::new(FailureClass::Interrupted, message));
        Self { exchanges, verdict, receipt: None }
    }

    /// Every item was delivered.
    pub fn all_delivered(exchanges: Vec<Exchange>) -> Self {
        let sent = exchanges.last().map_or(0, |exchange| exchange.request.body.len());
        Self::per_item(exchanges, vec![Outcome::DELIVERED; sent])
    }

    /// The whole batch failed; [`Failure::blame`] says because of what.
    pub fn failed(exchanges: Vec<Exchange>, failure: Failure) -> Self {
        Self { exchanges, verdict: Err(failure), receipt: None }
    }

    /// The same, where the platform judges what it accepted later: what [`ConversionSink::confirm`] asks by.
    ///
    /// [`ConversionSink::confirm`]: crate::sink::ConversionSink::confirm
    #[must_use]
    pub fn with_receipt(self, receipt: impl Into<String>) -> Self {
        Self { receipt: Some(receipt.into()), ..self }
    }

    /// What the platform's later verdict is asked by.
    pub fn receipt(&self) -> Option<&str> {
        self.receipt.as_deref()
    }

    /// The exchanges, in order.
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    /// One outcome per item, or the failure of all.
    pub fn verdict(&self) -> Result<&[Outcome], &Failure> {
        self.verdict.as_deref()
    }

    /// Takes the report apart.
    pub fn into_parts(self) -> (Vec<Exchange>, Result<Vec<Outcome>, Failure>) {
        (self.exchanges, self.verdict)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::exchange::{Body, Request};

    /// One exchange whose request held this many items.
    fn exchange(items: usize) -> Exchange {
        let body = Body::from_recorded(String::new(), vec![0..0; items]);
        let request = Arc::new(Request { url: "https://x.test/".into(), headers: Vec::new(), body });
        Exchange { request, reply: None, duration: Duration::ZERO }
    }

    #[test]
    fn outcomes_count_only_if_there_is_one_for_each_item_of_the_last_request() {
        let delivered = |count: usize| vec![Outcome::DELIVERED; count];
        for (exchanges, outcomes, refusal) in [
            (vec![exchange(2)], 2, None),
            (vec![exchange(2), exchange(3)], 3, None),
            (vec![exchange(2)], 1, Some("the platform answered for 1 items of 2")),
            (vec![exchange(2)], 3, Some("the platform answered for 3 items of 2")),
            (vec![], 1, Some("the platform answered for 1 items of 0")),
        ] {
            let report = SendReport::per_item(exchanges, delivered(outcomes));
            match refusal {
                None => assert_eq!(report.verdict(), Ok(&*delivered(outcomes))),
                Some(message) => {
                    assert_eq!(report.verdict(), Err(&Failure::new(FailureClass::Interrupted, message)));
                }
            }
        }
    }

    #[test]
    fn items_are_refused_with_others_only_where_there_are_others() {
        let failure = Failure::new(FailureClass::Rejected, "bad");
        let named = Outcome::refused_for(1, &failure, 3);
        let others = Outcome::RefusedWithOthers;
        assert_eq!(named, [others.clone(), Outcome::Failed(failure), others]);
        let report = |outcomes| SendReport::per_item(vec![exchange(3)], outcomes);
        assert_eq!(report(named.clone()).verdict(), Ok(&*named));
        let senseless = report(vec![Outcome::RefusedWithOthers; 3]);
        assert_eq!(senseless.verdict().unwrap_err().class, FailureClass::Interrupted);
    }

    #[test]
    fn a_report_hands_out_what_it_was_made_of() {
        let report = SendReport::all_delivered(vec![exchange(1), exchange(2)]);
        let sent: Vec<usize> =
            report.exchanges().iter().map(|exchange| exchange.request.body.len()).collect();
        assert_eq!(sent, [1, 2]);
        let (exchanges, verdict) = report.into_parts();
        assert_eq!((exchanges.len(), verdict), (2, Ok(vec![Outcome::DELIVERED, Outcome::DELIVERED])));

        let failure = Failure::new(FailureClass::Unreachable, "no route");
        let (exchanges, verdict) = SendReport::failed(vec![exchange(1)], failure.clone()).into_parts();
        assert_eq!((exchanges.len(), verdict), (1, Err(failure)));
    }
}
