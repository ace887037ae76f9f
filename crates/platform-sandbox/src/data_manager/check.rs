//! What Google checks of a request (`platforms/google-ads.md`, section 7.1).

use std::collections::HashSet;

use serde_json::Value;

use super::event;
use super::refusal::Violation;
use crate::settings::Settings;

const MAX_DESTINATIONS: usize = 10;
const MAX_EVENTS: usize = 2000;

/// Everything that is wrong with a request.
pub(super) fn request(body: &Value, settings: &Settings) -> Vec<Violation> {
    let mut found = unknown(body, "", &["destinations", "events", "encoding", "consent", "validateOnly"]);
    let destinations = body["destinations"].as_array().map(Vec::as_slice).unwrap_or_default();
    if destinations.is_empty() {
        found.push(Violation::of_request(
            "destinations",
            "REQUIRED_FIELD_MISSING",
            "at least one is required",
        ));
    }
    if destinations.len() > MAX_DESTINATIONS {
        found.push(Violation::of_request("destinations", "TOO_MANY_DESTINATIONS", "at most 10"));
    }
    let mut references = HashSet::new();
    for (index, destination) in destinations.iter().enumerate() {
        found.extend(check_destination(index, destination, &mut references, settings));
    }
    let events = body["events"].as_array().map(Vec::as_slice).unwrap_or_default();
    match events.len() {
        0 => {
            found.push(Violation::of_request("events", "REQUIRED_FIELD_MISSING", "at least one is required"))
        }
        1..=MAX_EVENTS => {}
        _ => found.push(Violation::of_request("events", "TOO_MANY_EVENTS", "at most 2000")),
    }
    let has_user_data = events.iter().any(|event| !event["userData"].is_null());
    match body["encoding"].as_str() {
        Some("HEX") => {}
        None if !has_user_data => {}
        None => {
            found.push(Violation::of_request("encoding", "REQUIRED_FIELD_MISSING", "required with user data"))
        }
        Some(_) => {
            found.push(Violation::of_request("encoding", "INVALID_FORMAT", "the sandbox takes HEX alone"))
        }
    }
    if !matches!(body["validateOnly"], Value::Null | Value::Bool(_)) {
        found.push(Violation::of_request("validate_only", "INVALID_FORMAT", "must be a boolean"));
    }
    for (index, event) in events.iter().enumerate() {
        found.extend(event::check(index, event, &references));
    }
    found
}

/// The destinations that an event goes to: those that it names, or all.
pub(super) fn destinations_of<'a>(body: &'a Value, event: &'a Value) -> impl Iterator<Item = &'a Value> {
    let named = event["destinationReferences"].as_array();
    let all = body["destinations"].as_array().into_iter().flatten();
    all.filter(move |destination| named.is_none_or(|named| named.contains(&destination["reference"])))
}

fn check_destination<'a>(
    index: usize,
    destination: &'a Value,
    references: &mut HashSet<&'a str>,
    settings: &Settings,
) -> Vec<Violation> {
    let at = |field: &str| format!("destinations[{index}].{field}");
    let violation =
        |field: &str, reason: &str, description: &str| Violation::of_request(at(field), reason, description);
    let known = ["reference", "operatingAccount", "loginAccount", "productDestinationId"];
    let mut found = unknown(destination, &at(""), &known);
    match destination["reference"].as_str() {
        Some(reference) if !reference.is_empty() => {
            if !references.insert(reference) {
                found.push(violation("reference", "INVALID_DESTINATION", "must be unique in the request"));
            }
        }
        _ => found.push(violation("reference", "REQUIRED_FIELD_MISSING", "required")),
    }
    for (field, is_required) in [("operatingAccount", true), ("loginAccount", false)] {
        let account = &destination[field];
        let is_good = account["accountType"] == "GOOGLE_ADS" && is_digits(&account["accountId"]);
        if (account.is_null() && is_required) || (!account.is_null() && !is_good) {
            let reason = "DESTINATION_ACCOUNT_TYPE_MISMATCH";
            found.push(violation(&snake(field), reason, "must be a GOOGLE_ADS account with digits as id"));
        }
    }
    let action = &destination["productDestinationId"];
    let exists = settings.conversion_actions.is_empty()
        || settings.conversion_actions.iter().any(|known| Some(known.as_str()) == action.as_str());
    if !is_digits(action) || !exists {
        let reason = "INVALID_CONVERSION_ACTION_ID";
        found.push(violation("product_destination_id", reason, "must be the id of a conversion action"));
    }
    found
}

/// Members that Google does not know.
pub(super) fn unknown(value: &Value, at: &str, known: &[&str]) -> Vec<Violation> {
    let members = value.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let unknown = members.filter(|name| !known.contains(name));
    let message = |name: &str| format!("Unknown name \"{name}\": Cannot find field.");
    unknown
        .map(|name| Violation::of_request(format!("{at}{name}"), "INVALID_ARGUMENT", message(name)))
        .collect()
}

/// Whether a value is text of nothing but digits.
pub(super) fn is_digits(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `operatingAccount` as paths write it: `operating_account`.
pub(super) fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
