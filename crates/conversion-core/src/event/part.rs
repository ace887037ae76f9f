//! Reading what events and visits have in common: click ids and consent.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::MAX_CLICK_IDS;
use super::error::FieldError;
use super::field::Reader;
use crate::consent::Consent;

/// Longest click id, in characters.
pub const MAX_CLICK_ID: usize = 1000;

impl Reader {
    /// The members of `clickIds`.
    pub(crate) fn click_ids(&mut self, raw: &RawValue, into: &mut BTreeMap<String, String>) {
        for (key, raw) in self.object("clickIds", raw) {
            let path = format!("clickIds.{key}");
            let well_formed =
                (2..=32).contains(&key.len()) && key.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
            if well_formed {
                self.click_id(&path, &key, raw, into);
            } else {
                let message = "a click id's name has 2 to 32 letters and underscores";
                self.errors.push(FieldError::new(path, message));
            }
        }
    }

    /// One click id, at top level or under `clickIds`.
    pub(crate) fn click_id(
        &mut self,
        path: &str,
        name: &str,
        raw: &RawValue,
        into: &mut BTreeMap<String, String>,
    ) {
        let Some(value) = self.text(path, MAX_CLICK_ID, raw) else { return };
        if into.len() >= MAX_CLICK_IDS && !into.contains_key(name) {
            let message = format!("there can be at most {MAX_CLICK_IDS} click ids");
            return self.errors.push(FieldError::new(path, message));
        }
        if into.insert(name.to_owned(), value).is_some() {
            self.errors.push(FieldError::new(path, "is given twice, at top level and under clickIds"));
        }
    }

    /// What the person agreed to.
    pub(crate) fn consent(&mut self, raw: &RawValue) -> Consent {
        const PARTS: [&str; 2] = ["adUserData", "adPersonalization"];
        let mut consent = Consent::default();
        for (key, raw) in self.object("consent", raw) {
            let path = format!("consent.{key}");
            match &*key {
                "adUserData" => consent.ad_user_data = self.consent_status(&path, raw),
                "adPersonalization" => consent.ad_personalization = self.consent_status(&path, raw),
                _ => self.unknown(&path, &key, &PARTS, "known are `adUserData` and `adPersonalization`"),
            }
        }
        consent
    }

    /// Notes a member that is not known, with the nearest that is; `advice` where none is near.
    pub(crate) fn unknown(&mut self, path: &str, key: &str, known: &[&str], advice: &str) {
        let message = match crate::settings::nearest(key, known.iter().copied()) {
            _ if path == key && key.to_ascii_lowercase().ends_with("clid") => {
                "is not a field; put a click id that no sink here knows under `clickIds`".to_owned()
            }
            Some(name) => format!("is not a field; did you mean `{name}`?"),
            None => format!("is not a field; {advice}"),
        };
        self.errors.push(FieldError::new(path, message));
    }
}
