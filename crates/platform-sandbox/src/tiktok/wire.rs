//! The request body, as far as TikTok checks it. Unknown keys are let through: they are ignored, not refused. What
//! nobody looks at is here for its JSON type.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::field::Field;

/// What all events of a request share, and the events.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TrackRequest {
    pub(super) event_source: Field<String>,
    pub(super) event_source_id: Field<String>,
    pub(super) data: Vec<Event>,
    pub(super) test_event_code: Field<String>,
    pub(super) partner_name: Field<String>,
}

/// One event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    pub(super) event: Field<String>,
    pub(super) event_time: Field<i64>,
    pub(super) event_id: Field<String>,
    pub(super) user: Field<User>,
    pub(super) properties: Field<Properties>,
    pub(super) page: Field<Page>,
    pub(super) app: Field<App>,
    pub(super) lead: Field<Lead>,
    pub(super) test_event_code: Option<IgnoredAny>,
    ad: Field<Ad>,
    limited_data_use: Field<bool>,
}

/// Who did it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct User {
    pub(super) email: Field<OneOrMany>,
    pub(super) phone: Field<OneOrMany>,
    pub(super) external_id: Field<OneOrMany>,
    pub(super) first_name: Field<String>,
    pub(super) last_name: Field<String>,
    pub(super) zip_code: Field<String>,
    pub(super) ttclid: Field<String>,
    pub(super) ttp: Field<String>,
    pub(super) ip: Field<String>,
    pub(super) user_agent: Field<String>,
    pub(super) locale: Field<String>,
    pub(super) city: Field<String>,
    pub(super) state: Field<String>,
    pub(super) country: Field<String>,
    pub(super) idfa: Field<String>,
    pub(super) idfv: Field<String>,
    pub(super) gaid: Field<String>,
    pub(super) att_status: Field<String>,
}

/// Where a field takes one value or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a string")]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn values(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// What it was about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Properties {
    pub(super) currency: Field<String>,
    pub(super) content_type: Field<String>,
    pub(super) delivery_category: Field<String>,
    pub(super) contents: Field<Vec<Content>>,
    content_ids: Field<Vec<String>>,
    value: Field<f64>,
    num_items: Field<i64>,
    order_id: Field<String>,
    shop_id: Field<String>,
    search_string: Field<String>,
    description: Field<String>,
    query: Field<String>,
    status: Field<String>,
    predicted_ltv: Field<f64>,
}

/// One thing bought or looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Content {
    content_id: Field<String>,
    content_name: Field<String>,
    content_category: Field<String>,
    brand: Field<String>,
    price: Field<f64>,
    quantity: Field<i64>,
}

/// The page it happened on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Page {
    pub(super) url: Field<String>,
    pub(super) referrer: Field<String>,
}

/// The app it happened in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct App {
    pub(super) app_id: Field<String>,
    app_name: Field<String>,
    app_version: Field<String>,
}

/// The lead it belongs to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Lead {
    pub(super) lead_id: Field<String>,
    lead_event_source: Field<String>,
}

/// The ad it is ascribed to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ad {
    callback: Field<String>,
    campaign_id: Field<String>,
    ad_id: Field<String>,
    creative_id: Field<String>,
    is_retargeting: Field<bool>,
    attributed: Field<bool>,
    attribution_type: Field<String>,
    attribution_provider: Field<String>,
}
