//! Events that every sink is shown: their payloads are snapshots in the sink's crate.

use conversion_core::event::Vocabulary;
use conversion_core::{CanonicalEvent, Timestamp};

/// When the fixtures are prepared: 2026-01-10T12:00:00Z, shortly after they happened.
pub const NOW: Timestamp = Timestamp::constant(1_768_046_400, 0);

/// An event in the form in which a caller sends it.
#[derive(Clone, Copy, Debug)]
pub struct Fixture {
    /// Its name, and that of its snapshot.
    pub name: &'static str,
    /// The event.
    pub json: &'static str,
}

/// Every fixture.
pub const ALL: &[Fixture] = &[
    Fixture { name: "booking", json: include_str!("../fixtures/booking.json") },
    Fixture { name: "booking_by_click", json: include_str!("../fixtures/booking_by_click.json") },
    Fixture { name: "booking_by_email", json: include_str!("../fixtures/booking_by_email.json") },
    Fixture { name: "booking_by_phone", json: include_str!("../fixtures/booking_by_phone.json") },
    Fixture { name: "booking_by_nobody", json: include_str!("../fixtures/booking_by_nobody.json") },
    Fixture { name: "booking_refused", json: include_str!("../fixtures/booking_refused.json") },
    Fixture { name: "booking_abroad", json: include_str!("../fixtures/booking_abroad.json") },
    Fixture { name: "booking_moved", json: include_str!("../fixtures/booking_moved.json") },
    Fixture { name: "booking_canceled", json: include_str!("../fixtures/booking_canceled.json") },
    Fixture { name: "order_paid", json: include_str!("../fixtures/order_paid.json") },
    Fixture { name: "awkward_texts", json: include_str!("../fixtures/awkward_texts.json") },
];

impl Fixture {
    /// The event.
    ///
    /// # Panics
    ///
    /// Never: the kit's own tests read them all.
    pub fn event(&self) -> CanonicalEvent {
        match CanonicalEvent::parse(self.json, &Vocabulary::new([]), NOW) {
            Ok(event) => event,
            Err(error) => panic!("the fixture {} is no event: {error}", self.name),
        }
    }
}

/// The booking of which everything is known.
pub(crate) fn booking() -> CanonicalEvent {
    ALL[0].event()
}

/// A booking that could be anybody's.
pub(crate) fn nobodys_booking() -> CanonicalEvent {
    CanonicalEvent::new("TRIAL_BOOKED", "kit-nobody", NOW)
}
