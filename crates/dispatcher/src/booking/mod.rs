//! Bookings: notices of booking systems in, canonical events out.
//!
//! A notice says no more than that something happened to an appointment. So it is kept, and its sender answered, before
//! anything is made of it; then the appointment is fetched, and the event follows from how it differs from what is
//! known of it.

mod attend;
mod clerk;
mod desk;
mod finding;
mod reconcile;
mod under_way;
mod waiting;

pub use clerk::Clerk;
pub use desk::{Desk, webhook_path};
pub use reconcile::Comparison;
pub use under_way::UnderWay;
