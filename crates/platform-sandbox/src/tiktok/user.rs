//! What TikTok checks about a user: digests, lengths, and which source may send which field.

use std::net::IpAddr;

use super::code::PII_NOT_HASHED;
use super::refusal::Refusal;
use super::validate::Source::{App, Crm, Web};
use super::validate::{Source, not_blank, one_of, refuse};
use super::wire::User;

/// SHA-256 of nothing: a field that was empty and hashed nevertheless.
const EMPTY_DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const MAX_TTCLID: usize = 1000;

const ATT_STATUS: [&str; 5] = ["AUTHORIZED", "DENIED", "NOT_DETERMINED", "RESTRICTED", "NOT_APPLICABLE"];

type Checked = Result<(), Refusal>;

pub(super) fn check(user: &User, source: Source) -> Checked {
    check_sources(user, source)?;
    check_digests(user)?;
    check_plain(user)
}

/// Fields that only some sources may send.
fn check_sources(user: &User, source: Source) -> Checked {
    let limited = [
        ("ttclid", user.ttclid.as_ref().is_some(), [Web].as_slice()),
        ("ttp", user.ttp.as_ref().is_some(), &[Web]),
        ("external_id", user.external_id.as_ref().is_some(), &[Web, Crm]),
        ("ip", user.ip.as_ref().is_some(), &[Web, App]),
        ("user_agent", user.user_agent.as_ref().is_some(), &[Web, App]),
        ("locale", user.locale.as_ref().is_some(), &[Web, App]),
    ];
    match limited.iter().find(|(_, present, sources)| *present && !sources.contains(&source)) {
        Some((field, ..)) => refuse(field, "not accepted from this event_source"),
        None => Ok(()),
    }
}

fn check_digests(user: &User) -> Checked {
    let several = [("email", &user.email), ("phone", &user.phone), ("external_id", &user.external_id)];
    for (field, value) in several {
        if let Some(value) = value.as_ref() {
            if value.values().is_empty() {
                return refuse(field, "must not be empty");
            }
            value.values().iter().try_for_each(|value| hashed(field, value))?;
        }
    }
    let single =
        [("first_name", &user.first_name), ("last_name", &user.last_name), ("zip_code", &user.zip_code)];
    for (field, value) in single {
        value.as_ref().map_or(Ok(()), |value| hashed(field, value))?;
    }
    Ok(())
}

/// Which value it was is not repeated: it may be someone's address in the clear.
fn hashed(field: &str, value: &str) -> Checked {
    let hex = value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if value.len() != 64 || !hex {
        return Err(Refusal::field(
            PII_NOT_HASHED,
            field,
            "PII is not hashed: must be SHA-256 in lower-case hex",
        ));
    }
    if value == EMPTY_DIGEST {
        return Err(Refusal::field(PII_NOT_HASHED, field, "is the hash of an empty string"));
    }
    Ok(())
}

fn is_country(country: &str) -> bool {
    country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn check_plain(user: &User) -> Checked {
    if user.ttclid.text().chars().count() > MAX_TTCLID {
        return refuse("ttclid", "is longer than 1000 characters");
    }
    one_of("att_status", &user.att_status, &ATT_STATUS)?;
    if user.ip.as_ref().is_some_and(|ip| ip.parse::<IpAddr>().is_err()) {
        return refuse("ip", "not a valid IP address");
    }
    if user.country.as_ref().is_some_and(|country| !is_country(country)) {
        return refuse("country", "must be an ISO 3166-1 alpha-2 code in lower case, not hashed");
    }
    let plain = [
        ("ttclid", &user.ttclid),
        ("ttp", &user.ttp),
        ("ip", &user.ip),
        ("user_agent", &user.user_agent),
        ("locale", &user.locale),
        ("city", &user.city),
        ("state", &user.state),
        ("country", &user.country),
        ("idfa", &user.idfa),
        ("idfv", &user.idfv),
        ("gaid", &user.gaid),
    ];
    plain.into_iter().try_for_each(|(field, value)| not_blank(field, value))
}
