//! The verdict on one request.

use conversion_core::failure::{Blame, Failure, FailureClass};
use conversion_core::report::Outcome;
use http_exchange::{FullReply, by_status};
use serde::Deserialize;

use crate::DESCRIPTOR;

#[derive(Deserialize)]
struct Taken {
    received: usize,
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
}

/// One outcome for each of so many items, or why the request failed.
pub(crate) fn verdict(reply: &FullReply, items: usize) -> Result<Vec<Outcome>, Failure> {
    let is_success = (200..300).contains(&reply.status);
    match reply.object::<Taken>() {
        Some(Taken { received }) if is_success && received == items => Ok(vec![Outcome::DELIVERED; items]),
        _ => Err(refused(reply, items)),
    }
}

fn refused(reply: &FullReply, items: usize) -> Failure {
    let class = by_status(reply);
    let is_about_one = class == FailureClass::Rejected && items > 1;
    let blame = if is_about_one { Blame::Unknown } else { Blame::Batch };
    let failure = |message: String| Failure::new(class, message).blaming(blame);
    match reply.object::<Refusal>() {
        Some(Refusal { code }) => failure(format!("{} refused it: {code}", DESCRIPTOR.title)).with_code(code),
        None => failure(format!("{} answered HTTP {} without a code", DESCRIPTOR.title, reply.status)),
    }
}
