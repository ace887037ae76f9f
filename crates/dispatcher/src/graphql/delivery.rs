//! Deliveries.

use async_graphql::{Enum, ID, Object};
use conversion_store::{Confirmation, DeliveryRecord, Status};

use super::scalar::{DateTime, time};
use crate::api::DeliveryView;

/// One event at one sink: what was sent, what came back, or why nothing was.
pub(super) struct Delivery(DeliveryView);

/// State of a delivery.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Status")]
pub(super) enum DeliveryStatus {
    /// To be sent, or under way.
    Pending,
    /// The platform has it.
    Delivered,
    /// Nothing was sent, for a reason that is no error.
    Skipped,
    /// Given up.
    Failed,
}

/// Verdict that a platform gives later than its answer.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LateVerdict {
    /// Not yet given.
    Awaited,
    /// Counted.
    Confirmed,
    /// Refused.
    Refused,
    /// Asked for in vain.
    Unconfirmed,
}

impl LateVerdict {
    /// Nothing where the platform gives none.
    fn of(confirmation: Confirmation) -> Option<Self> {
        match confirmation {
            Confirmation::None => None,
            Confirmation::Awaited => Some(Self::Awaited),
            Confirmation::Confirmed => Some(Self::Confirmed),
            Confirmation::Refused => Some(Self::Refused),
            Confirmation::Unconfirmed => Some(Self::Unconfirmed),
        }
    }
}

impl From<LateVerdict> for Confirmation {
    fn from(verdict: LateVerdict) -> Self {
        match verdict {
            LateVerdict::Awaited => Self::Awaited,
            LateVerdict::Confirmed => Self::Confirmed,
            LateVerdict::Refused => Self::Refused,
            LateVerdict::Unconfirmed => Self::Unconfirmed,
        }
    }
}

impl Delivery {
    pub(super) fn of(record: &DeliveryRecord) -> Self {
        Self(DeliveryView::of(record))
    }
}

/// One event at one sink: what was sent, what came back, or why nothing was.
#[Object]
impl Delivery {
    /// Its id.
    async fn id(&self) -> ID {
        ID::from(&self.0.id)
    }

    /// Id of its event.
    async fn event_id(&self) -> &str {
        &self.0.event_id
    }

    /// Name of its event.
    async fn event_name(&self) -> &str {
        &self.0.event_name
    }

    /// What platforms dedupe by.
    async fn conversion_id(&self) -> &str {
        &self.0.conversion_id
    }

    /// Name of its sink.
    async fn sink(&self) -> &str {
        &self.0.sink
    }

    /// Platform of its sink, such as TIKTOK.
    async fn platform(&self) -> &str {
        &self.0.platform
    }

    /// Its state.
    async fn status(&self) -> DeliveryStatus {
        self.0.status.into()
    }

    /// The platform's verdict, where it gives one later than its answer.
    async fn confirmation(&self) -> Option<LateVerdict> {
        self.0.confirmation.and_then(LateVerdict::of)
    }

    /// Stable name of the reason, where there is one to tell.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The reason in a sentence.
    async fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// What to do about it, where there is a reason that is known.
    async fn fix(&self) -> Option<&str> {
        self.0.fix
    }

    /// Who can do it: SENDER (of the events), OPERATOR, PLATFORM (it passes) or NOBODY (needs to).
    async fn actor(&self) -> Option<&str> {
        self.0.actor
    }

    /// Exchanges that it was part of.
    async fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// What was sent last, with its own item alone. Credentials are never in it.
    async fn request_body(&self) -> Option<&str> {
        self.0.request_body.as_deref()
    }

    /// What was answered last, as far as it concerns this item.
    async fn response_body(&self) -> Option<&str> {
        self.0.response_body.as_deref()
    }

    /// HTTP status of the last answer.
    async fn response_code(&self) -> Option<u16> {
        self.0.response_code
    }

    /// When it is tried next, while pending.
    async fn next_attempt_at(&self) -> Option<DateTime> {
        time(self.0.next_attempt_at)
    }

    /// When its event was accepted.
    async fn accepted_at(&self) -> DateTime {
        DateTime(self.0.accepted_at)
    }

    /// When it was delivered, skipped or given up.
    async fn settled_at(&self) -> Option<DateTime> {
        time(self.0.settled_at)
    }
}
