//! Tasks as whoever works on the project runs them.

#![expect(clippy::unwrap_used, reason = "tests may, and so may their helpers")]

mod new_sink;
mod outside;
mod walk;
mod workspace;
