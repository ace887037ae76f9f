//! What a platform's refusal means, and what follows from it: the one table of both.

use std::time::Duration;

use crate::reason::{self, Reason};

/// A sink states which of these facts holds; [`FailureClass::consequence`] says what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    /// Read by the platform, and refused for good.
    Rejected,
    /// The request is too big.
    TooLarge,
    /// Right, but too early; again after `wait`.
    NotYet {
        /// How long the platform wants to be left alone with this item.
        wait: Duration,
    },
    /// The platform asks to slow down.
    RateLimited {
        /// The wait that it named.
        retry_after: Option<Duration>,
    },
    /// Credentials, permission, account, or a setting that belongs to every request.
    Unauthorized {
        /// How much of the sink it concerns.
        scope: HoldScope,
    },
    /// The platform answered that it cannot work now (5xx, maintenance).
    Unavailable {
        /// The wait that it named.
        retry_after: Option<Duration>,
    },
    /// Not sent: name resolution, connecting or TLS failed.
    Unreachable,
    /// Perhaps received: no answer, half an answer, or an answer that cannot be read.
    Interrupted,
}

/// How much of a sink a hold stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HoldScope {
    /// All of it.
    Sink,
    /// The events of the same name (a wrong conversion action).
    EventName,
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// The delivery has failed.
    Fail,
    /// The batch is halved and sent again; a single item has failed.
    Halve,
    /// That item again after the wait. No try is lost.
    Later(Duration),
    /// The sink pauses for the wait, or by backoff. No item loses a try.
    Pause(Option<Duration>),
    /// The sink, or one event name at it, is held until a human resumes it or a probe passes. No item loses a try.
    Hold(HoldScope),
    /// Again, by backoff and not before the wait; this was a try. Several in a row hold the sink.
    Retry {
        /// The wait that the platform named.
        retry_after: Option<Duration>,
        /// Whether the platform may have the items already: then again only where and while it dedupes.
        perhaps_received: bool,
    },
}

impl FailureClass {
    /// The table.
    pub fn consequence(self) -> Consequence {
        match self {
            Self::Rejected => Consequence::Fail,
            Self::TooLarge => Consequence::Halve,
            Self::NotYet { wait } => Consequence::Later(wait),
            Self::RateLimited { retry_after } => Consequence::Pause(retry_after),
            Self::Unauthorized { scope } => Consequence::Hold(scope),
            Self::Unavailable { retry_after } => Consequence::Retry { retry_after, perhaps_received: true },
            Self::Unreachable => Consequence::Retry { retry_after: None, perhaps_received: false },
            Self::Interrupted => Consequence::Retry { retry_after: None, perhaps_received: true },
        }
    }

    /// Whether a failure of this [name](Self::name) is about the platform's state, and not about our settings.
    pub fn is_passing(name: &str) -> bool {
        [
            Self::RateLimited { retry_after: None },
            Self::Unavailable { retry_after: None },
            Self::Unreachable,
            Self::Interrupted,
        ]
        .iter()
        .any(|class| class.name() == name)
    }

    /// The reason of what waits because of it, and of what it holds. What is refused for good never waits.
    pub fn waiting(self) -> &'static Reason {
        match self {
            Self::NotYet { .. } => reason::NOT_YET,
            Self::RateLimited { .. } => reason::RATE_LIMITED,
            Self::Unauthorized { .. } => reason::UNAUTHORIZED,
            Self::Unavailable { .. } => reason::UNAVAILABLE,
            Self::Unreachable => reason::UNREACHABLE,
            Self::Interrupted => reason::INTERRUPTED,
            Self::Rejected | Self::TooLarge => self.failed(),
        }
    }

    /// The reason of what has failed because of it.
    pub fn failed(self) -> &'static Reason {
        match self {
            Self::Rejected => reason::REJECTED_FINALLY,
            Self::TooLarge => reason::TOO_LARGE_FINALLY,
            Self::NotYet { .. } => reason::NOT_YET_FINALLY,
            Self::RateLimited { .. } => reason::RATE_LIMITED_FINALLY,
            Self::Unauthorized { .. } => reason::UNAUTHORIZED_FINALLY,
            Self::Unavailable { .. } => reason::UNAVAILABLE_FINALLY,
            Self::Unreachable => reason::UNREACHABLE_FINALLY,
            Self::Interrupted => reason::INTERRUPTED_FINALLY,
        }
    }

    /// Stable name, as the API's `reason` shows it.
    pub fn name(self) -> &'static str {
        self.failed().name
    }
}

/// Which items of the batch a failure of the whole concerns. Where the platform names them, there are outcomes instead:
/// [`Outcome::RefusedWithOthers`] for those that are sound.
///
/// [`Outcome::RefusedWithOthers`]: crate::report::Outcome::RefusedWithOthers
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// All of them alike.
    Batch,
    /// Some, and the platform does not say which: they are found by sending parts.
    Unknown,
}

/// Why a batch, or one item of it, was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The fact.
    pub class: FailureClass,
    /// The platform's own code, such as `40105` or `conversionUploadError.TOO_RECENT_EVENT`.
    pub code: Option<String>,
    /// One sentence for a human, with the platform's message where it gave one. Holds no credential.
    pub message: String,
    /// Which items are meant, where the failure is a whole batch's.
    pub blame: Blame,
}

impl Failure {
    /// A failure of all items alike.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, code: None, message: message.into(), blame: Blame::Batch }
    }

    /// The same, with the platform's code.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), ..self }
    }

    /// The same, concerning these items.
    #[must_use]
    pub fn blaming(self, blame: Blame) -> Self {
        Self { blame, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Place;

    #[test]
    fn a_class_has_one_name_wherever_it_stands() {
        for (class, name, is_passing) in [
            (FailureClass::Rejected, "rejected", false),
            (FailureClass::TooLarge, "too_large", false),
            (FailureClass::NotYet { wait: Duration::ZERO }, "not_yet", false),
            (FailureClass::RateLimited { retry_after: None }, "rate_limited", true),
            (FailureClass::Unauthorized { scope: HoldScope::Sink }, "unauthorized", false),
            (FailureClass::Unavailable { retry_after: None }, "unavailable", true),
            (FailureClass::Unreachable, "unreachable", true),
            (FailureClass::Interrupted, "interrupted", true),
        ] {
            assert_eq!((class.name(), FailureClass::is_passing(name)), (name, is_passing));
            assert_eq!(class.failed().name_in(Place::Failed), class.waiting().name);
            let may_wait = class.waiting().places.contains(&Place::Pending);
            assert_eq!(may_wait, !matches!(class.consequence(), Consequence::Fail | Consequence::Halve));
        }
    }

    #[test]
    fn a_failure_says_what_was_told_of_it() {
        let plain = Failure::new(FailureClass::Rejected, "bad e-mail");
        assert_eq!((&plain.code, plain.blame), (&None, Blame::Batch));
        let told = plain.with_code("40002").blaming(Blame::Unknown);
        assert_eq!((told.code.as_deref(), told.blame), (Some("40002"), Blame::Unknown));
        assert_eq!((told.class, told.message.as_str()), (FailureClass::Rejected, "bad e-mail"));
    }
}
