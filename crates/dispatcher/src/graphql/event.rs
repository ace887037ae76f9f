//! Canonical events.

use std::sync::Arc;

use async_graphql::{ID, Object, SimpleObject};
use conversion_store::EventRecord;

use super::delivery::Delivery;
use super::scalar::DateTime;

/// One business event, as it was accepted.
pub(super) struct CanonicalEvent {
    pub(super) record: EventRecord,
    /// Nothing once retention has removed its content.
    pub(super) event: Option<Arc<conversion_core::CanonicalEvent>>,
    pub(super) deliveries: Vec<Delivery>,
}

/// A click id by the platform's own name for it.
#[derive(SimpleObject)]
pub(super) struct ClickId {
    /// The platform's name for it, such as gclid.
    pub(super) name: String,
    /// The click id.
    pub(super) value: String,
}

impl CanonicalEvent {
    /// The appointment that it names; empty where it names none.
    pub(super) fn appointment(&self) -> &str {
        self.record.appointment.as_deref().unwrap_or_default()
    }

    fn read<T>(&self, read: impl FnOnce(&conversion_core::CanonicalEvent) -> Option<T>) -> Option<T> {
        self.event.as_deref().and_then(read)
    }
}

/// One business event, as it was accepted.
#[Object]
impl CanonicalEvent {
    /// Its number: later accepted, higher.
    async fn id(&self) -> ID {
        ID::from(self.record.seq)
    }

    /// Its id; with its name, its identity.
    async fn event_id(&self) -> &str {
        &self.record.id
    }

    /// What happened.
    async fn name(&self) -> &str {
        &self.record.name
    }

    /// When it happened; null once its content has been removed, as all below that is its content.
    async fn event_time(&self) -> Option<DateTime> {
        self.read(|event| Some(DateTime(event.event_time)))
    }

    /// When it was accepted.
    async fn accepted_at(&self) -> DateTime {
        DateTime(self.record.accepted_at)
    }

    /// The key that platforms dedupe and adjust by.
    async fn conversion_id(&self) -> Option<String> {
        self.read(|event| Some(event.conversion_id().to_owned()))
    }

    /// The appointment that it names.
    async fn appointment_id(&self) -> Option<&str> {
        self.record.appointment.as_deref()
    }

    /// The attribution that it names.
    async fn attribution_id(&self) -> Option<String> {
        self.read(|event| event.attribution_id.clone())
    }

    /// The person's e-mail address, as it was reported.
    async fn email(&self) -> Option<String> {
        self.read(|event| event.email.clone())
    }

    /// Its amount, as decimal text.
    async fn value(&self) -> Option<String> {
        self.read(|event| event.value.map(|value| value.to_string()))
    }

    /// The currency of its amount.
    async fn currency(&self) -> Option<String> {
        self.read(|event| event.currency.map(|currency| currency.code().to_owned()))
    }

    /// Its own click ids.
    #[graphql(complexity = "4 * (1 + child_complexity)")]
    async fn click_ids(&self) -> Vec<ClickId> {
        let all = self.event.iter().flat_map(|event| &event.click_ids);
        all.map(|(name, value)| ClickId { name: name.clone(), value: value.clone() }).collect()
    }

    /// Names of the sinks that it was routed to.
    async fn routed(&self) -> &[String] {
        &self.record.routed
    }

    /// What became of it at each sink.
    #[graphql(complexity = "4 * (1 + child_complexity)")]
    async fn deliveries(&self) -> &[Delivery] {
        &self.deliveries
    }
}
