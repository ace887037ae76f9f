//! Ids of accounts and conversion actions in settings: digits, written as text or as a number.

use std::collections::BTreeMap;

use conversion_core::event::canonical;
use conversion_core::settings::SettingsError;
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(untagged, expecting = "an id must be text or a number")]
enum Given {
    Text(String),
    Number(u64),
}

impl From<Given> for String {
    fn from(given: Given) -> Self {
        match given {
            Given::Text(text) => text.trim().to_owned(),
            Given::Number(number) => number.to_string(),
        }
    }
}

/// An id that may be written as a number.
///
/// # Errors
///
/// If it is neither text nor a number.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Given::deserialize(deserializer).map(|given| Some(given.into()))
}

/// Ids by name, each of which may be written as a number.
///
/// # Errors
///
/// If one is neither text nor a number.
pub fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let given = BTreeMap::<String, Given>::deserialize(deserializer)?;
    Ok(given.into_iter().map(|(name, id)| (name, id.into())).collect())
}

/// An account's id without the hyphens that Google's pages show it with.
///
/// # Errors
///
/// If it is something else.
pub fn account(setting: &str, id: Option<String>) -> Result<Option<String>, SettingsError> {
    let Some(id) = id else { return Ok(None) };
    let digits = id.replace('-', "");
    if is_number(&digits) {
        return Ok(Some(digits));
    }
    Err(SettingsError::new(format!("`{setting}` must be an account's id, such as 123-456-7890")))
}

/// The mapped names with the ids of their conversion actions; an empty value unmaps. Canonical conversions that `events`
/// does not name have `common`, the setting `conversion_action`.
///
/// # Errors
///
/// If one is neither the id of a conversion action nor its resource name.
pub fn conversion_actions(
    events: &BTreeMap<String, String>,
    common: Option<&str>,
) -> Result<BTreeMap<String, String>, SettingsError> {
    let named = events.iter().filter(|(_, action)| !action.is_empty());
    let mut actions = named
        .map(|(event, action)| Ok((event.clone(), conversion_action(&format!("events.{event}"), action)?)))
        .collect::<Result<BTreeMap<_, _>, _>>()?;
    if let Some(common) = common {
        let common = conversion_action("conversion_action", common)?;
        let unnamed = canonical::CONVERSIONS.into_iter().filter(|name| !events.contains_key(*name));
        actions.extend(unnamed.map(|name| (name.to_owned(), common.clone())));
    }
    Ok(actions)
}

/// The id of a conversion action. Google looks at it alone (`platforms/google-ads.md`, section 3.3), whatever account a
/// resource name bears.
///
/// # Errors
///
/// If it is neither an id nor a resource name.
pub fn conversion_action(setting: &str, action: &str) -> Result<String, SettingsError> {
    let id = match action.split('/').collect::<Vec<_>>().as_slice() {
        ["customers", account, "conversionActions", id] if is_number(account) => Some(*id),
        [id] => Some(*id),
        _ => None,
    };
    match id.filter(|id| is_number(id)) {
        Some(id) => Ok(id.to_owned()),
        None => Err(SettingsError::new(format!(
            "`{setting}` must be the id of a conversion action, such as 987654321 or \
             customers/1234567890/conversionActions/987654321"
        ))),
    }
}

/// Whether the text is digits alone, as many as an id of 64 bits has at most.
pub fn is_number(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
