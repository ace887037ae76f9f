//! The canonical event: one business event as every entrance accepts it. `docs/events.md` is its reference.

pub mod canonical;
mod error;
pub(crate) mod field;
mod parse;
mod part;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub use error::{EventError, FieldError};
pub use field::{MAX_ID, MAX_URL, MAX_WORD};
pub use parse::{MAX_CONTENTS, MAX_EVENT_NAME, MAX_IDENTIFIER, Vocabulary};
pub use part::MAX_CLICK_ID;

use crate::consent::Consent;
use crate::money::{Amount, Currency};
use crate::page::{is_personal, without_personal_data};

/// The earliest time that an event may have: the beginning of the year 2000.
pub const EARLIEST: Timestamp = Timestamp::constant(946_684_800, 0);

/// The furthest an event's time may lie ahead; until then its deliveries wait for it.
pub const MAX_AHEAD: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// Most click ids of one event, visit or appointment.
pub const MAX_CLICK_IDS: usize = 16;

/// Most properties of one event or appointment.
pub const MAX_PROPERTIES: usize = 50;

/// Longest text of a field that holds a sentence or a browser's name, in characters.
pub const MAX_TEXT: usize = 1000;

/// One business event. Its identity is name and id together. Serialised, it is the wire format again, with every
/// click id under `clickIds`.
#[derive(Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    missing_docs,
    reason = "docs/events.md describes each field, and a test holds that page against this list"
)]
pub struct CanonicalEvent {
    pub event_id: String,
    pub event_name: String,
    pub event_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversion_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(skip_serializing_if = "Address::is_empty")]
    pub address: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub click_ids: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_referrer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<Content>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_string: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limited_data_use: Option<bool>,
    #[serde(skip_serializing_if = "Consent::is_empty")]
    pub consent: Consent,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribution_id: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, Property>,
}

/// A postal address. Street is personal data; the rest is sent as each platform documents.
#[derive(Clone, Default, PartialEq, Serialize)]
#[expect(
    missing_docs,
    reason = "docs/events.md describes each field, and a test holds that page against this list"
)]
pub struct Address {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(rename = "postalCode", skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address")
    }
}

impl Address {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One line of an order.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(
    missing_docs,
    reason = "docs/events.md describes each field, and a test holds that page against this list"
)]
pub struct Content {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
}

/// A value of `properties`: what a platform may be given beyond the named fields.
#[derive(Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Property {
    /// Text.
    Text(String),
    /// A non-negative number.
    Number(Amount),
    /// True or false.
    Flag(bool),
}

impl Property {
    /// Whether this is the event's own e-mail, phone or a name of the person. A number may be a phone's.
    pub fn is_personal(&self, event: &CanonicalEvent) -> bool {
        match self {
            Self::Text(text) => is_personal(text, event),
            Self::Number(number) => is_personal(&number.to_string(), event),
            Self::Flag(_) => false,
        }
    }
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Property")
    }
}

impl CanonicalEvent {
    /// An event of `name` with `id` that happened at `time`, and nothing else known about it.
    pub fn new(name: impl Into<String>, id: impl Into<String>, time: Timestamp) -> Self {
        Self {
            event_id: id.into(),
            event_name: name.into(),
            event_time: time,
            conversion_id: None,
            email: None,
            phone: None,
            external_id: None,
            first_name: None,
            last_name: None,
            address: Address::default(),
            ip: None,
            user_agent: None,
            locale: None,
            click_ids: BTreeMap::new(),
            page_url: None,
            page_referrer: None,
            value: None,
            currency: None,
            order_id: None,
            content_type: None,
            contents: Vec::new(),
            search_string: None,
            description: None,
            lead_id: None,
            limited_data_use: None,
            consent: Consent::default(),
            appointment_id: None,
            attribution_id: None,
            properties: BTreeMap::new(),
        }
    }

    /// The key that platforms dedupe and adjust by.
    pub fn conversion_id(&self) -> &str {
        self.conversion_id.as_deref().unwrap_or(&self.event_id)
    }

    /// The click id that a platform calls `name`.
    pub fn click_id(&self, name: &str) -> Option<&str> {
        self.click_ids.get(name).map(String::as_str)
    }

    /// The event without what identifies a person: identifiers, names, address, IP address, user agent, and what
    /// pages' addresses repeat of them. Click ids and the conversion itself stay.
    pub fn without_identifiers(&self) -> Self {
        // Now or never: without the identifiers nobody can tell which parts of an address repeat them.
        let clean = |url: &String| without_personal_data(url, self).into_owned();
        Self {
            page_url: self.page_url.as_ref().map(clean),
            page_referrer: self.page_referrer.as_ref().map(clean),
            email: None,
            phone: None,
            external_id: None,
            first_name: None,
            last_name: None,
            address: Address::default(),
            ip: None,
            user_agent: None,
            lead_id: None,
            search_string: self.search_string.clone().filter(|text| !is_personal(text, self)),
            description: self.description.clone().filter(|text| !is_personal(text, self)),
            properties: self
                .properties
                .clone()
                .into_iter()
                .filter(|(_, value)| !value.is_personal(self))
                .collect(),
            ..self.clone()
        }
    }

    /// The event as stored: its wire format, in one fixed order of fields.
    pub fn to_json(&self) -> String {
        // Every field is a string, a number, a flag or a map with string keys: serialising cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Short digest of a stored event, to tell whether a second one of the same identity has other content.
    pub fn fingerprint(json: &str) -> [u8; 16] {
        let digest: [u8; 32] = Sha256::digest(json.as_bytes()).into();
        let mut short = [0; 16];
        short.copy_from_slice(digest.split_at(16).0);
        short
    }

    #[cfg(test)]
    pub(crate) fn sample() -> Self {
        Self::new("TRIAL_BOOKED", "test-123", Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Debug for CanonicalEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names, ids and times only: the rest is about a person.
        f.debug_struct("CanonicalEvent")
            .field("event_name", &self.event_name)
            .field("event_id", &self.event_id)
            .field("event_time", &self.event_time)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_first_half_of_the_digest() {
        // printf abc | sha256sum
        assert_eq!(hex::encode(CanonicalEvent::fingerprint("abc")), "ba7816bf8f01cfea414140de5dae2223");
    }
}
