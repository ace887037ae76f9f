//! The request as TikTok reads it. Absent fields are left out: TikTok takes neither `null` nor `""` for absent.

use std::borrow::Cow;
use std::net::IpAddr;

use conversion_core::event::Property;
use conversion_core::identity::Digest;
use conversion_core::money::{Amount, Currency};
use serde::{Serialize, Serializer};

use crate::config::Config;

/// The fields of the request that stand before `data`.
#[derive(Serialize)]
struct Head<'a> {
    event_source: &'static str,
    event_source_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    partner_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_event_code: Option<&'a str>,
}

/// The body up to the first item.
pub(crate) fn head(config: &Config) -> String {
    let head = Head {
        event_source: config.event_source.name(),
        event_source_id: config.pixel_id.as_deref().unwrap_or_default(),
        partner_name: config.partner_name.as_deref(),
        test_event_code: config.test_event_code.as_deref(),
    };
    // Four texts: serialising cannot fail.
    let mut json = serde_json::to_string(&head).unwrap_or_default();
    json.pop();
    json.push_str(r#","data":["#);
    json
}

/// The body after the last item.
pub(crate) const TAIL: &str = "]}";

/// One item of `data`.
#[derive(Serialize)]
pub(crate) struct Event<'a> {
    pub(crate) event: &'a str,
    pub(crate) event_time: i64,
    pub(crate) event_id: &'a str,
    #[serde(skip_serializing_if = "User::is_empty")]
    pub(crate) user: User<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) page: Option<Page<'a>>,
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub(crate) properties: Properties<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app: Option<App<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lead: Option<Lead<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limited_data_use: Option<bool>,
}

/// Whom the event is about.
#[derive(Default, PartialEq, Serialize)]
pub(crate) struct User<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttclid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttp: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<Digest>,
    #[serde(skip_serializing_if = "Digests::is_empty")]
    pub(crate) phone: Digests,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_id: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) locale: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_name: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_name: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) zip_code: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) city: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<Cow<'a, str>>,
}

impl User<'_> {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Distinct digests: one is written as a string, several as an array.
#[derive(Default, PartialEq)]
pub(crate) struct Digests(Vec<Digest>);

impl Digests {
    pub(crate) fn add(&mut self, digest: Digest) {
        if !self.0.contains(&digest) {
            self.0.push(digest);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Digests {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

/// Where a web event happened.
#[derive(Serialize)]
pub(crate) struct Page<'a> {
    pub(crate) url: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) referrer: Option<Cow<'a, str>>,
}

/// What the event is worth and what it is about.
#[derive(Default, PartialEq, Serialize)]
pub(crate) struct Properties<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<Currency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) content_ids: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) contents: Vec<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) search_string: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<&'a str>,
    /// The event's own `properties`.
    #[serde(flatten, serialize_with = "as_map")]
    pub(crate) more: Vec<(&'a str, &'a Property)>,
}

impl Properties<'_> {
    /// Names that have a field above: the event's own `properties` must not repeat them.
    pub(crate) const NAMES: [&'static str; 8] = [
        "value",
        "currency",
        "content_type",
        "content_ids",
        "contents",
        "order_id",
        "search_string",
        "description",
    ];

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn as_map<S: Serializer>(pairs: &[(&str, &Property)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().copied())
}

/// One line of an order.
#[derive(Default, PartialEq, Serialize)]
pub(crate) struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_category: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) brand: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) price: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quantity: Option<u32>,
}

impl Content<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The app of an app event.
#[derive(Serialize)]
pub(crate) struct App<'a> {
    pub(crate) app_id: &'a str,
}

/// The lead of a CRM event.
#[derive(Serialize)]
pub(crate) struct Lead<'a> {
    pub(crate) lead_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lead_event_source: Option<&'a str>,
}
