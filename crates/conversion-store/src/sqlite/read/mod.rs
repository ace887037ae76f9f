//! What only reads, each from one snapshot.

mod attempt;
pub(super) mod audit;
pub(super) mod delivery;
pub(super) mod due;
pub(super) mod event;
pub(super) mod related;
pub(super) mod sinks;
