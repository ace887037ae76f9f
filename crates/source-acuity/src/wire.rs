//! Acuity's JSON (platforms/acuity.md, sections 5 and 6), of which only what is used is read: never the client's private
//! links, the notes or the location.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

/// An appointment.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Appointment<'a> {
    #[serde(borrow)]
    pub(crate) id: Scalar<'a>,
    #[serde(borrow)]
    pub(crate) first_name: Scalar<'a>,
    #[serde(borrow)]
    pub(crate) last_name: Scalar<'a>,
    #[serde(borrow)]
    pub(crate) phone: Scalar<'a>,
    #[serde(borrow)]
    pub(crate) email: Scalar<'a>,
    #[serde(borrow)]
    pub(crate) datetime: Scalar<'a>,
    #[serde(borrow)]
    pub(crate) datetime_created: Scalar<'a>,
    #[serde(borrow)]
    pub(crate) price: Scalar<'a>,
    #[serde(borrow)]
    pub(crate) price_sold: Scalar<'a>,
    #[serde(borrow)]
    pub(crate) amount_paid: Scalar<'a>,
    #[serde(rename = "appointmentTypeID", borrow)]
    pub(crate) appointment_type: Scalar<'a>,
    #[serde(borrow)]
    pub(crate) canceled: Scalar<'a>,
    #[serde(borrow)]
    pub(crate) scheduled_by: Scalar<'a>,
    #[serde(borrow)]
    forms: Option<&'a RawValue>,
}

impl<'a> Appointment<'a> {
    /// The answers of all intake forms, in order.
    pub(crate) fn answers(&self) -> Vec<Answer<'a>> {
        items::<Form<'a>>(self.forms).into_iter().flat_map(|form| items(form.values)).collect()
    }
}

/// The appointment as Acuity could have written it, with no more than is read of it, and of the answers those to
/// `fields`. What is no appointment becomes `null`.
pub(crate) fn abridged(raw: &RawValue, fields: &BTreeMap<String, String>) -> Box<RawValue> {
    let abridge = || {
        let appointment: Appointment<'_> = serde_json::from_str(raw.get())?;
        let is_read = |answer: &Answer<'_>| fields.values().any(|id| answer.field.text() == Some(id));
        let values: Vec<_> = appointment.answers().into_iter().filter(is_read).collect();
        let forms = to_raw_value(&json!([{ "values": values }]))?;
        to_raw_value(&Appointment { forms: Some(&forms), ..appointment })
    };
    abridge().unwrap_or_else(|_: serde_json::Error| RawValue::NULL.to_owned())
}

#[derive(Deserialize)]
struct Form<'a> {
    #[serde(borrow)]
    values: Option<&'a RawValue>,
}

/// One answer of an intake form.
#[derive(Deserialize, Serialize)]
pub(crate) struct Answer<'a> {
    #[serde(rename = "fieldID", default, borrow)]
    pub(crate) field: Scalar<'a>,
    #[serde(default, borrow)]
    pub(crate) value: Scalar<'a>,
}

/// What can be read of a list; an item of another shape costs the others nothing.
fn items<'a, T: Deserialize<'a>>(list: Option<&'a RawValue>) -> Vec<T> {
    let items: Vec<&'a RawValue> =
        list.and_then(|list| serde_json::from_str(list.get()).ok()).unwrap_or_default();
    items.into_iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect()
}

/// A value that Acuity writes as text here and as a number or flag there: its text. Nothing of `null`, lists and
/// objects.
#[derive(Default, Serialize)]
pub(crate) struct Scalar<'a>(Option<Cow<'a, str>>);

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(Self(match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str(raw).ok().map(|Text(text)| text),
            Some(b'{' | b'[' | b'n') | None => None,
            Some(_) => Some(Cow::Borrowed(raw)),
        }))
    }
}

impl Scalar<'_> {
    /// The text, trimmed, unless it is blank.
    pub(crate) fn text(&self) -> Option<&str> {
        self.0.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }
}
