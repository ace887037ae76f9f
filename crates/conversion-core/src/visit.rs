//! Reading a visit: what a site's script, or its server, reports of a landing page. Mistakes are named as those of
//! events are, without any value.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::attribution::{Attribution, Click};
use crate::event::field::{MAX_ID, Members, Reader};
use crate::event::{FieldError, MAX_TEXT, Vocabulary};

/// Shortest id: 16 characters of 64 kinds cannot be guessed.
const MIN_ID: usize = 16;
/// The fields of a visit beside the click ids.
const FIELDS: [&str; 5] = ["id", "clickIds", "pageUrl", "pageReferrer", "consent"];
const ADVICE: &str = "a visit has `id`, `clickIds`, `pageUrl`, `pageReferrer` and `consent`";

impl Attribution {
    /// Reads a visit that was reported at `now`. Address and browser are not of the body: the connection tells them.
    pub fn read_visit(json: &str, vocabulary: &Vocabulary, now: Timestamp) -> Result<Self, Vec<FieldError>> {
        let Members(members) = Members::read("a", "visit", json).map_err(|error| vec![error])?;
        let mut reader = Reader::default();
        let mut visit = Self::new(String::new(), now);
        let mut click_ids = BTreeMap::new();
        let mut has_id = false;
        for (key, raw) in reader.distinct("", members) {
            match &*key {
                "id" => {
                    has_id = true;
                    visit.id = id(&mut reader, raw).unwrap_or_default();
                }
                "clickIds" => reader.click_ids(raw, &mut click_ids),
                "pageUrl" => visit.page_url = reader.url("pageUrl", raw),
                "pageReferrer" => visit.page_referrer = reader.url("pageReferrer", raw),
                "consent" => visit.consent = reader.consent(raw),
                name if vocabulary.click_ids().contains(&name) => {
                    reader.click_id(name, name, raw, &mut click_ids);
                }
                unknown => {
                    let known: Vec<&str> = FIELDS.iter().chain(vocabulary.click_ids()).copied().collect();
                    reader.unknown(unknown, unknown, &known, ADVICE);
                }
            }
        }
        if !has_id {
            reader.errors.push(FieldError::new("id", "is required"));
        }
        let click = |(name, value)| (name, Click { value, at: now });
        visit.clicks = click_ids.into_iter().map(click).collect();
        if reader.errors.is_empty() { Ok(visit) } else { Err(reader.errors) }
    }

    /// The same, seen from a browser that calls itself `user_agent`: cut to what an event's may have.
    #[must_use]
    pub fn seen_by(self, user_agent: Option<&str>) -> Self {
        let user_agent = user_agent.map(str::trim).filter(|text| !text.is_empty());
        Self { user_agent: user_agent.map(|text| text.chars().take(MAX_TEXT).collect()), ..self }
    }
}

/// An id that can stand in a cookie and in an address as it is.
fn id(reader: &mut Reader, raw: &RawValue) -> Option<String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match reader.text("id", MAX_ID, raw) {
        Some(id) if id.len() >= MIN_ID && id.chars().all(is_allowed) => Some(id),
        None if reader.errors.iter().any(|error| error.field == "id") => None,
        _ => {
            let message = format!("must be {MIN_ID} to {MAX_ID} letters, digits, hyphens and underscores");
            reader.refuse("id", message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::{Consent, ConsentStatus};

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn read(json: &str) -> Result<Attribution, String> {
        let vocabulary = Vocabulary::new(["gclid", "ttclid"]);
        let now = Timestamp::from_second(1_768_046_400).unwrap();
        Attribution::read_visit(json, &vocabulary, now)
            .map_err(|errors| errors.iter().map(FieldError::to_string).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn a_visit_is_read() {
        let visit = read(&format!(
            r#"{{"id":"{ID}","ttclid":" E.C.P ","clickIds":{{"gclid":"Cj0","fbclid":"kept"}},
                "pageUrl":"https://a.test/?ttclid=E.C.P","pageReferrer":"","consent":{{"adUserData":"GRANTED"}}}}"#
        ))
        .unwrap();
        assert_eq!(visit.id, ID);
        let clicks: Vec<(&str, &str, i64)> = visit
            .clicks
            .iter()
            .map(|(name, click)| (name.as_str(), click.value.as_str(), click.at.as_second()))
            .collect();
        assert_eq!(
            clicks,
            [
                ("fbclid", "kept", 1_768_046_400),
                ("gclid", "Cj0", 1_768_046_400),
                ("ttclid", "E.C.P", 1_768_046_400)
            ]
        );
        assert_eq!(visit.page_url.as_deref(), Some("https://a.test/?ttclid=E.C.P"));
        assert_eq!((visit.page_referrer, visit.ip, visit.user_agent), (None, None, None));
        let granted = Consent { ad_user_data: Some(ConsentStatus::Granted), ..Consent::default() };
        assert_eq!(visit.consent, granted);
    }

    #[test]
    fn mistakes_are_named_without_any_value() {
        let wanted_id = "id: must be 16 to 64 letters, digits, hyphens and underscores";
        for (json, error) in [
            ("", "the visit is cut off at line 1, column 0"),
            ("[]", "a visit must be an object, not an array"),
            ("{}", "id: is required"),
            (r#"{"id":null}"#, wanted_id),
            (r#"{"id":"ada@example.com-1"}"#, wanted_id),
            (r#"{"id":"0123456789abcde"}"#, wanted_id),
            (r#"{"id":7}"#, "id: must be a string, not a number"),
            (&format!(r#"{{"id":"{}"}}"#, "a".repeat(65)), "id: must have at most 64 characters, not 65"),
            (&format!(r#"{{"id":"{ID}","id":"{ID}"}}"#), "id: is given twice"),
            (
                &format!(r#"{{"id":"{ID}","pageURL":"x"}}"#),
                "pageURL: is not a field; did you mean `pageUrl`?",
            ),
            (
                &format!(r#"{{"id":"{ID}","email":"ada@example.com"}}"#),
                "email: is not a field; a visit has `id`, `clickIds`, `pageUrl`, `pageReferrer` and `consent`",
            ),
            (
                &format!(r#"{{"id":"{ID}","fbclid":"x"}}"#),
                "fbclid: is not a field; put a click id that no sink here knows under `clickIds`",
            ),
            (
                &format!(r#"{{"id":"{ID}","pageReferrer":"android-app://x"}}"#),
                "pageReferrer: must be a full address that starts with https:// or http://",
            ),
            (
                &format!(r#"{{"id":"{ID}","consent":{{"adUserData":"no"}}}}"#),
                "consent.adUserData: must be GRANTED or DENIED; leave it out where it is not known",
            ),
        ] {
            assert_eq!(read(json).unwrap_err(), error, "{json}");
        }
    }

    #[test]
    fn a_browsers_name_is_cut() {
        let seen = |text: Option<&str>| Attribution::new(ID, Timestamp::UNIX_EPOCH).seen_by(text).user_agent;
        assert_eq!(seen(Some(" Mozilla/5.0 ")).as_deref(), Some("Mozilla/5.0"));
        assert_eq!(seen(Some(&"é".repeat(1001))), Some("é".repeat(1000)));
        assert_eq!((seen(Some(" ")), seen(None)), (None, None));
    }

    #[test]
    fn an_id_is_of_what_a_cookie_and_an_address_can_hold() {
        for id in ["0123456789abcdef", "ABCDEF-abcdef_09", "-_-_-_-_-_-_-_-_", &"a".repeat(64)] {
            assert_eq!(read(&format!(r#"{{"id":"{id}"}}"#)).unwrap().id, id);
        }
    }
}
