//! The only way out: one request, recorded with credentials redacted, and its answer or the failure to get one.
//!
//! What a platform's answer means, its sink says; what is the same for all of HTTP stands here: what was never sent,
//! what was perhaps received, `Retry-After`, and status codes where the body says nothing.

mod client;
mod pace;
mod retry_after;
mod status;
mod token;

pub use client::{Answer, Client, ClientOptions, FullReply};
pub use pace::Pace;
pub use status::by_status;
pub use token::{Token, TokenCache};
