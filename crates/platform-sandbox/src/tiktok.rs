//! TikTok's Events API v1.3, `event/track`.
//!
//! Verdicts come with HTTP 200 and a `code`; one bad event refuses the whole request.

use std::borrow::Cow;

use hyper::StatusCode;
use serde_json::json;

use crate::exchange::Desk;
use crate::faults::Fault;
use crate::memory::Key;
use crate::reply::Reply;
use crate::settings::{Settings, Verdict};
use crate::tally::{DedupKey, Tally};
use crate::{Platform, chance::Chance};

mod code;
mod field;
mod parse;
mod refusal;
mod user;
mod validate;
mod wire;

use refusal::Refusal;
use wire::TrackRequest;

/// The documented 48 hours.
const DEDUP_WINDOW_S: u64 = 48 * 3600;

pub(crate) fn track(desk: &Desk<'_>) -> Reply {
    match receive(desk) {
        Ok(()) => answer(&desk.state.chance, code::OK, "OK"),
        Err(refusal) => answer(&desk.state.chance, refusal.code, &refusal.message(desk.settings.name_index)),
    }
}

fn receive(desk: &Desk<'_>) -> Result<(), Refusal> {
    check_token(desk)?;
    if !desk.call.is_of_type("application/json") {
        return Err(Refusal::whole(code::INVALID_PARAMS, "Content-Type must be application/json"));
    }
    let request = parse::request(&desk.call.body).inspect_err(|_| reject(desk, &desk.call.body))?;
    let checked = validate::check(&request, desk.settings, desk.now_us / 1_000_000);
    let mut tally = desk.state.of(Platform::TikTok).tally();
    let events = request.data.len();
    tally.batch(events);
    let verdict = checked.and_then(|()| single_verdict(&mut tally, &request, desk.settings));
    match verdict {
        Ok(()) => accept(&mut tally, &request, desk),
        Err(_) => tally.reject(events),
    }
    verdict
}

fn check_token(desk: &Desk<'_>) -> Result<(), Refusal> {
    let token = desk.call.header("access-token").unwrap_or_default();
    if token.is_empty() {
        return Err(Refusal::whole(code::TOKEN_EMPTY, "access token is empty"));
    }
    let known = desk.settings.tokens.is_empty() || desk.settings.tokens.iter().any(|known| known == token);
    // Tokens are bare here; with the scheme of other platforms in front it is another token.
    if !known || token.starts_with("Bearer ") {
        return Err(Refusal::whole(code::TOKEN_INVALID, "access token is incorrect or has been revoked"));
    }
    Ok(())
}

/// A body that cannot be read as a request still refuses however many events it holds.
fn reject(desk: &Desk<'_>, body: &[u8]) {
    let events = parse::count(body);
    if events > 0 {
        let mut tally = desk.state.of(Platform::TikTok).tally();
        tally.batch(events);
        tally.reject(events);
    }
}

/// The first verdict set for one of the events; like any bad event, it refuses the request.
fn single_verdict(tally: &mut Tally, request: &TrackRequest, settings: &Settings) -> Result<(), Refusal> {
    if settings.verdicts.is_empty() {
        return Ok(());
    }
    for (index, event) in request.data.iter().enumerate() {
        let verdict = event.event_id.as_ref().and_then(|id| tally.verdict(settings, id));
        if let Some(Verdict::TikTok { code, message, .. }) = verdict {
            let reason = message.as_deref().unwrap_or_else(|| code::meaning(*code));
            return Err(Refusal::field(*code, "event_id", reason.to_owned()).of_event(index));
        }
    }
    Ok(())
}

fn accept(tally: &mut Tally, request: &TrackRequest, desk: &Desk<'_>) {
    let pixel = request.event_source_id.text();
    let window_s = desk.settings.dedup_window_s.unwrap_or(DEDUP_WINDOW_S);
    for event in &request.data {
        let name = event.event.text();
        let key = match event.event_id.as_ref() {
            Some(id) => DedupKey::Id(Key { id, scope: pixel, name }),
            None => DedupKey::None(name),
        };
        tally.accept(key, desk.now_us, Some(window_s.saturating_mul(1_000_000)));
    }
}

/// What a fault looks like at TikTok.
pub(crate) fn failure(fault: Fault, desk: &Desk<'_>) -> Reply {
    let coded = |status, code| coded(&desk.state.chance, status, code, code::meaning(code));
    match fault {
        Fault::TooManyRequests => coded(StatusCode::TOO_MANY_REQUESTS, code::TOO_FREQUENT)
            .with_retry_after(desk.settings.retry_after_s),
        Fault::Internal => coded(StatusCode::INTERNAL_SERVER_ERROR, code::SYSTEM_ERROR),
        Fault::Unauthorized => coded(StatusCode::OK, code::TOKEN_EXPIRED),
        Fault::Code(code) => coded(StatusCode::OK, code),
        Fault::Html => Reply::html(StatusCode::BAD_GATEWAY),
        Fault::Unavailable | Fault::Hang | Fault::Cut => {
            Reply::text(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable\n")
        }
    }
}

fn answer(chance: &Chance, code: u32, message: &str) -> Reply {
    coded(chance, StatusCode::OK, code, message)
}

fn coded(chance: &Chance, status: StatusCode, code: u32, message: &str) -> Reply {
    let body = json!({"code": code, "message": message, "request_id": chance.name(), "data": {}});
    let reply = Reply::json(status, &body);
    if code == code::OK { reply } else { reply.with_code(Cow::Owned(code.to_string())) }
}
