//! Verdicts that a platform gives later than its answer: accepted now, counted or refused within hours.

use std::time::Duration;

use crate::failure::Failure;

/// When a platform is asked for its later verdict: first after `first`, then after twice as long each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfirmationSchedule {
    /// After the request was accepted.
    pub first: Duration,
    /// After so long it is asked for the last time; what it has not judged then stays unconfirmed.
    pub last: Duration,
}

/// What a platform says of a request that it accepted earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// It is still at it.
    Processing,
    /// One verdict per item, in the order of the request.
    Judged(Vec<LateVerdict>),
}

/// What became of one item of a request that was accepted earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LateVerdict {
    /// Counted.
    Confirmed {
        /// What is worth knowing about it, such as that the platform had it already.
        note: Option<String>,
    },
    /// Not counted. What the class says of trying again holds here, too; what would hold the sink has failed.
    Refused(Failure),
    /// The platform judged the request, and does not say what it said of this item.
    Unknown {
        /// What it did say, in a sentence.
        message: String,
    },
}
