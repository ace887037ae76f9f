//! Reading ids: digits, which settings files write as text or as a number.

use std::collections::BTreeMap;

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

pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Given::deserialize(deserializer).map(|given| Some(given.into()))
}

pub(super) fn texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let given = BTreeMap::<String, Given>::deserialize(deserializer)?;
    Ok(given.into_iter().map(|(name, id)| (name, id.into())).collect())
}

/// An account's id without the hyphens that Google's pages show it with.
pub(super) fn account(setting: &str, id: Option<String>) -> Result<Option<String>, SettingsError> {
    let Some(id) = id else { return Ok(None) };
    let digits = id.replace('-', "");
    if is_number(&digits) {
        return Ok(Some(digits));
    }
    Err(SettingsError::new(format!("`{setting}` must be an account's id, such as 123-456-7890")))
}

/// The mapped names with the ids of their conversion actions; an empty value unmaps.
pub(super) fn conversion_actions(
    events: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, SettingsError> {
    events.into_iter().filter(|(_, action)| !action.is_empty()).map(conversion_action).collect()
}

/// Google looks at the id alone (section 3.3), whatever account a resource name bears.
fn conversion_action((event, action): (String, String)) -> Result<(String, String), SettingsError> {
    let id = match action.split('/').collect::<Vec<_>>().as_slice() {
        ["customers", account, "conversionActions", id] if is_number(account) => Some(*id),
        [id] => Some(*id),
        _ => None,
    };
    match id.filter(|id| is_number(id)) {
        Some(id) => Ok((event, id.to_owned())),
        None => Err(SettingsError::new(format!(
            "`events.{event}` must be the id of a conversion action, such as 987654321 or \
             customers/1234567890/conversionActions/987654321"
        ))),
    }
}

/// Whether the text is digits alone, as many as an id of 64 bits has at most.
pub(super) fn is_number(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
