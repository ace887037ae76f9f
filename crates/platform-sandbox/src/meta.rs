//! Meta's Conversions API, `POST /v25.0/{dataset}/events`.
//!
//! One bad event refuses the whole request, and the answer does not say which.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::Platform;
use crate::exchange::Desk;
use crate::faults::Fault;
use crate::memory::Key;
use crate::reply::Reply;
use crate::settings::{Settings, Verdict};
use crate::tally::{DedupKey, Tally};

mod check;
mod refusal;
mod user;

use refusal::Refusal;

/// The documented 48 hours.
const DEDUP_WINDOW_S: u64 = 48 * 3600;

/// The dataset that a path leads to: `/v25.0/123/events`.
pub(crate) fn dataset(path: &str) -> Option<&str> {
    let (version, rest) = path.strip_prefix("/v")?.split_once('/')?;
    let (major, minor) = version.split_once('.')?;
    let dataset = rest.strip_suffix("/events")?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    [major, minor, dataset].into_iter().all(is_number).then_some(dataset)
}

pub(crate) fn events(desk: &Desk<'_>) -> Reply {
    let trace = desk.state.chance.name();
    match receive(desk) {
        Ok(received) => {
            let answer = json!({"events_received": received, "messages": [], "fbtrace_id": trace});
            Reply::json(StatusCode::OK, &answer)
        }
        Err(refusal) => refusal.reply(&trace),
    }
}

fn receive(desk: &Desk<'_>) -> Result<usize, Refusal> {
    if !desk.call.is_of_type("application/json") {
        return Err(Refusal::invalid("Content-Type must be application/json"));
    }
    let body: Value = serde_json::from_slice(&desk.call.body)
        .map_err(|_| Refusal::invalid("The body is not valid JSON"))?;
    let dataset = dataset(desk.call.path()).unwrap_or_default();
    check_access(&body, dataset, desk)?;
    let events = body["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut tally = desk.state.of(Platform::Meta).tally();
    tally.batch(events.len());
    let checked = check::request(&body, events, desk.now_us / 1_000_000);
    let verdict = checked.and_then(|()| single_verdict(&mut tally, events, desk.settings));
    if let Err(refusal) = verdict {
        tally.reject(events.len());
        return Err(refusal);
    }
    let window_us = desk.settings.dedup_window_s.unwrap_or(DEDUP_WINDOW_S).saturating_mul(1_000_000);
    for event in events {
        let name = event["event_name"].as_str().unwrap_or_default();
        let key = match event["event_id"].as_str() {
            Some(id) => DedupKey::Id(Key { id, scope: dataset, name }),
            None => DedupKey::None(name),
        };
        tally.accept(key, desk.now_us, Some(window_us));
    }
    Ok(events.len())
}

/// The token stands in the body: in an address it would be in every log on the way.
fn check_access(body: &Value, dataset: &str, desk: &Desk<'_>) -> Result<(), Refusal> {
    let knows = |known: &[String], given: &str| known.is_empty() || known.iter().any(|known| known == given);
    match body["access_token"].as_str() {
        None | Some("") => {
            return Err(Refusal::token("An access token is required to request this resource."));
        }
        Some(token) if !knows(&desk.settings.tokens, token) => {
            return Err(Refusal::token("Error validating access token: it is not valid."));
        }
        Some(_) => {}
    }
    if knows(&desk.settings.pixels, dataset) { Ok(()) } else { Err(Refusal::no_such_dataset(dataset)) }
}

/// The first verdict set for one of the events; like any bad event, it refuses the request.
fn single_verdict(tally: &mut Tally, events: &[Value], settings: &Settings) -> Result<(), Refusal> {
    if settings.verdicts.is_empty() {
        return Ok(());
    }
    for event in events {
        let id = event["event_id"].as_str().unwrap_or_default();
        if let Some(Verdict::Meta { code, subcode, message, .. }) = tally.verdict(settings, id) {
            let message = message.as_deref().unwrap_or("The sandbox was told to answer with this code.");
            return Err(Refusal::coded(i64::from(*code), Some(*subcode), message));
        }
    }
    Ok(())
}

/// What a fault looks like at Meta.
pub(crate) fn failure(fault: Fault, desk: &Desk<'_>) -> Reply {
    let trace = desk.state.chance.name();
    match fault {
        Fault::TooManyRequests => {
            let refusal = Refusal::coded(4, None, "Application request limit reached");
            refusal
                .with_status(StatusCode::TOO_MANY_REQUESTS)
                .reply(&trace)
                .with_retry_after(desk.settings.retry_after_s)
        }
        Fault::Unauthorized => Refusal::expired().reply(&trace),
        Fault::Internal => Refusal::passing(StatusCode::INTERNAL_SERVER_ERROR).reply(&trace),
        Fault::Html => Reply::html(StatusCode::BAD_GATEWAY),
        Fault::Unavailable | Fault::Hang | Fault::Cut | Fault::Code(_) => {
            Refusal::passing(StatusCode::SERVICE_UNAVAILABLE).reply(&trace)
        }
    }
}
