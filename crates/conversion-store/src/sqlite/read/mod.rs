//! What only reads, each from one snapshot.

pub(super) mod appointment;
mod attempt;
pub(super) mod attribution;
pub(super) mod audit;
pub(super) mod delivery;
pub(super) mod due;
pub(super) mod event;
pub(super) mod notice;
mod query;
pub(super) mod related;
pub(super) mod replay;
pub(super) mod sinks;
#[cfg(test)]
mod tests;
