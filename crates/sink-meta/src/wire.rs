//! The request as Meta reads it. Absent fields are left out.

use std::borrow::Cow;
use std::net::IpAddr;

use conversion_core::event::Property;
use conversion_core::identity::Digest;
use conversion_core::money::{Amount, Currency};
use serde::{Serialize, Serializer};

/// The body up to the first item.
pub(crate) const HEAD: &str = r#"{"data":["#;

/// The body after the last item.
pub(crate) fn tail(test_event_code: Option<&str>) -> String {
    match test_event_code {
        Some(code) => format!(r#"],"test_event_code":{}}}"#, serde_json::Value::from(code)),
        None => "]}".to_owned(),
    }
}

/// One item of `data`.
#[derive(Serialize)]
pub(crate) struct Event<'a> {
    pub(crate) event_name: &'a str,
    pub(crate) event_time: i64,
    pub(crate) event_id: &'a str,
    pub(crate) action_source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_source_url: Option<Cow<'a, str>>,
    pub(crate) user_data: User<'a>,
    #[serde(skip_serializing_if = "CustomData::is_empty")]
    pub(crate) custom_data: CustomData<'a>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) processing: Option<DataProcessing>,
}

/// `user_data`: hashed keys are arrays.
#[derive(Default, Serialize)]
pub(crate) struct User<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) em: Option<[Digest; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ph: Option<[Digest; 1]>,
    #[serde(rename = "fn", skip_serializing_if = "Option::is_none")]
    pub(crate) first_name: Option<[Digest; 1]>,
    #[serde(rename = "ln", skip_serializing_if = "Option::is_none")]
    pub(crate) last_name: Option<[Digest; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ct: Option<[Digest; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) st: Option<[Digest; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) zp: Option<[Digest; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<[Digest; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_id: Option<[Digest; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_ip_address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_user_agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fbc: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fbp: Option<&'a str>,
}

/// `data_processing_options` (platforms/meta.md, section 6).
#[derive(Clone, Copy, Serialize)]
pub(crate) struct DataProcessing {
    data_processing_options: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    data_processing_options_country: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_processing_options_state: Option<u8>,
}

impl DataProcessing {
    /// Limited data use, where Meta finds out country and state by the IP address.
    pub(crate) const LIMITED: Self = Self {
        data_processing_options: &["LDU"],
        data_processing_options_country: Some(0),
        data_processing_options_state: Some(0),
    };
    /// No restriction, said in so many words.
    pub(crate) const UNRESTRICTED: Self = Self {
        data_processing_options: &[],
        data_processing_options_country: None,
        data_processing_options_state: None,
    };
}

/// `custom_data`: what the event is worth and what it is about.
#[derive(Default, PartialEq, Serialize)]
pub(crate) struct CustomData<'a> {
    #[serde(flatten)]
    pub(crate) worth: Option<Worth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_name: Option<&'a str>,
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
    #[serde(flatten, serialize_with = "members")]
    pub(crate) more: Vec<(&'a str, &'a Property)>,
}

/// A value with its currency: one goes with the other or not at all.
#[derive(Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Worth {
    pub(crate) value: Amount,
    pub(crate) currency: Currency,
}

/// One line of an order.
#[derive(PartialEq, Serialize)]
pub(crate) struct Content<'a> {
    pub(crate) id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quantity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) item_price: Option<Amount>,
}

impl CustomData<'_> {
    /// The members that fields of the event give.
    pub(crate) const NAMES: [&'static str; 8] = [
        "value",
        "currency",
        "content_name",
        "content_type",
        "content_ids",
        "contents",
        "order_id",
        "search_string",
    ];

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn members<S: Serializer>(more: &[(&str, &Property)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(more.iter().copied())
}
