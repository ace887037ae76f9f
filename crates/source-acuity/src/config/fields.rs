//! `[sources.fields]`: which intake fields say what.

use std::collections::BTreeMap;

use conversion_core::event::Vocabulary;
use conversion_core::settings::{SettingsError, nearest};
use conversion_core::{CanonicalEvent, Timestamp};

use super::is_id;

/// What an intake form may say of an event, beside click ids.
const FIELDS: [&str; 6] = ["attributionId", "pageUrl", "pageReferrer", "ip", "userAgent", "externalId"];

/// The fields, if each is one that a form may give and has a numeric id.
pub(super) fn checked(fields: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, SettingsError> {
    for (name, id) in &fields {
        if let Some(complaint) = complaint(name) {
            return Err(SettingsError::new(format!("`fields.{name}` {complaint}")));
        }
        if !is_id(id) {
            let message = "must be the numeric id of an intake form's field, such as 123";
            return Err(SettingsError::new(format!("`fields.{name}` {message}")));
        }
    }
    Ok(fields)
}

/// What is wrong with the name. Any click id may be named, so what is like a field is taken for a mistyped one.
fn complaint(name: &str) -> Option<String> {
    if FIELDS.contains(&name) {
        return None;
    }
    let meant = match name {
        // What sites call it.
        "va_attrib" => Some("attributionId"),
        _ => nearest(name, FIELDS),
    };
    if let Some(meant) = meant {
        return Some(format!("is not a field that a form can give; did you mean `{meant}`?"));
    }
    if Vocabulary::new([]).names().any(|field| field == name) || !is_click_id(name) {
        return Some(format!(
            "is not a field that a form can give; known are {} and the names of click ids, of 2 to 32 letters and underscores",
            FIELDS.join(", ")
        ));
    }
    None
}

/// Whether an event takes a click id of this name.
fn is_click_id(name: &str) -> bool {
    let mut event = CanonicalEvent::new("", "", Timestamp::UNIX_EPOCH);
    event.offer(name, "1");
    event.click_id(name).is_some()
}
