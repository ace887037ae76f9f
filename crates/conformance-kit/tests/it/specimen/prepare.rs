//! From an event to an item.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use conversion_core::dedup::DedupTarget;
use conversion_core::event::Property;
use conversion_core::exchange::{Body, Header, HeaderValue, Request};
use conversion_core::identity::{CallingCode, Digest, PhoneForm, Recipe, Source, Step};
use conversion_core::page::without_personal_data;
use conversion_core::sink::{NotSent, Payload, Subject};
use conversion_core::skip::Skip;
use conversion_core::{CanonicalEvent, Timestamp};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::{Acme, Defect};

conversion_core::reasons! {
    const NO_VALUE: "no_value" of [Skipped] = "No value";
    Sender: "send a value";
}

pub(super) fn recipes() -> [Recipe; 2] {
    let recipe =
        |source, target, steps| Recipe { source, target, steps, hashed: true, documented: "made up" };
    [
        recipe(Source::Email, "email", vec![Step::Trim, Step::Lowercase]),
        recipe(Source::Phone, "phone", vec![Step::E164(CallingCode::NANP, PhoneForm::Plus)]),
    ]
}

impl Acme {
    pub(super) fn payload(&self, subject: &Subject<'_>, now: Timestamp) -> Result<Payload, NotSent> {
        let event = subject.event;
        self.misbehave(event);
        if self.has(Defect::IdentifiersFirst) && self.user(event).is_empty() {
            return Err(nobody());
        }
        if let Some(sentence) = self.missing.as_ref().filter(|_| !self.has(Defect::MissingCredentialsSent)) {
            return Err(Skip::missing_credentials(sentence).into());
        }
        if self.has(Defect::ScreenFirst) {
            subject.screen()?;
        }
        let target = self.config.events.get(&event.event_name);
        let target = match target {
            None if self.has(Defect::UnmappedSent) => &event.event_name,
            None => return Err(Skip::no_event_mapping("Specimen", &event.event_name).into()),
            Some(target) => target,
        };
        if !self.has(Defect::ScreenIgnored) {
            subject.screen()?;
        }
        let user = self.user(event);
        if user.is_empty() && !self.has(Defect::NobodySent) {
            return Err(nobody());
        }
        if event.value.is_none() && self.has(Defect::ValueWanted) {
            return Err(Skip::of(NO_VALUE, &[]).into());
        }
        if self.has(Defect::BookingSkipped) {
            return Err(Skip::already_counted("TRIAL_BOOKED").into());
        }
        Ok(Payload {
            item: self.item(event, target, &user),
            group: "items".into(),
            exclusive: Vec::new(),
            dedup_key: self.dedup_key(subject, target, now),
            notes: Vec::new(),
            not_yet_until: None,
            takes_back: false,
        })
    }

    /// What no return value shows.
    fn misbehave(&self, event: &CanonicalEvent) {
        if self.has(Defect::PersonLogged) {
            tracing::debug!(email = event.email, "preparing");
        }
        if self.has(Defect::SecretLogged) {
            tracing::trace!("with {}", self.config.exposed());
        }
        if self.has(Defect::Panics)
            && let Some(email) = &event.email
        {
            assert!(email.contains('@'), "no address");
        }
    }

    fn item(&self, event: &CanonicalEvent, target: &str, user: &Map<String, Value>) -> Box<RawValue> {
        let id = if self.has(Defect::OwnIdSent) { &event.event_id } else { event.conversion_id() };
        let page = event.page_url.as_deref().map(|url| match self.has(Defect::AddressRaw) {
            true => url.to_owned(),
            false => without_personal_data(url, event).into_owned(),
        });
        let mut item = json!({"id": id, "event": target, "at": event.event_time.as_second(), "user": user});
        let fields = [("page", page.map(Value::from)), ("value", event.value.map(|value| json!(value)))];
        for (name, value) in fields {
            if let Some(value) = value {
                item[name] = value;
            }
        }
        if self.has(Defect::Counting) {
            item["count"] = json!(self.prepared.fetch_add(1, Ordering::Relaxed));
        }
        if self.has(Defect::FieldAdded) {
            item["new"] = json!(true);
        }
        let mut json = item.to_string();
        if self.has(Defect::NamesTwice) {
            let more = serde_json::to_string(&self.properties(event)).unwrap();
            json = format!(
                "{},\"value\":1,{}",
                json.trim_end_matches('}').to_owned() + "}",
                more.trim_start_matches('{')
            );
        }
        RawValue::from_string(json).unwrap_or_else(|_| to_raw_value(&item).unwrap())
    }

    fn properties<'a>(&self, event: &'a CanonicalEvent) -> BTreeMap<&'a str, &'a Property> {
        event.properties.iter().map(|(name, value)| (name.as_str(), value)).collect()
    }

    fn user(&self, event: &CanonicalEvent) -> Map<String, Value> {
        let mut user = Map::new();
        for recipe in &self.recipes {
            if let Some(digest) = recipe.digest(event) {
                user.insert(recipe.target.to_owned(), digest.as_str().into());
            }
        }
        if let Some(click) = event.click_id("gclid").filter(|click| !click.trim().is_empty()) {
            user.insert("click".to_owned(), click.into());
        }
        if self.config.names
            && !user.is_empty()
            && let Some(name) = &event.first_name
        {
            user.insert("name".to_owned(), Digest::of(&name.to_lowercase()).as_str().into());
        }
        if let Some(email) = event.email.as_ref().filter(|_| self.has(Defect::EmailRaw)) {
            user.insert("contact".to_owned(), email.trim().into());
        }
        user
    }

    pub(super) fn target(&self, target: &str) -> DedupTarget {
        DedupTarget::new(&[self.config.account(), target])
    }

    fn dedup_key(&self, subject: &Subject<'_>, target: &str, now: Timestamp) -> Option<String> {
        let event = subject.event;
        let id = event.conversion_id();
        let account = self.config.account();
        match self.config.defect {
            Defect::KeyMissing => None,
            Defect::KeyOfName => Some(format!("{account}|{}|{id}", event.event_name)),
            Defect::KeyOfTime => Some(format!("{account}|{target}|{id}|{now}")),
            Defect::KeyOfAll => Some(format!("{account}|{target}")),
            _ => Some(self.target(target).key(id)),
        }
    }

    pub(super) fn request(&self, payloads: &[&Payload]) -> Request {
        let key = self.config.secret_key.clone();
        let authorization = match (&self.config.token_url, key) {
            (Some(_), _) => HeaderValue::AccessToken,
            (None, Some(key)) if !self.has(Defect::SecretRecorded) => HeaderValue::Secret(key),
            (None, key) => {
                HeaderValue::Plain(key.map(|key| key.expose().to_owned()).unwrap_or_default().into())
            }
        };
        let test = self.config.test && !self.has(Defect::TestModeUnseen);
        let url = &self.config.base_url;
        Request {
            url: format!("{url}/items"),
            headers: vec![Header::json(), Header { name: "authorization", value: authorization }],
            body: self.body(payloads, if test { r#"],"test":true}"# } else { "]}" }),
        }
    }

    fn body(&self, payloads: &[&Payload], tail: &str) -> Body {
        let items = payloads.iter().map(|payload| &*payload.item);
        let body = Body::compose(r#"{"items":["#, items, tail);
        let whole = 0..body.json().len();
        match self.config.defect {
            Defect::ItemsUnmarked => Body::from_recorded(body.json().to_owned(), vec![whole; payloads.len()]),
            Defect::ItemRewritten => {
                let spaced = payloads.iter().map(|payload| payload.item.get().replace(':', ": "));
                let spaced: Vec<Box<RawValue>> =
                    spaced.filter_map(|json| RawValue::from_string(json).ok()).collect();
                Body::compose(r#"{"items":["#, spaced.iter().map(AsRef::as_ref), tail)
            }
            _ => body,
        }
    }
}

fn nobody() -> NotSent {
    Skip::no_identifiers("gclid and user identifiers (email/phone)").into()
}
