//! What the tests have, too: the program as a process, a client of its API, the sandbox, and events.
#![expect(dead_code, reason = "the tests use the rest")]

#[path = "../../tests/it/harness/api.rs"]
mod api;
#[path = "../../tests/it/harness/events.rs"]
mod events;
#[path = "../../tests/it/harness/platforms.rs"]
mod platforms;
#[path = "../../tests/it/harness/program.rs"]
mod program;
#[path = "../../tests/it/harness/wait.rs"]
mod wait;

pub(crate) use api::{Api, Counts};
pub(crate) use events::{booked, many};
pub(crate) use platforms::{GOOGLE, Platforms, TIKTOK};
pub(crate) use program::Program;
