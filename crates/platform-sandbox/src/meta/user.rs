//! What Meta checks of `user_data` (`platforms/meta.md`, section 3).

use std::net::IpAddr;

use serde_json::Value;

use super::check::{known, refuse};
use super::refusal::Refusal;

const HASHED: [&str; 11] = ["em", "ph", "fn", "ln", "ct", "st", "zp", "country", "db", "ge", "external_id"];
const PLAIN: [&str; 4] = ["client_ip_address", "client_user_agent", "fbc", "fbp"];
/// Any of these alone is enough.
const ENOUGH: [&str; 5] = ["em", "ph", "external_id", "fbc", "fbp"];
/// SHA-256 of nothing: a field that was empty and hashed nevertheless.
const EMPTY_DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(super) fn check(user: &Value) -> Result<(), Refusal> {
    if !user.is_object() {
        return refuse("user_data is required");
    }
    known(user, &[&HASHED[..], &PLAIN].concat())
        .map_err(|name| Refusal::event(format!("unknown field user_data.{name}")))?;
    for name in HASHED {
        let are_digests = match &user[name] {
            Value::Null => true,
            Value::Array(values) => !values.is_empty() && values.iter().all(is_digest),
            value => is_digest(value),
        };
        if !are_digests {
            return Err(Refusal::event(format!("user_data.{name} must be hashed by SHA-256")));
        }
    }
    let ip = &user["client_ip_address"];
    if !ip.is_null() && ip.as_str().is_none_or(|ip| ip.parse::<IpAddr>().is_err()) {
        return refuse("user_data.client_ip_address must be an address");
    }
    for name in ["fbc", "fbp"] {
        if !user[name].is_null() && !user[name].as_str().is_some_and(is_facebook_id) {
            return Err(Refusal::event(format!("user_data.{name} must be fb.1.<milliseconds>.<id>")));
        }
    }
    let has_device = !ip.is_null() && user["client_user_agent"].is_string();
    if has_device || ENOUGH.iter().any(|name| !user[*name].is_null()) {
        return Ok(());
    }
    refuse("the customer information is too broad to match anyone")
}

fn is_digest(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        text.len() == 64
            && text != EMPTY_DIGEST
            && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// `fb.1.1554763741205.AbCd`
fn is_facebook_id(text: &str) -> bool {
    let mut parts = text.splitn(4, '.');
    let is_number = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    parts.next() == Some("fb")
        && is_number(parts.next())
        && is_number(parts.next())
        && parts.next().is_some_and(|id| !id.is_empty())
}
