//! Google's Data Manager API, `events:ingest` and `requestStatus:retrieve`.
//!
//! One bad event refuses the whole request, and the answer names every one. What was taken is judged later: until then it
//! is `PROCESSING`.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::Platform;
use crate::exchange::{Call, Desk};
use crate::faults::Fault;
use crate::memory::Key;
use crate::reply::Reply;
use crate::settings::{Settings, Verdict};
use crate::state::State;
use crate::tally::{DedupKey, Tally};

mod check;
mod event;
mod refusal;
mod status;

pub(crate) use status::{Requests, retrieve};

use refusal::{Refusal, Violation};
use status::Ingested;

/// Where events go.
pub(crate) const INGEST: &str = "/v1/events:ingest";
/// Where their status is asked for.
pub(crate) const RETRIEVE: &str = "/v1/requestStatus:retrieve";

/// `POST /v1/events:ingest`.
pub(crate) fn ingest(desk: &Desk<'_>) -> Reply {
    match receive(desk) {
        Ok(answer) => Reply::json(StatusCode::OK, &answer),
        Err(refusal) => refusal.reply(desk.settings.name_index),
    }
}

fn receive(desk: &Desk<'_>) -> Result<Value, Refusal> {
    authorise(desk.state, desk.call, desk.settings)?;
    if !desk.call.is_of_type("application/json") {
        return Err(Refusal::invalid("Content-Type must be application/json"));
    }
    let body: Value = serde_json::from_slice(&desk.call.body)
        .map_err(|_| Refusal::invalid("Invalid JSON payload received."))?;
    let events = body["events"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut tally = desk.state.of(Platform::GoogleDataManager).tally();
    tally.batch(events.len());
    let violations = match check::request(&body, desk.settings) {
        violations if violations.is_empty() => verdicts(&mut tally, events, desk.settings),
        violations => violations,
    };
    if !violations.is_empty() {
        tally.reject(events.len());
        return Err(Refusal::violated(violations));
    }
    if body["validateOnly"] == true {
        return Ok(json!({ "requestId": desk.state.chance.name() }));
    }
    let ids = accept(&mut tally, &body, events, desk);
    drop(tally);
    let request_id = format!("sandbox-{}", desk.state.chance.name());
    desk.state.ingested().remember(request_id.clone(), Ingested::new(desk.state.clock_us(), ids));
    Ok(json!({ "requestId": request_id }))
}

/// The verdicts that are set for single events, by transaction id.
fn verdicts(tally: &mut Tally, events: &[Value], settings: &Settings) -> Vec<Violation> {
    if settings.verdicts.is_empty() {
        return Vec::new();
    }
    let mut violations = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let id = event["transactionId"].as_str().unwrap_or_default();
        if let Some(Verdict::GoogleDataManager { reason, message, .. }) = tally.verdict(settings, id) {
            let message = message.as_deref().unwrap_or("The sandbox was told to answer with this reason.");
            violations.push(Violation::of_event(index, "transaction_id", reason.clone(), message));
        }
    }
    violations
}

/// A repetition restates the value and counts once (section 7.5).
fn accept(tally: &mut Tally, body: &Value, events: &[Value], desk: &Desk<'_>) -> Vec<String> {
    let window_us = desk.settings.dedup_window_s.map(|seconds| seconds.saturating_mul(1_000_000));
    let mut ids = Vec::with_capacity(events.len());
    for event in events {
        let id = event["transactionId"].as_str().unwrap_or_default();
        for destination in check::destinations_of(body, event) {
            let scope = destination["operatingAccount"]["accountId"].as_str().unwrap_or_default();
            let name = destination["productDestinationId"].as_str().unwrap_or_default();
            let key =
                if id.is_empty() { DedupKey::None(name) } else { DedupKey::Id(Key { id, scope, name }) };
            tally.accept(key, desk.now_us, window_us);
        }
        ids.push(id.to_owned());
    }
    ids
}

/// Tokens are those of the token endpoint that it shares with the Google Ads API. They live by the sandbox's own clock.
fn authorise(state: &State, call: &Call, settings: &Settings) -> Result<(), Refusal> {
    let token = call.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let is_live = token.is_some_and(|token| state.access_tokens().is_live(token, state.clock_us()));
    if !is_live {
        return Err(Refusal::unauthenticated());
    }
    if settings.adwords_scope_only { Err(Refusal::insufficient_scope()) } else { Ok(()) }
}

/// What a fault looks like here.
pub(crate) fn failure(fault: Fault, desk: &Desk<'_>) -> Reply {
    let refused = |status, name, message| Refusal::status(status, name, message).reply(true);
    match fault {
        Fault::TooManyRequests => refused(
            StatusCode::TOO_MANY_REQUESTS,
            "RESOURCE_EXHAUSTED",
            "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute'.",
        )
        .with_retry_after(desk.settings.retry_after_s),
        Fault::Unauthorized => Refusal::unauthenticated().reply(true),
        Fault::Internal => {
            refused(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal error encountered.")
        }
        Fault::Html => Reply::html(StatusCode::BAD_GATEWAY),
        Fault::Unavailable | Fault::Hang | Fault::Cut | Fault::Code(_) => {
            refused(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "The service is currently unavailable.")
        }
    }
}
