//! The source through its public door: the trait, real sockets for what Acuity answers, and Acuity's own SDK.

#![expect(clippy::unwrap_used, reason = "tests may, and so may their helpers")]

mod config;
mod fetch;
mod list;
mod peer;
mod property;
mod read;
mod receive;
mod support;
