//! The pure heart of Signalbox: the canonical event, the primitives of hashing, and the trait that every platform
//! connector implements.
//!
//! Nothing here does I/O, reads a clock or knows a platform. The order to read it in: [`event`] (what a business
//! reports), [`sink`] (what a platform connector is), [`failure`] (what a platform's answer means and what follows).

pub mod attribution;
pub mod backoff;
pub mod booking;
pub mod confirmation;
pub mod consent;
pub mod dedup;
pub mod descriptor;
pub mod event;
pub mod exchange;
pub mod failure;
pub mod identity;
pub mod mapping;
pub mod money;
pub mod number;
pub mod page;
pub mod reason;
pub mod registry;
pub mod report;
pub mod secret;
pub mod settings;
pub mod sink;
pub mod skip;
pub mod source;
mod visit;

pub use event::CanonicalEvent;
pub use jiff::Timestamp;
