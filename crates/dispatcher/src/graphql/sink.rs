//! Sinks.

use async_graphql::Object;
use conversion_store::SinkState;

use super::scalar::{DateTime, time};
use crate::api::SinkView;
use crate::service::Service;

/// A configured connection to one account of a platform, with its account.
#[derive(Debug)]
pub(super) struct Sink(SinkView);

impl Sink {
    pub(super) fn of(sink: SinkState, service: &Service) -> Self {
        Self(SinkView::of(sink, service))
    }
}

/// A configured connection to one account of a platform, with its account.
#[Object]
impl Sink {
    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its kind, such as tiktok.
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    /// Its platform, such as TIKTOK.
    async fn platform(&self) -> &str {
        &self.0.platform
    }

    /// ACTIVE, or HELD.
    async fn state(&self) -> &str {
        self.0.state
    }

    /// Stable name of the reason why it is held.
    async fn hold_reason(&self) -> Option<&str> {
        self.0.hold_reason.as_deref()
    }

    /// The reason in a sentence.
    async fn hold_message(&self) -> Option<&str> {
        self.0.hold_message.as_deref()
    }

    /// What to do about it.
    async fn hold_fix(&self) -> Option<&str> {
        self.0.hold_fix
    }

    /// Who can do it: SENDER (of the events), OPERATOR, PLATFORM (it passes) or NOBODY (needs to).
    async fn hold_actor(&self) -> Option<&str> {
        self.0.hold_actor
    }

    /// When the hold ends or is tried.
    async fn held_until(&self) -> Option<DateTime> {
        time(self.0.held_until)
    }

    /// Deliveries to be sent.
    async fn pending(&self) -> u64 {
        self.0.pending
    }

    /// Deliveries that the platform has.
    async fn delivered(&self) -> u64 {
        self.0.delivered
    }

    /// Deliveries that were not sent, for a reason.
    async fn skipped(&self) -> u64 {
        self.0.skipped
    }

    /// Deliveries that were given up.
    async fn failed(&self) -> u64 {
        self.0.failed
    }

    /// When it last delivered.
    async fn last_delivered_at(&self) -> Option<DateTime> {
        time(self.0.last_delivered_at)
    }
}
