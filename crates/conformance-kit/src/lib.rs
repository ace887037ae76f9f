//! The rules that every sink crate is tested by: [`conformance!`] in a sink crate's `tests/` is one test for each of
//! [`RULES`], so that a failure names the rule.
//!
//! An author writes one [`Profile`]: the settings of his sink, and what the platform answers. The kit brings the events
//! ([`fixture`]), a platform that answers, breaks off or stays silent as a rule wants it, and the verdict, which says what
//! to mend. A rule that cannot be tried before another one holds names that one.

mod account;
pub mod fixture;
mod generate;
mod leak;
mod logs;
mod platform;
mod profile;
mod rig;
mod rule;
mod rules;

pub use profile::{Profile, Recorded, Reply, TestMode, Told};
pub use rule::{RULES, Rule, Violation, enforce};
