//! From an event to one item of `data`, or to the reason why there is none.

mod properties;
mod user;

use conversion_core::Timestamp;
use conversion_core::event::CanonicalEvent;
use conversion_core::page::without_personal_data;
use conversion_core::sink::{ConversionSink as _, NotSent, Order, Payload, Related, RelatedState, Subject};
use conversion_core::skip::Skip;
use serde_json::value::to_raw_value;

pub(crate) use user::recipes;

use crate::config::{EventSource, Reschedules};
use crate::wire::{App, Event, Lead, Page, User};
use crate::{DESCRIPTOR, TikTok};

/// The longest attribution window ends after 28 days (platforms/tiktok.md, section 7): TikTok may take an older event,
/// but can make nothing of it.
const ATTRIBUTED_SECONDS: i64 = 28 * 24 * 3600;

/// What was left out or changed, by stable name.
type Notes = Vec<&'static str>;

impl TikTok {
    pub(crate) fn payload(&self, subject: &Subject<'_>, now: Timestamp) -> Result<Payload, NotSent> {
        let event = subject.event;
        if let Some(sentence) = &self.missing {
            return Err(Skip::missing_credentials(sentence.as_str()).into());
        }
        let Some(name) = self.config.tiktok_event(&event.event_name) else {
            return Err(Skip::no_event_mapping(DESCRIPTOR.title, &event.event_name).into());
        };
        subject.screen()?;
        let mut notes = Notes::new();
        let user = user::read(self.config.event_source, &self.recipes, event, &mut notes);
        self.require_identifiers(&user, event)?;
        self.respect_related(subject.related, name)?;
        if now.as_second().saturating_sub(event.event_time.as_second()) > ATTRIBUTED_SECONDS {
            notes.push("event_older_than_28_days");
        }
        let item = self.item(event, name, user, &mut notes);
        Ok(Payload {
            item: to_raw_value(&item).map_err(|error| Skip::unserialisable(&error))?,
            // All that lives on the request is a setting of the sink: its payloads go with one another.
            group: "event_track".into(),
            exclusive: Vec::new(),
            dedup_key: self.dedup_target(&event.event_name).map(|target| target.key(event.conversion_id())),
            notes,
            not_yet_until: None,
            takes_back: false,
        })
    }

    fn item<'a>(
        &'a self,
        event: &'a CanonicalEvent,
        name: &'a str,
        user: User<'a>,
        notes: &mut Notes,
    ) -> Event<'a> {
        let source = self.config.event_source;
        Event {
            event: name,
            event_time: event.event_time.as_second(),
            event_id: event.conversion_id(),
            user,
            page: self.page(event).filter(|_| source == EventSource::Web),
            properties: properties::read(event, notes),
            app: self.app().filter(|_| source == EventSource::App),
            lead: self.lead(event).filter(|_| source == EventSource::Crm),
            limited_data_use: event.limited_data_use.filter(|_| source.has_device()),
        }
    }

    /// TikTok documents the address as required, so that a page without one is no page.
    fn page<'a>(&'a self, event: &'a CanonicalEvent) -> Option<Page<'a>> {
        let url = given(event.page_url.as_deref()).or(self.config.default_page_url.as_deref())?;
        let referrer = given(event.page_referrer.as_deref());
        Some(Page {
            url: without_personal_data(url, event),
            referrer: referrer.map(|referrer| without_personal_data(referrer, event)),
        })
    }

    fn app(&self) -> Option<App<'_>> {
        self.config.app_id.as_deref().map(|app_id| App { app_id })
    }

    fn lead<'a>(&'a self, event: &'a CanonicalEvent) -> Option<Lead<'a>> {
        let lead_id = given(event.lead_id.as_deref())?;
        Some(Lead { lead_id, lead_event_source: self.config.crm_name.as_deref() })
    }

    /// `externalId`, address and device alone match nobody.
    fn require_identifiers(&self, user: &User<'_>, event: &CanonicalEvent) -> Result<(), Skip> {
        let knows_person = user.email.is_some() || !user.phone.is_empty();
        let skip = match self.config.event_source {
            EventSource::Web if knows_person || user.ttclid.is_some() || user.ttp.is_some() => return Ok(()),
            EventSource::Offline | EventSource::App if knows_person => return Ok(()),
            EventSource::Crm if given(event.lead_id.as_deref()).is_some() => return Ok(()),
            EventSource::Web => Skip::no_identifiers("ttclid/ttp and user identifiers (email/phone)"),
            EventSource::Offline | EventSource::App => Skip::no_identifiers("user identifiers (email/phone)"),
            EventSource::Crm => Skip::no_identifiers("leadId"),
        };
        Err(skip)
    }

    /// With `reschedules = "once"` a conversion that TikTok has under the same name is not sent again, nor one that an
    /// earlier event is about to bring.
    fn respect_related(&self, related: &[Related], name: &str) -> Result<(), NotSent> {
        if self.config.reschedules != Reschedules::Once {
            return Ok(());
        }
        let is_same = |other: &&Related| self.config.tiktok_event(&other.event_name) == Some(name);
        let same: Vec<&Related> = related.iter().filter(is_same).collect();
        if let Some(told) = same.iter().find(|other| matches!(other.state, RelatedState::Delivered { .. })) {
            return Err(Skip::already_counted(&told.event_name).into());
        }
        let waits = |other: &&Related| {
            other.order == Order::Earlier
                && matches!(other.state, RelatedState::Unsent | RelatedState::Unsettled)
        };
        if same.iter().any(waits) { Err(NotSent::WaitForRelated) } else { Ok(()) }
    }
}

/// Blank is absent.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}
