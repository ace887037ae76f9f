//! TikTok's verdict on one request.
//!
//! Refusals come with HTTP 200 as well, and a code says more than a status: it is delivered if and only if the status
//! is 2xx and `code` is 0; all else is classed by `code` where it can be read, and by status where not.

mod codes;

use conversion_core::failure::{Blame, Failure, FailureClass, HoldScope};
use conversion_core::report::Outcome;
use http_exchange::{FullReply, by_status};
use serde::Deserialize;

use codes::{INVALID_BATCH_SIZE, INVALID_PARAMS, Meaning, PARAM_ERROR, TOO_FREQUENT};

/// Longest part of TikTok's message that is repeated.
const MAX_MESSAGE: usize = 500;

const HOLD: FailureClass = FailureClass::Unauthorized { scope: HoldScope::Sink };

/// What every answer holds.
#[derive(Deserialize)]
struct Answer {
    code: i64,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    request_id: Option<String>,
}

/// One outcome for each of so many items, or why the request failed.
pub(crate) fn verdict(reply: &FullReply, items: usize) -> Result<Vec<Outcome>, Failure> {
    let is_success = (200..300).contains(&reply.status);
    match reply.object::<Answer>() {
        Some(Answer { code: 0, .. }) if is_success => Ok(vec![Outcome::DELIVERED; items]),
        Some(answer) if answer.code != 0 => by_code(&answer, reply, items),
        Some(_) | None => Err(unreadable(reply, items)),
    }
}

/// Whether a request without events failed for having none.
pub(crate) fn refuses_emptiness(failure: &Failure) -> bool {
    let codes = [INVALID_PARAMS, PARAM_ERROR, INVALID_BATCH_SIZE].map(|code| code.to_string());
    let is_about_items = matches!(failure.class, FailureClass::Rejected | FailureClass::TooLarge);
    is_about_items && failure.code.as_ref().is_some_and(|code| codes.contains(code))
}

/// One bad item refuses the whole request; which one, the message says at best.
fn by_code(answer: &Answer, reply: &FullReply, items: usize) -> Result<Vec<Outcome>, Failure> {
    let message = answer.message.as_deref().unwrap_or_default();
    let meaning = meaning(answer.code, message);
    let failure = Failure::new(class(meaning, reply), sentence(answer)).with_code(answer.code.to_string());
    if items < 2 || !matches!(meaning, Meaning::Refused | Meaning::Unclear) {
        return Err(failure);
    }
    let named = item_index(&message.to_lowercase()).filter(|index| *index < items);
    match named.filter(|_| meaning == Meaning::Refused) {
        Some(index) => Ok(Outcome::refused_for(index, &failure, items)),
        None => Err(failure.blaming(Blame::Unknown)),
    }
}

/// Where the specification gives another meaning to a number than TikTok does, the message decides.
fn meaning(code: i64, message: &str) -> Meaning {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match code {
        PARAM_ERROR if says(&["rate limit", "too many requests", "qps limit"]) => Meaning::TooFast,
        TOO_FREQUENT if says(&["pixel"]) && says(&["not found", "does not exist"]) => Meaning::Setting,
        INVALID_PARAMS | PARAM_ERROR if names_setting(&message) => Meaning::Setting,
        _ => codes::meaning(code),
    }
}

fn class(meaning: Meaning, reply: &FullReply) -> FailureClass {
    let retry_after = reply.retry_after;
    match meaning {
        Meaning::Refused => FailureClass::Rejected,
        Meaning::TooLarge => FailureClass::TooLarge,
        Meaning::TooFast => FailureClass::RateLimited { retry_after },
        Meaning::Setting => HOLD,
        Meaning::Down => FailureClass::Unavailable { retry_after },
        Meaning::Unclear => FailureClass::Interrupted,
    }
}

/// Whether a lower-case message blames a field of the request: every event would be refused for it.
fn names_setting(message: &str) -> bool {
    const FIELDS: [&str; 7] = [
        "event_source_id",
        "event_source",
        "test_event_code",
        "partner_name",
        "pixel",
        "pixel_code",
        "pixel_id",
    ];
    let mut words = message.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    item_index(message).is_none() && words.any(|word| FIELDS.contains(&word))
}

/// The index in `data.<i>` or `batch.<i>` of a lower-case message. The second form is recorded for the older batch
/// call, the first stands in implementers' code alone (platforms/tiktok.md, section 9.1).
fn item_index(message: &str) -> Option<usize> {
    let words = message.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.')));
    words.filter_map(|word| word.strip_prefix("data.").or(word.strip_prefix("batch."))).find_map(|path| {
        let index = path.split('.').next()?;
        index.parse().ok()
    })
}

fn unreadable(reply: &FullReply, items: usize) -> Failure {
    let class = by_status(reply);
    let blame = if class == FailureClass::Rejected && items > 1 { Blame::Unknown } else { Blame::Batch };
    let message = format!("TikTok answered HTTP {} without a code that says more", reply.status);
    Failure::new(class, message).blaming(blame)
}

/// `TikTok 40105: Access token is incorrect (request_id 2026…)`
fn sentence(answer: &Answer) -> String {
    let mut sentence = format!("TikTok {}", answer.code);
    if let Some(message) = answer.message.as_deref().filter(|message| !message.is_empty()) {
        sentence.push_str(": ");
        sentence.extend(message.chars().take(MAX_MESSAGE));
    }
    if let Some(id) = answer.request_id.as_deref().filter(|id| !id.is_empty()) {
        sentence.push_str(" (request_id ");
        sentence.extend(id.chars().take(MAX_MESSAGE));
        sentence.push(')');
    }
    sentence
}
