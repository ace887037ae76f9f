//! Appointments.

use async_graphql::{ID, Object};
use conversion_core::attribution::Attribution;
use conversion_store::AppointmentRecord;
use serde_json::{Map, Value};

use super::event::{CanonicalEvent, ClickId};
use super::scalar::{DateTime, time};

/// An appointment, from its booking system or from events that name it.
pub(super) struct Appointment {
    record: AppointmentRecord,
    details: Map<String, Value>,
    attribution: Option<Attribution>,
    /// Oldest first.
    pub(super) events: Vec<CanonicalEvent>,
}

impl Appointment {
    pub(super) fn of(record: AppointmentRecord) -> Self {
        let details = record.details.as_deref().and_then(|json| serde_json::from_str(json).ok());
        Self { record, details: details.unwrap_or_default(), attribution: None, events: Vec::new() }
    }

    pub(super) fn key(&self) -> &str {
        &self.record.id
    }

    /// The id that its attribution is kept under, as [`conversion_core::attribution::key`] finds it for events.
    pub(super) fn attribution_key(&self) -> Option<String> {
        self.text("attributionId").or_else(|| self.text("externalId"))
    }

    /// Takes its own out of many.
    pub(super) fn attribute(&mut self, attributions: &[Attribution]) {
        let key = self.attribution_key();
        self.attribution = attributions.iter().find(|found| Some(&found.id) == key.as_ref()).cloned();
    }

    fn text(&self, name: &str) -> Option<String> {
        self.details.get(name)?.as_str().map(str::to_owned)
    }

    /// Its own click ids, and those of its attribution that it lacks.
    fn click_id(&self, name: &str) -> Option<String> {
        let own = self.details.get("clickIds").and_then(|ids| ids.get(name)?.as_str().map(str::to_owned));
        own.or_else(|| Some(self.attribution.as_ref()?.clicks.get(name)?.value.clone()))
    }
}

/// An appointment, from its booking system or from events that name it.
#[Object]
impl Appointment {
    /// Its id at its booking system; the `appointmentId` of its events.
    async fn id(&self) -> ID {
        ID::from(&self.record.id)
    }

    /// What `after` takes to go on behind it.
    async fn cursor(&self) -> String {
        self.record.seq.to_string()
    }

    /// Name of the source that tells of it; null where only events name it.
    async fn source(&self) -> Option<&str> {
        self.record.source.as_deref()
    }

    /// The service that was booked, by the booking system's own id.
    async fn service(&self) -> Option<&str> {
        self.record.known.as_ref().map(|known| known.service.as_str())
    }

    /// When it begins.
    async fn starts_at(&self) -> Option<DateTime> {
        time(self.record.known.as_ref().and_then(|known| known.starts_at))
    }

    /// When it was booked.
    async fn booked_at(&self) -> Option<DateTime> {
        time(self.record.booked_at)
    }

    /// Whether it has been cancelled; null where only events name it.
    async fn canceled(&self) -> Option<bool> {
        self.record.known.as_ref().map(|known| known.is_canceled)
    }

    /// The person's e-mail address.
    async fn email(&self) -> Option<String> {
        self.text("email")
    }

    /// The person's phone number.
    async fn phone(&self) -> Option<String> {
        self.text("phone")
    }

    /// The person's first name.
    async fn first_name(&self) -> Option<String> {
        self.text("firstName")
    }

    /// The person's last name.
    async fn last_name(&self) -> Option<String> {
        self.text("lastName")
    }

    /// The id that its attribution is kept under.
    async fn attribution_id(&self) -> Option<String> {
        self.attribution_key()
    }

    /// TikTok's click id, its own or its attribution's.
    async fn ttclid(&self) -> Option<String> {
        self.click_id("ttclid")
    }

    /// Google's click id, its own or its attribution's.
    async fn gclid(&self) -> Option<String> {
        self.click_id("gclid")
    }

    /// All click ids, its own and its attribution's.
    #[graphql(complexity = "4 * (1 + child_complexity)")]
    async fn click_ids(&self) -> Vec<ClickId> {
        let own = self.details.get("clickIds").and_then(Value::as_object).into_iter().flat_map(Map::keys);
        let attributed = self.attribution.iter().flat_map(|attribution| attribution.clicks.keys());
        let mut names: Vec<&String> = own.chain(attributed).collect();
        names.sort_unstable();
        names.dedup();
        let click_id = |name: &String| Some(ClickId { name: name.clone(), value: self.click_id(name)? });
        names.into_iter().filter_map(click_id).collect()
    }

    /// When it was first told of.
    async fn created_at(&self) -> DateTime {
        DateTime(self.record.created_at)
    }

    /// When it was last told of.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.record.updated_at)
    }

    /// The events that were made of it or name it, the first accepted first: at most 50. `events` with its
    /// `appointmentId` goes through all.
    #[graphql(complexity = "4 * (1 + child_complexity)")]
    async fn canonical_events(&self) -> &[CanonicalEvent] {
        &self.events
    }
}
