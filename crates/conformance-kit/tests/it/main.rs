//! The kit's own tests: a sound sink keeps every rule, and for each rule there is a sink that breaks it and is named
//! for it.
#![expect(clippy::unwrap_used, reason = "clippy's leave for tests does not reach their helpers")]

mod defects;
mod docs;
mod fixtures;
mod sound;
mod specimen;
