//! The Data Manager sink from the outside.
#![expect(clippy::unwrap_used, reason = "clippy's leave for tests does not reach their helpers")]

mod classify;
mod config;
mod confirm;
mod conformance;
mod payload;
mod support;
