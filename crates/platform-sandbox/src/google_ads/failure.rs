//! What a fault looks like at Google.

use hyper::StatusCode;
use serde_json::json;

use super::error::{Code, Refusal};
use super::path::{Target, Version};
use super::{access, answer};
use crate::exchange::Desk;
use crate::faults::Fault;
use crate::reply::Reply;

/// Answers with the fault, in the version that was called.
pub(crate) fn failure(fault: Fault, desk: &Desk<'_>) -> Reply {
    let version = Target::of(desk.call.path()).map_or(Version::NEWEST, |target| target.version);
    let refuse = |refusal: &Refusal| answer::refusal(refusal, version, desk.state);
    match fault {
        Fault::TooManyRequests => {
            let seconds = desk.settings.retry_after_s;
            refuse(&too_many_requests(seconds)).with_retry_after(seconds)
        }
        Fault::Unauthorized => refuse(&access::expired()),
        Fault::Internal => {
            let error = Code("internalError", "INTERNAL_ERROR").error("An internal error has occurred.");
            refuse(&Refusal::Api { status: StatusCode::INTERNAL_SERVER_ERROR, error: Box::new(error) })
        }
        Fault::Html => Reply::html(StatusCode::BAD_GATEWAY),
        Fault::Unavailable | Fault::Hang | Fault::Cut | Fault::Code(_) => answer::status_error(
            StatusCode::SERVICE_UNAVAILABLE,
            "The service is currently unavailable.",
            &[],
        ),
    }
}

fn too_many_requests(retry_after_s: Option<u64>) -> Refusal {
    let error = Code("quotaError", "RESOURCE_TEMPORARILY_EXHAUSTED").error("Too many requests. Retry later.");
    let error = match retry_after_s {
        Some(seconds) => error.with_details(json!({
            "quotaErrorDetails": { "rateScope": "DEVELOPER", "retryDelay": format!("{seconds}s") },
        })),
        None => error,
    };
    Refusal::Api { status: StatusCode::TOO_MANY_REQUESTS, error: Box::new(error) }
}
