//! What a status says where the body says nothing.

use conversion_core::failure::{FailureClass, HoldScope};

use crate::client::FullReply;

/// The fact that an answer's status states. A 2xx that its reader could not read is [`FailureClass::Interrupted`].
pub fn by_status(reply: &FullReply) -> FailureClass {
    let retry_after = reply.retry_after;
    match reply.status {
        401 | 403 => FailureClass::Unauthorized { scope: HoldScope::Sink },
        413 => FailureClass::TooLarge,
        429 => FailureClass::RateLimited { retry_after },
        408 | 425 | 500..=599 => FailureClass::Unavailable { retry_after },
        // A redirect or a missing route: the address is wrong, for every event alike.
        300..=399 | 404 | 405 | 410 => FailureClass::Unauthorized { scope: HoldScope::Sink },
        400..=499 => FailureClass::Rejected,
        _ => FailureClass::Interrupted,
    }
}
