//! The sink through its public door: the trait, and real sockets for what TikTok answers.

#![expect(clippy::unwrap_used, reason = "tests may, and so may their helpers")]

mod classify;
mod config;
mod conformance;
mod kit;
mod payload;
mod send;
mod skips;
mod spec;
mod vectors;
