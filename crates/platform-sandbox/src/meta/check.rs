//! What Meta checks of a request (`platforms/meta.md`, sections 1, 2 and 4).

use serde_json::Value;

use super::refusal::Refusal;
use super::user;

const MAX_EVENTS: usize = 1000;
const WEEK_S: u64 = 7 * 24 * 3600;
/// Of events in a shop.
const SHOP_S: u64 = 62 * 24 * 3600;
/// Clocks differ a little.
const AHEAD_S: u64 = 60;

const REQUEST: [&str; 5] = ["data", "test_event_code", "partner_agent", "access_token", "appsecret_proof"];
const EVENT: [&str; 11] = [
    "event_name",
    "event_time",
    "event_id",
    "action_source",
    "event_source_url",
    "user_data",
    "custom_data",
    "opt_out",
    "data_processing_options",
    "data_processing_options_country",
    "data_processing_options_state",
];
const ACTION_SOURCES: [&str; 9] = [
    "website",
    "email",
    "app",
    "phone_call",
    "chat",
    "physical_store",
    "system_generated",
    "business_messaging",
    "other",
];

type Checked = Result<(), Refusal>;

/// The first finding refuses the request.
pub(super) fn request(body: &Value, events: &[Value], now_s: u64) -> Checked {
    known(body, &REQUEST).map_err(|name| Refusal::invalid(format!("unknown parameter {name}")))?;
    match events.len() {
        0 => return Err(Refusal::invalid("(#100) param data must be non-empty.")),
        1..=MAX_EVENTS => {}
        _ => return Err(Refusal::invalid("(#100) Too many events: at most 1000.")),
    }
    events.iter().try_for_each(|event| check_event(event, now_s))
}

fn check_event(event: &Value, now_s: u64) -> Checked {
    known(event, &EVENT).map_err(|name| Refusal::event(format!("unknown field {name}")))?;
    let source = event["action_source"].as_str().unwrap_or_default();
    if event["event_name"].as_str().is_none_or(str::is_empty) {
        return refuse("event_name is required");
    }
    if !ACTION_SOURCES.contains(&source) {
        return refuse("action_source is not one of Meta's");
    }
    if !matches!(&event["event_id"], Value::Null | Value::String(_)) {
        return refuse("event_id must be text");
    }
    check_time(event, source, now_s)?;
    user::check(&event["user_data"])?;
    if source == "website" {
        let has_page = event["event_source_url"].as_str().is_some_and(|url| url.starts_with("http"));
        let has_browser =
            event["user_data"]["client_user_agent"].as_str().is_some_and(|agent| !agent.is_empty());
        if !has_page || !has_browser {
            return refuse("website events require event_source_url and client_user_agent");
        }
    }
    check_custom_data(&event["custom_data"], event["event_name"] == "Purchase")?;
    match &event["data_processing_options"] {
        Value::Null => Ok(()),
        Value::Array(options) if options.iter().all(|option| option == "LDU") => Ok(()),
        _ => refuse("data_processing_options must be a list of LDU or nothing"),
    }
}

fn check_time(event: &Value, source: &str, now_s: u64) -> Checked {
    let Some(seconds) = event["event_time"].as_u64().filter(|seconds| *seconds > 0) else {
        return refuse("event_time must be Unix time in seconds");
    };
    if seconds > now_s + AHEAD_S {
        return refuse("event_time lies in the future");
    }
    let oldest = if source == "physical_store" { SHOP_S } else { WEEK_S };
    if now_s.saturating_sub(seconds) > oldest { Err(Refusal::too_old()) } else { Ok(()) }
}

fn check_custom_data(custom: &Value, is_purchase: bool) -> Checked {
    let has_currency = match &custom["currency"] {
        Value::Null => false,
        Value::String(code) if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) => true,
        _ => return refuse("currency must be an ISO 4217 code"),
    };
    let has_value = match &custom["value"] {
        Value::Null => false,
        Value::Number(value) if value.as_f64().is_some_and(|value| value >= 0.0) => true,
        _ => return refuse("value must be a number, zero or more"),
    };
    if is_purchase && !(has_currency && has_value) {
        return refuse("a Purchase requires value and currency");
    }
    Ok(())
}

/// The first member that is not known.
pub(super) fn known<'a>(value: &'a Value, names: &[&str]) -> Result<(), &'a str> {
    let mut members = value.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    members.find(|name| !names.contains(name)).map_or(Ok(()), Err)
}

pub(super) fn refuse(message: &str) -> Checked {
    Err(Refusal::event(message))
}
