//! What Google checks of one event (`platforms/google-ads.md`, section 7.2).

use std::collections::HashSet;

use serde_json::Value;

use super::check::is_digits;
use super::refusal::Violation;

const FIELDS: [&str; 13] = [
    "destinationReferences",
    "transactionId",
    "eventTimestamp",
    "lastUpdatedTimestamp",
    "eventSource",
    "currency",
    "conversionValue",
    "adIdentifiers",
    "userData",
    "consent",
    "eventDeviceInfo",
    "customVariables",
    "userProperties",
];
const SOURCES: [&str; 6] = ["WEB", "APP", "IN_STORE", "PHONE", "MESSAGE", "OTHER"];
const CONSENT: [&str; 2] = ["CONSENT_GRANTED", "CONSENT_DENIED"];
const CLICKS: [&str; 3] = ["gclid", "gbraid", "wbraid"];
const MAX_IDENTIFIERS: usize = 10;

/// Field, reason and description.
type Wrong = (String, &'static str, &'static str);

/// Everything that is wrong with an event.
pub(super) fn check(index: usize, event: &Value, references: &HashSet<&str>) -> Vec<Violation> {
    let mut found: Vec<Wrong> = Vec::new();
    let Some(members) = event.as_object() else {
        return vec![Violation::of_event(index, "", "INVALID_EVENT", "must be an object")];
    };
    for name in members.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
        found.push((name.clone(), "INVALID_EVENT", "Cannot find field."));
    }
    let mut wrong = |field: &str, reason, description| found.push((field.to_owned(), reason, description));
    let named = event["destinationReferences"].as_array().map(Vec::as_slice).unwrap_or_default();
    if named.iter().any(|name| name.as_str().is_none_or(|name| !references.contains(name))) {
        wrong("destination_references", "INVALID_DESTINATION", "names no destination of the request");
    }
    match &event["transactionId"] {
        Value::Null => {}
        // Seen in live use, and not by validateOnly.
        id if is_digits(id) => wrong("transaction_id", "INVALID_FORMAT", "must not be digits alone"),
        Value::String(id) if !id.is_empty() && !id.contains('@') => {}
        _ => wrong("transaction_id", "INVALID_FORMAT", "must be text without personal data"),
    }
    if !is_time(&event["eventTimestamp"]) {
        wrong("event_timestamp", "EVENT_TIME_INVALID", "must be RFC 3339 with a zone");
    }
    if !event["eventSource"].is_null() && !is_one_of(&event["eventSource"], &SOURCES) {
        wrong("event_source", "INVALID_FORMAT", "is no event source");
    }
    if let Some(currency) = event.get("currency")
        && !currency
            .as_str()
            .is_some_and(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()))
    {
        wrong("currency", "INVALID_CURRENCY_CODE", "must be an ISO 4217 code");
    }
    if !matches!(event["conversionValue"], Value::Null | Value::Number(_)) {
        wrong("conversion_value", "INVALID_FORMAT", "must be a number");
    }
    for field in ["adUserData", "adPersonalization"] {
        let word = &event["consent"][field];
        if !word.is_null() && !is_one_of(word, &CONSENT) {
            wrong("consent", "INVALID_FORMAT", "must be CONSENT_GRANTED or CONSENT_DENIED");
        }
    }
    let identifiers = event["userData"]["userIdentifiers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let clicks = CLICKS.iter().filter(|click| event["adIdentifiers"][**click].is_string()).count();
    if clicks == 0 && identifiers.is_empty() {
        wrong("ad_identifiers", "NO_IDENTIFIERS_PROVIDED", "at least one identifier is required");
    }
    if clicks > 1 {
        wrong("ad_identifiers", "INVALID_EVENT", "the sandbox takes one click id");
    }
    if identifiers.len() > MAX_IDENTIFIERS {
        wrong("user_data.user_identifiers", "TOO_MANY_USER_IDENTIFIERS", "at most 10");
    }
    for (position, identifier) in identifiers.iter().enumerate() {
        if let Some((reason, description)) = check_identifier(identifier) {
            found.push((format!("user_data.user_identifiers[{position}]"), reason, description));
        }
    }
    let violation =
        |(field, reason, description): Wrong| Violation::of_event(index, field, reason, description);
    found.into_iter().map(violation).collect()
}

/// Exactly one key each; an address has all four of its parts.
fn check_identifier(identifier: &Value) -> Option<(&'static str, &'static str)> {
    let members = identifier.as_object().filter(|members| members.len() == 1);
    let Some((name, value)) = members.and_then(|members| members.iter().next()) else {
        return Some(("INVALID_EVENT", "must have exactly one identifier"));
    };
    match name.as_str() {
        "emailAddress" | "phoneNumber" => check_digest(value),
        "address" => {
            let digests = ["givenName", "familyName"].iter().find_map(|part| check_digest(&value[*part]));
            let is_code = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
            let has_region = value["regionCode"].as_str().is_some_and(is_code);
            let has_postal = value["postalCode"].as_str().is_some_and(|code| !code.is_empty());
            match digests {
                Some(wrong) => Some(wrong),
                None if !has_region => Some(("INVALID_REGION_CODE", "must be an ISO 3166-1 alpha-2 code")),
                None if !has_postal => Some(("INVALID_POSTAL_CODE", "required")),
                None => None,
            }
        }
        _ => Some(("INVALID_EVENT", "is no identifier")),
    }
}

/// SHA-256 in lower-case hex, and not of nothing. The value is not repeated: it may be someone's address in the clear.
fn check_digest(value: &Value) -> Option<(&'static str, &'static str)> {
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    match value.as_str() {
        Some(text) if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) => {
            Some(("INVALID_HEX_ENCODING", "must be lower-case hex"))
        }
        Some(text) if text.len() != 64 || text == EMPTY => {
            Some(("INVALID_SHA256_FORMAT", "must be a SHA-256 digest"))
        }
        Some(_) => None,
        None => Some(("REQUIRED_FIELD_MISSING", "required")),
    }
}

fn is_one_of(value: &Value, words: &[&str]) -> bool {
    value.as_str().is_some_and(|word| words.contains(&word))
}

/// `2026-01-10T12:00:00Z`, with a fraction or an offset if need be.
fn is_time(value: &Value) -> bool {
    let Some(text) = value.as_str() else { return false };
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let Some(rest) = shape.strip_prefix("0000-00-00T00:00:00") else { return false };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches('0'),
        None => rest,
    };
    matches!(zone, "Z" | "+00:00" | "-00:00")
}
