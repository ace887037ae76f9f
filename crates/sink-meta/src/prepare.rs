//! From an event to one item of `data`, or to the reason why there is none.

mod custom;
mod user;

use conversion_core::event::CanonicalEvent;
use conversion_core::page::without_personal_data;
use conversion_core::sink::{ConversionSink as _, NotSent, Payload, Subject};
use conversion_core::skip::Skip;
use serde_json::value::to_raw_value;

pub(crate) use user::recipes;

use crate::config::PURCHASE;
use crate::wire::{CustomData, DataProcessing, Event, User};
use crate::{DESCRIPTOR, Meta};

/// What was left out or changed, by stable name.
type Notes = Vec<&'static str>;

/// An event with a page and a browser is a visit to a website; without a browser Meta takes it for no such
/// (platforms/meta.md, section 2).
const WEBSITE: &str = "website";

impl Meta {
    pub(crate) fn payload(&self, subject: &Subject<'_>) -> Result<Payload, NotSent> {
        let event = subject.event;
        if let Some(sentence) = &self.missing {
            return Err(Skip::missing_credentials(sentence.as_str()).into());
        }
        let Some(name) = self.config.meta_event(&event.event_name) else {
            return Err(Skip::no_event_mapping(DESCRIPTOR.title, &event.event_name).into());
        };
        subject.screen()?;
        let mut notes = Notes::new();
        let user = user::read(&self.recipes, subject, &mut notes);
        require_identifiers(&user)?;
        let custom_data = custom::read(event, &mut notes);
        if name == PURCHASE && custom_data.worth.is_none() {
            return Err(Skip::of(PURCHASE_WITHOUT_VALUE, &[]).into());
        }
        let item = self.item(event, name, user, custom_data, &mut notes);
        Ok(Payload {
            item: to_raw_value(&item).map_err(|error| Skip::unserialisable(&error))?,
            // All that lives on the request is a setting of the sink: its payloads go with one another.
            group: "events".into(),
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
        user_data: User<'a>,
        custom_data: CustomData<'a>,
        notes: &mut Notes,
    ) -> Event<'a> {
        let page = given(event.page_url.as_deref());
        let is_visit = page.is_some() && user_data.client_user_agent.is_some();
        Event {
            event_name: name,
            event_time: event.event_time.as_second(),
            event_id: event.conversion_id(),
            action_source: if is_visit { WEBSITE } else { self.config.action_source.name() },
            event_source_url: page.map(|url| without_personal_data(url, event)),
            processing: self.processing(event, &user_data, notes),
            user_data,
            custom_data,
        }
    }

    /// What the event says of limited data use goes before the setting.
    fn processing(
        &self,
        event: &CanonicalEvent,
        user: &User<'_>,
        notes: &mut Notes,
    ) -> Option<DataProcessing> {
        match event.limited_data_use {
            Some(false) => Some(DataProcessing::UNRESTRICTED),
            None if !self.config.limited_data_use => None,
            Some(true) | None => {
                // Meta finds the country by the address (section 6).
                if user.client_ip_address.is_none() {
                    notes.push("limited_data_use_without_ip");
                }
                Some(DataProcessing::LIMITED)
            }
        }
    }
}

/// Names, place and browser alone are too broad: Meta refuses them (platforms/meta.md, section 3).
fn require_identifiers(user: &User<'_>) -> Result<(), Skip> {
    let is_known = user.em.is_some() || user.ph.is_some() || user.external_id.is_some();
    let has_clicked = user.fbc.is_some() || user.fbp.is_some();
    let has_device = user.client_ip_address.is_some() && user.client_user_agent.is_some();
    if is_known || has_clicked || has_device {
        return Ok(());
    }
    Err(Skip::no_identifiers("fbc/fbp, user identifiers (email/phone/externalId), and IP with user agent"))
}

/// Blank is absent.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

conversion_core::reasons! {
    const PURCHASE_WITHOUT_VALUE: "purchase_without_value" of [Skipped] =
        "Meta takes a Purchase only with value and currency, and the event has not both";
    Sender: "report value and currency with it, or map it to another event than Purchase";
}
