//! Settings that are written in more than one way: ids as text or as a number, lists with brackets in the file and with
//! commas in a variable. Empty is unset.

use std::collections::BTreeMap;

use conversion_core::secret::Secret;
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(untagged, expecting = "an id must be text or a number")]
enum Id {
    Text(String),
    Number(u64),
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        match id {
            Id::Text(text) => text.trim().to_owned(),
            Id::Number(number) => number.to_string(),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a list, or a text with commas")]
enum Several {
    Text(String),
    One(u64),
    List(Vec<Id>),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a number")]
enum Number {
    Text(String),
    Whole(u64),
    Fraction(f64),
}

pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Id::deserialize(deserializer).map(|id| Some(id.into()))
}

pub(super) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let mut items: Vec<String> = match Several::deserialize(deserializer)? {
        Several::Text(text) => text.split(',').map(|item| item.trim().to_owned()).collect(),
        Several::One(number) => vec![number.to_string()],
        Several::List(items) => items.into_iter().map(String::from).collect(),
    };
    items.retain(|item| !item.is_empty());
    Ok(items)
}

pub(super) fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret>, D::Error> {
    Ok(list(deserializer)?.into_iter().map(Secret::new).collect())
}

pub(super) fn map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let ids = BTreeMap::<String, Id>::deserialize(deserializer)?;
    let ids = ids.into_iter().map(|(name, id)| (name, String::from(id)));
    Ok(ids.filter(|(_, id)| !id.is_empty()).collect())
}

/// A decimal, in the digits that it was written with.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Some(match Number::deserialize(deserializer)? {
        Number::Text(text) => text,
        Number::Whole(number) => number.to_string(),
        Number::Fraction(number) => number.to_string(),
    }))
}
