//! The verdict on one request.

use conversion_core::failure::{Blame, Failure, FailureClass};
use conversion_core::report::Outcome;
use http_exchange::{FullReply, by_status};
use serde::Deserialize;

use crate::DESCRIPTOR;

/// What says that items were taken?
#[derive(Deserialize)]
struct Taken {
    received: usize,
}

/// One outcome for each of so many items, or why the request failed. Which codes does the platform give, and what does
/// each mean?
pub(crate) fn verdict(reply: &FullReply, items: usize) -> Result<Vec<Outcome>, Failure> {
    let is_success = (200..300).contains(&reply.status);
    match reply.object::<Taken>() {
        Some(Taken { received }) if is_success && received == items => Ok(vec![Outcome::DELIVERED; items]),
        _ => Err(unreadable(reply, items)),
    }
}

fn unreadable(reply: &FullReply, items: usize) -> Failure {
    let class = by_status(reply);
    let is_about_one = class == FailureClass::Rejected && items > 1;
    let blame = if is_about_one { Blame::Unknown } else { Blame::Batch };
    let message = format!("{} answered HTTP {} without a code that says more", DESCRIPTOR.title, reply.status);
    Failure::new(class, message).blaming(blame)
}
