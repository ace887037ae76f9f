//! Sinks.

use async_graphql::Object;
use conversion_store::{SinkState, VerdictAccount};

use super::scalar::{DateTime, time};
use crate::api::SinkView;
use crate::service::Service;

/// Deliveries by the platform's later verdict. Those awaited, confirmed and unconfirmed are delivered, those refused have
/// failed.
#[derive(Debug)]
pub(super) struct Verdicts(VerdictAccount);

/// Deliveries by the platform's later verdict. Those awaited, confirmed and unconfirmed are delivered, those refused have
/// failed.
#[Object]
impl Verdicts {
    /// Not yet judged.
    async fn awaited(&self) -> u64 {
        self.0.awaited
    }

    /// Counted.
    async fn confirmed(&self) -> u64 {
        self.0.confirmed
    }

    /// Not counted.
    async fn refused(&self) -> u64 {
        self.0.refused
    }

    /// Asked for in vain.
    async fn unconfirmed(&self) -> u64 {
        self.0.unconfirmed
    }
}

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

    /// How the platform judged later what it had taken; nothing where it has taken nothing that it judges later.
    async fn verdicts(&self) -> Option<Verdicts> {
        Some(Verdicts(self.0.verdicts)).filter(|verdicts| !verdicts.0.is_empty())
    }

    /// When it last delivered.
    async fn last_delivered_at(&self) -> Option<DateTime> {
        time(self.0.last_delivered_at)
    }
}
