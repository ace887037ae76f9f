//! Meta's verdict on one request: it is delivered if and only if the status is 2xx and `events_received` is the number
//! that was sent; a refusal is classed by `error.code` and `error_subcode`, and by status where there is none.

mod codes;

use conversion_core::failure::{Blame, Failure, FailureClass, HoldScope};
use http_exchange::{FullReply, by_status};
use serde::Deserialize;

use codes::{INVALID_PARAMETER, Meaning};

/// Longest part of Meta's message that is repeated.
const MAX_MESSAGE: usize = 500;

const HOLD: FailureClass = FailureClass::Unauthorized { scope: HoldScope::Sink };

#[derive(Deserialize)]
struct Success {
    events_received: usize,
}

#[derive(Deserialize)]
struct Refusal {
    error: Error,
}

/// Graph API, "Handling errors".
#[derive(Deserialize)]
struct Error {
    code: i64,
    #[serde(default)]
    error_subcode: Option<i64>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    error_user_msg: Option<String>,
    #[serde(default)]
    is_transient: bool,
    #[serde(default)]
    fbtrace_id: Option<String>,
}

/// Delivered, or why a request with so many items was not.
pub(crate) fn verdict(reply: &FullReply, items: usize) -> Result<(), Failure> {
    if let Some(Refusal { error }) = reply.object() {
        return Err(by_code(&error, reply, items));
    }
    if !(200..300).contains(&reply.status) {
        return Err(unreadable(reply, items));
    }
    match reply.object::<Success>() {
        // Nothing is sent to try credentials alone.
        Some(Success { events_received }) if events_received == items || items == 0 => Ok(()),
        Some(Success { events_received }) => {
            let message = format!("Meta says that it received {events_received} of {items} events");
            Err(Failure::new(FailureClass::Interrupted, message))
        }
        None => Err(unreadable(reply, items)),
    }
}

/// Whether a request without events failed for having none, and for nothing else.
pub(crate) fn refuses_emptiness(failure: &Failure) -> bool {
    let code = failure.code.as_deref().and_then(|code| code.split('/').next());
    failure.class == FailureClass::Rejected && code == Some(INVALID_PARAMETER)
}

fn by_code(error: &Error, reply: &FullReply, items: usize) -> Failure {
    let meaning = match codes::meaning(error.code, error.error_subcode) {
        // Whatever passes by itself passes whatever its code.
        _ if error.is_transient => Meaning::Down,
        Meaning::Unclear if reply.status >= 500 => Meaning::Down,
        meaning => meaning,
    };
    let retry_after = reply.retry_after;
    let class = match meaning {
        Meaning::Refused | Meaning::Unclear => FailureClass::Rejected,
        Meaning::TooFast => FailureClass::RateLimited { retry_after },
        Meaning::Setting => HOLD,
        Meaning::Down => FailureClass::Unavailable { retry_after },
    };
    // One bad event refuses the whole request, and the answer does not say which.
    let is_about_one = class == FailureClass::Rejected && items > 1;
    let code = match error.error_subcode {
        Some(subcode) => format!("{}/{subcode}", error.code),
        None => error.code.to_string(),
    };
    let blame = if is_about_one { Blame::Unknown } else { Blame::Batch };
    Failure::new(class, sentence(error, &code)).with_code(code).blaming(blame)
}

fn unreadable(reply: &FullReply, items: usize) -> Failure {
    let class = by_status(reply);
    let is_about_one = class == FailureClass::Rejected && items > 1;
    let message = format!("Meta answered HTTP {} without a code that says more", reply.status);
    Failure::new(class, message).blaming(if is_about_one { Blame::Unknown } else { Blame::Batch })
}

/// `Meta 100/2804003: Invalid parameter: The event is too old (fbtrace_id A1…)`
fn sentence(error: &Error, code: &str) -> String {
    let mut sentence = format!("Meta {code}");
    for text in [&error.message, &error.error_user_msg].into_iter().flatten() {
        sentence.push_str(": ");
        sentence.extend(text.chars().take(MAX_MESSAGE));
    }
    if let Some(id) = error.fbtrace_id.as_deref().filter(|id| !id.is_empty()) {
        sentence.push_str(" (fbtrace_id ");
        sentence.extend(id.chars().take(MAX_MESSAGE));
        sentence.push(')');
    }
    sentence
}
