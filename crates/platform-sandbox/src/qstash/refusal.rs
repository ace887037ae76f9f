//! What QStash does not do, and how it says so.

use hyper::StatusCode;
use serde_json::json;

use super::{MAX_BATCH, MAX_BODY};
use crate::reply::Reply;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the service is unavailable")]
    Down,
    #[error("the bearer token is missing or wrong")]
    Unauthorized,
    #[error("there is no such path, or not for this method")]
    NoSuchPath,
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("the destination must be an absolute http or https URL, raw behind the slash")]
    Destination,
    #[error("a queue's name holds letters, digits, hyphens, underscores and dots only")]
    Queue,
    #[error("{name} {fault}")]
    Header { name: String, fault: HeaderFault },
    #[error("delivery may be put off by at most {0} s")]
    TooLate(u64),
    #[error("a message holds at most {MAX_BODY} bytes")]
    TooLarge,
    #[error("more messages are waiting than the sandbox holds")]
    Full,
    #[error("a batch is an array of {{destination, headers, body, queue}}: {0}")]
    NotABatch(serde_json::Error),
    #[error("a batch holds 1 to {MAX_BATCH} messages")]
    BatchSize,
    #[error("message {index}: {refusal}")]
    InBatch { index: usize, refusal: Box<Self> },
    #[error("the dead letters are listed by cursor and count (1 to 100) alone")]
    Query,
}

/// What is wrong with a header.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeaderFault {
    #[error("is unknown, or belongs to what the sandbox does not play")]
    Unknown,
    #[error("must be {0}")]
    Malformed(&'static str),
    #[error(transparent)]
    Expression(#[from] super::expression::NoExpression),
    #[error("cannot be forwarded: it is the connection's own")]
    Reserved,
    #[error("means nothing without {0}")]
    Alone(&'static str),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Down => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NoSuchPath | Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Full => StatusCode::TOO_MANY_REQUESTS,
            Self::Destination
            | Self::Queue
            | Self::Header { .. }
            | Self::TooLate(_)
            | Self::TooLarge
            | Self::NotABatch(_)
            | Self::BatchSize
            | Self::InBatch { .. }
            | Self::Query => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) fn reply(&self) -> Reply {
        Reply::json(self.status(), &json!({ "error": self.to_string() }))
    }
}
