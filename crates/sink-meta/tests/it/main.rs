//! The sink through its public door: the trait, and real sockets for what Meta answers.

#![expect(clippy::unwrap_used, reason = "tests may, and so may their helpers")]

mod config;
mod conformance;
mod differential;
mod kit;
mod payload;
mod send;
mod vectors;
