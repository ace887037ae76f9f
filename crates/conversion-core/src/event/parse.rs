//! From JSON to an event: every field read once, every mistake named.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::error::{EventError, FieldError};
use super::field::{MAX_ID, MAX_WORD, Members, Reader};
use super::{Address, CanonicalEvent, Content, MAX_AHEAD, MAX_PROPERTIES, MAX_TEXT, Property};

/// Longest name of an event, in characters.
pub const MAX_EVENT_NAME: usize = 64;
/// Longest text that says who or what something is, in characters: an e-mail address has 320.
pub const MAX_IDENTIFIER: usize = 320;
/// Most lines of an order.
pub const MAX_CONTENTS: usize = 200;

/// The field names of an event beside the click ids, in the order of the reference.
const FIELDS: [&str; 29] = [
    "eventId",
    "eventName",
    "eventTime",
    "conversionId",
    "email",
    "phone",
    "externalId",
    "firstName",
    "lastName",
    "address",
    "ip",
    "userAgent",
    "locale",
    "clickIds",
    "pageUrl",
    "pageReferrer",
    "value",
    "currency",
    "orderId",
    "contentType",
    "contents",
    "searchString",
    "description",
    "leadId",
    "limitedDataUse",
    "consent",
    "appointmentId",
    "attributionId",
    "properties",
];

/// The names that an event may use at top level: the fields, and the click ids that linked sinks declare.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    click_ids: Vec<&'static str>,
}

impl Vocabulary {
    /// With these click ids known.
    pub fn new(click_ids: impl IntoIterator<Item = &'static str>) -> Self {
        Self { click_ids: click_ids.into_iter().collect() }
    }

    /// The click ids that linked sinks declare.
    pub fn click_ids(&self) -> &[&'static str] {
        &self.click_ids
    }

    /// Every name that may stand at top level.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        FIELDS.iter().chain(&self.click_ids).copied()
    }
}

impl CanonicalEvent {
    /// Reads one event. Every field is checked; all mistakes are reported at once.
    pub fn parse(json: &str, vocabulary: &Vocabulary, now: Timestamp) -> Result<Self, EventError> {
        let Members(members) = Members::read("an", "event", json).map_err(refused)?;
        let mut draft = Draft::new(vocabulary);
        for (key, raw) in draft.reader.distinct("", members) {
            draft.read(&key, raw);
        }
        draft.finish(now)
    }

    /// Says `text` in `field`, which is a field of text or else a click id's name, if an event may say it there; what
    /// it may not is left out. For entrances whose senders cannot mend their mistakes.
    pub fn offer(&mut self, field: &str, text: &str) {
        let (name, value) = match FIELDS.iter().find(|name| **name == field) {
            Some(name) => (*name, serde_json::value::to_raw_value(text)),
            None => ("clickIds", serde_json::value::to_raw_value(&BTreeMap::from([(field, text)]))),
        };
        // A text and a map of texts are always written.
        let Ok(value) = value else { return };
        let vocabulary = Vocabulary::new([]);
        let mut draft = Draft::new(&vocabulary);
        std::mem::swap(&mut draft.event, self);
        draft.read_known(name, &value);
        *self = draft.event;
    }
}

fn refused(error: FieldError) -> EventError {
    EventError::new(None, None, vec![error])
}

/// An event while it is read.
struct Draft<'v> {
    vocabulary: &'v Vocabulary,
    reader: Reader,
    event: CanonicalEvent,
    time: Option<Timestamp>,
}

impl<'v> Draft<'v> {
    fn new(vocabulary: &'v Vocabulary) -> Self {
        let event = CanonicalEvent::new(String::new(), String::new(), Timestamp::UNIX_EPOCH);
        Self { vocabulary, reader: Reader::default(), event, time: None }
    }

    fn read(&mut self, key: &str, raw: &RawValue) {
        let Some(name) = self.vocabulary.names().find(|name| *name == key) else {
            let names: Vec<&str> = self.vocabulary.names().collect();
            return self.unknown(key, key, &names);
        };
        self.read_known(name, raw);
    }

    fn read_known(&mut self, key: &'static str, raw: &RawValue) {
        let Self { reader, event, .. } = self;
        match key {
            "eventId" => event.event_id = reader.id(key, raw).unwrap_or_default(),
            "eventName" => event.event_name = event_name(reader, raw).unwrap_or_default(),
            "eventTime" => self.time = reader.time(key, raw),
            "conversionId" => event.conversion_id = reader.id(key, raw),
            "email" => event.email = reader.text(key, MAX_IDENTIFIER, raw),
            "phone" => event.phone = reader.text(key, MAX_WORD, raw),
            "externalId" => event.external_id = reader.text(key, MAX_IDENTIFIER, raw),
            "firstName" => event.first_name = reader.text(key, MAX_IDENTIFIER, raw),
            "lastName" => event.last_name = reader.text(key, MAX_IDENTIFIER, raw),
            "address" => self.read_address(raw),
            "ip" => event.ip = reader.ip(key, raw),
            "userAgent" => event.user_agent = reader.text(key, MAX_TEXT, raw),
            "locale" => event.locale = reader.text(key, MAX_WORD, raw),
            "clickIds" => reader.click_ids(raw, &mut event.click_ids),
            "pageUrl" => event.page_url = reader.url(key, raw),
            "pageReferrer" => event.page_referrer = reader.url(key, raw),
            "value" => event.value = reader.amount(key, raw),
            "currency" => event.currency = reader.currency(key, raw),
            "orderId" => event.order_id = reader.id(key, raw),
            "contentType" => event.content_type = reader.text(key, MAX_WORD, raw),
            "contents" => self.read_contents(raw),
            "searchString" => event.search_string = reader.text(key, MAX_TEXT, raw),
            "description" => event.description = reader.text(key, MAX_TEXT, raw),
            "leadId" => event.lead_id = reader.text(key, MAX_IDENTIFIER, raw),
            "limitedDataUse" => event.limited_data_use = reader.flag(key, raw),
            "consent" => event.consent = reader.consent(raw),
            "appointmentId" => event.appointment_id = reader.id(key, raw),
            "attributionId" => event.attribution_id = reader.id(key, raw),
            "properties" => self.read_properties(raw),
            click_id => reader.click_id(click_id, click_id, raw, &mut event.click_ids),
        }
    }

    fn read_address(&mut self, raw: &RawValue) {
        const PARTS: [&str; 5] = ["street", "city", "region", "postalCode", "country"];
        let mut address = Address::default();
        for (key, raw) in self.reader.object("address", raw) {
            let path = format!("address.{key}");
            let slot = match &*key {
                "street" => &mut address.street,
                "city" => &mut address.city,
                "region" => &mut address.region,
                "postalCode" => &mut address.postal_code,
                "country" => &mut address.country,
                _ => {
                    self.unknown(&path, &key, &PARTS);
                    continue;
                }
            };
            *slot = self.reader.text(&path, MAX_IDENTIFIER, raw);
        }
        if address.country.as_deref().is_some_and(|code| code.len() != 2 || !code.is_ascii()) {
            let message = "must be a two-letter country code of ISO 3166-1, such as US";
            self.reader.errors.push(FieldError::new("address.country", message));
        }
        self.event.address = address;
    }

    fn read_contents(&mut self, raw: &RawValue) {
        const PARTS: [&str; 6] = ["id", "name", "category", "brand", "price", "quantity"];
        for (index, raw) in self.reader.array("contents", MAX_CONTENTS, raw).into_iter().enumerate() {
            let mut content = Content::default();
            for (key, raw) in self.reader.object(&format!("contents[{index}]"), raw) {
                let path = format!("contents[{index}].{key}");
                match &*key {
                    "id" => content.id = self.reader.text(&path, MAX_IDENTIFIER, raw),
                    "name" => content.name = self.reader.text(&path, MAX_IDENTIFIER, raw),
                    "category" => content.category = self.reader.text(&path, MAX_IDENTIFIER, raw),
                    "brand" => content.brand = self.reader.text(&path, MAX_IDENTIFIER, raw),
                    "price" => content.price = self.reader.amount(&path, raw),
                    "quantity" => content.quantity = self.reader.quantity(&path, raw),
                    _ => self.unknown(&path, &key, &PARTS),
                }
            }
            self.event.contents.push(content);
        }
    }

    fn read_properties(&mut self, raw: &RawValue) {
        let mut properties = BTreeMap::new();
        for (key, raw) in self.reader.object("properties", raw) {
            let path = format!("properties.{key}");
            let is_name =
                !key.is_empty() && key.chars().count() <= MAX_ID && !key.chars().any(char::is_control);
            if !is_name || properties.len() == MAX_PROPERTIES {
                let message = format!(
                    "at most {MAX_PROPERTIES} properties, with names of 1 to {MAX_ID} characters, none of them a control character"
                );
                self.reader.errors.push(FieldError::new("properties", message));
                return;
            }
            let property = match raw.get().as_bytes().first() {
                Some(b'"') => self.reader.text(&path, MAX_TEXT, raw).map(Property::Text),
                Some(b't' | b'f') => self.reader.flag(&path, raw).map(Property::Flag),
                Some(b'{' | b'[') => {
                    self.reader.refuse(&path, "must be a string, a number, or true or false")
                }
                _ => self.reader.amount(&path, raw).map(Property::Number),
            };
            if let Some(property) = property {
                properties.insert(key.into_owned(), property);
            }
        }
        self.event.properties = properties;
    }

    fn unknown(&mut self, path: &str, key: &str, known: &[&str]) {
        self.reader.unknown(path, key, known, "`properties` takes what has no field of its own");
    }

    fn finish(mut self, now: Timestamp) -> Result<CanonicalEvent, EventError> {
        for (field, absent) in [
            ("eventId", self.event.event_id.is_empty()),
            ("eventName", self.event.event_name.is_empty()),
            ("eventTime", self.time.is_none()),
        ] {
            if absent && !self.reader.errors.iter().any(|error| error.field == field) {
                self.reader.errors.push(FieldError::new(field, "is required"));
            }
        }
        if let Some(time) = self.time {
            self.event.event_time = time;
            if time.duration_since(now) > jiff::SignedDuration::try_from(MAX_AHEAD).unwrap_or_default() {
                self.reader.errors.push(FieldError::new("eventTime", "lies more than 24 hours ahead"));
            }
        }
        if self.reader.errors.is_empty() {
            return Ok(self.event);
        }
        let known = |text: String| (!text.is_empty()).then_some(text);
        let (event_id, event_name) = (known(self.event.event_id), known(self.event.event_name));
        Err(EventError::new(event_id, event_name, self.reader.errors))
    }
}

/// Event names are open, within what variables and TOML keys can hold.
fn event_name(reader: &mut Reader, raw: &RawValue) -> Option<String> {
    let name = reader.text("eventName", MAX_EVENT_NAME, raw)?;
    if name.contains(['=', ',', '@']) {
        return reader.refuse("eventName", "must not hold `=`, `,` or `@`");
    }
    Some(name)
}
