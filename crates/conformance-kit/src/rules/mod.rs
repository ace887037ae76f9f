//! The rules, by what they look at. Their names and sentences are in [`RULES`](crate::RULES).

pub(crate) mod answers;
pub(crate) mod batches;
pub(crate) mod check;
pub(crate) mod descriptor;
pub(crate) mod personal;
pub(crate) mod prepare;
pub(crate) mod settings;
pub(crate) mod skips;
pub(crate) mod snapshots;
pub(crate) mod tokens;
