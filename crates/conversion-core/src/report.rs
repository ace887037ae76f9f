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
}

impl Outcome {
    /// Delivered, with nothing to remark.
    pub const DELIVERED: Self = Self::Delivered { note: None };
}

/// The exchanges of one batch and its verdict. A refused token makes two exchanges: the refused and the resent.
#[derive(Clone, Debug)]
pub struct SendReport {
    exchanges: Vec<Exchange>,
    verdict: Result<Vec<Outcome>, Failure>,
}

impl SendReport {
    /// One outcome per item, in the order of the request. If the count is not that of the request, nothing is known
    /// about any item, and the report says so.
    pub fn per_item(exchanges: Vec<Exchange>, outcomes: Vec<Outcome>) -> Self {
        let sent = exchanges.last().map_or(0, |exchange| exchange.request.body.len());
        let verdict = if outcomes.len() == sent {
            Ok(outcomes)
        } else {
            let message = format!("the platform answered for {} items of {sent}", outcomes.len());
            Err(Failure::new(FailureClass::Interrupted, message))
        };
        Self { exchanges, verdict }
    }

    /// Every item was delivered.
    pub fn all_delivered(exchanges: Vec<Exchange>) -> Self {
        let sent = exchanges.last().map_or(0, |exchange| exchange.request.body.len());
        Self::per_item(exchanges, vec![Outcome::DELIVERED; sent])
    }

    /// The whole batch failed; [`Failure::blame`] says because of what.
    pub fn failed(exchanges: Vec<Exchange>, failure: Failure) -> Self {
        Self { exchanges, verdict: Err(failure) }
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
