//! What an answer to `events:ingest` means (section 7.3).

mod codes;

use std::collections::BTreeMap;

use conversion_core::failure::{Blame, Failure, FailureClass, HoldScope};
use conversion_core::report::Outcome;
use http_exchange::{FullReply, by_status};

use crate::wire::{ErrorReply, IngestReply, Violation};

pub(crate) use self::codes::late;

/// Longest message of Google's that is passed on, in characters.
const MAX_MESSAGE: usize = 500;

/// What was taken, and what is wrong with the rest.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) outcomes: Vec<Outcome>,
    /// The `requestId`, where Google will say more later.
    pub(crate) receipt: Option<String>,
}

/// The verdict on a request of so many `items`. `has_other_actions` says whether events of other names go to other
/// conversion actions, so that a wrong one is no reason to hold them.
pub(crate) fn verdict(
    reply: &FullReply,
    items: usize,
    validate_only: bool,
    has_other_actions: bool,
) -> Result<Verdict, Failure> {
    if !(200..300).contains(&reply.status) {
        return refused(reply, items, has_other_actions).map(|outcomes| Verdict { outcomes, receipt: None });
    }
    match reply.object::<IngestReply>() {
        Some(_) if validate_only => {
            let note = Some("validate_only".to_owned());
            Ok(Verdict { outcomes: vec![Outcome::Delivered { note }; items], receipt: None })
        }
        Some(IngestReply { request_id, field_warnings }) if !request_id.is_empty() => {
            Ok(Verdict { outcomes: with_warnings(&field_warnings, items), receipt: Some(request_id) })
        }
        _ => Err(unreadable(reply, items)),
    }
}

/// Everything was taken; what Google passed over is a note.
fn with_warnings(warnings: &[Violation], items: usize) -> Vec<Outcome> {
    let mut notes: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for warning in warnings {
        if let Some(event) = warning.event() {
            notes.entry(event).or_default().push(&warning.reason);
        }
    }
    let outcome = |item| Outcome::Delivered { note: notes.get(&item).map(|reasons| reasons.join(", ")) };
    (0..items).map(outcome).collect()
}

/// HTTP 3xx to 5xx: nothing was processed.
fn refused(reply: &FullReply, items: usize, has_other_actions: bool) -> Result<Vec<Outcome>, Failure> {
    let Some(ErrorReply { error: status }) = reply.object() else {
        return Err(unreadable(reply, items));
    };
    let by_status = by_status(reply);
    if by_status != FailureClass::Rejected {
        let reason = status.reason().unwrap_or(&status.status);
        return Err(failure(by_status, reason, &status.message));
    }
    let violations: Vec<&Violation> = status.violations().collect();
    if let Some(whole) = violations.iter().find(|violation| violation.is_about_destination()) {
        let class = codes::of_destination(&whole.reason, has_other_actions);
        return Err(violated(whole, class));
    }
    let own = codes::of_request(status.reason().unwrap_or_default(), has_other_actions);
    if let Some((violation, class)) = violations.iter().find_map(|violation| {
        let class = codes::of_request(&violation.reason, has_other_actions)?;
        Some((*violation, class))
    }) {
        return Err(violated(violation, class));
    }
    if let Some(class) = own {
        return Err(failure(class, status.reason().unwrap_or_default(), &status.message));
    }
    let bad = by_event(&violations, items);
    if items > 1 && !bad.is_empty() {
        let outcome = |item| match bad.get(&item) {
            Some(violation) => Outcome::Failed(violated(violation, FailureClass::Rejected)),
            None => Outcome::RefusedWithOthers,
        };
        return Ok((0..items).map(outcome).collect());
    }
    let blame = if items > 1 { Blame::Unknown } else { Blame::Batch };
    let found = match violations.first() {
        Some(violation) => violated(violation, FailureClass::Rejected),
        None => {
            let reason = status.reason().unwrap_or(&status.status);
            failure(FailureClass::Rejected, reason, &status.message)
        }
    };
    Err(found.blaming(blame))
}

/// The first violation of each event that one is about.
fn by_event<'a>(violations: &[&'a Violation], items: usize) -> BTreeMap<usize, &'a Violation> {
    let mut found = BTreeMap::new();
    for violation in violations {
        if let Some(event) = violation.event().filter(|event| *event < items) {
            found.entry(event).or_insert(*violation);
        }
    }
    found
}

fn violated(violation: &Violation, class: FailureClass) -> Failure {
    let Violation { field, reason, description } = violation;
    let reason = if reason.is_empty() { "INVALID_ARGUMENT" } else { reason };
    // The index says nothing once the request is taken apart.
    let field = field
        .rsplit_once("events[")
        .map_or(field.as_str(), |(_, rest)| rest.split_once("].").map_or("event", |(_, below)| below));
    failure(class, reason, &format!("{description} (at {field})"))
}

fn failure(class: FailureClass, reason: &str, message: &str) -> Failure {
    let message: String = message.chars().take(MAX_MESSAGE).collect();
    let mut sentence = format!("Google Data Manager {reason}: {message}");
    if let Some(mend) = codes::mend(reason) {
        sentence.push_str(&format!(" [{mend}]"));
    }
    Failure::new(class, sentence).with_code(reason)
}

/// An answer that is not Google's JSON: a proxy's page, or a body that broke off.
fn unreadable(reply: &FullReply, items: usize) -> Failure {
    let class = by_status(reply);
    let message =
        format!("Google Data Manager answered HTTP {} with a body that cannot be read", reply.status);
    let blame = if class == FailureClass::Rejected && items > 1 { Blame::Unknown } else { Blame::Batch };
    Failure::new(class, message).blaming(blame)
}

/// The event's own part of an answer: its violations and warnings, and the request's id.
pub(crate) fn own_reply(body: &str, position: usize) -> Option<String> {
    let mut reply: serde_json::Value = serde_json::from_str(body).ok()?;
    let is_own = |violation: &serde_json::Value| {
        let field = violation["field"].as_str().unwrap_or_default().to_owned();
        let about = Violation { field, reason: String::new(), description: String::new() }.event();
        about.is_none_or(|event| event == position)
    };
    if let Some(warnings) = reply.get_mut("fieldWarnings").and_then(|warnings| warnings.as_array_mut()) {
        warnings.retain(is_own);
    }
    if let Some(error) = reply.get_mut("error") {
        // It may name a neighbour.
        if let Some(object) = error.as_object_mut() {
            object.remove("message");
        }
        for detail in
            error.get_mut("details").and_then(|details| details.as_array_mut()).into_iter().flatten()
        {
            if let Some(violations) =
                detail.get_mut("fieldViolations").and_then(|violations| violations.as_array_mut())
            {
                violations.retain(is_own);
            }
        }
    }
    reply.is_object().then(|| reply.to_string())
}

/// How much of the sink is held for a wrong conversion action.
fn action_scope(has_other_actions: bool) -> HoldScope {
    if has_other_actions { HoldScope::EventName } else { HoldScope::Sink }
}
