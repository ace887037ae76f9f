//! New events on their way in.

use std::fmt;
use std::sync::Arc;

use conversion_core::Timestamp;

use crate::lease::{RunId, SinkId};
use crate::queue::Driver;

/// A valid event with the deliveries that it was routed to.
#[derive(Clone)]
pub struct Admission {
    /// The event's name.
    pub name: Arc<str>,
    /// The event's id; with the name, its identity.
    pub id: Arc<str>,
    /// The event's conversion id, where it is not the event id.
    pub conversion_id: Option<String>,
    /// The event, serialised.
    pub json: Arc<str>,
    /// [`conversion_core::CanonicalEvent::fingerprint`] of it.
    pub fingerprint: [u8; 16],
    /// Where it came from.
    pub origin: Origin,
    /// The appointment that it names: made, or its details merged, in the same transaction. What a booking system tells
    /// of an appointment stays as it is.
    pub appointment: Option<String>,
    /// One for each sink that it was routed to.
    pub deliveries: Vec<NewDelivery>,
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Admission");
        debug.field("name", &self.name).field("id", &self.id).field("origin", &self.origin);
        debug.field("deliveries", &self.deliveries).finish_non_exhaustive()
    }
}

/// Where an event came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Business: counted in the audit; its identity is unique.
    Live,
    /// A test endpoint: recorded, outside the audit, may repeat.
    Test,
}

/// A delivery to be.
#[derive(Clone, Copy, Debug)]
pub struct NewDelivery {
    /// The sink.
    pub sink: SinkId,
    /// When it is due.
    pub due_at: Timestamp,
    /// Leased to this run from the start (fence 1), because the run has it in memory; else free.
    pub leased_to: Option<RunId>,
    /// Who decides when it is tried.
    pub driver: Driver,
}

/// What became of an admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// Kept, under this number.
    Accepted {
        /// See [`crate::DeliveryId::event`].
        event: i64,
    },
    /// An event of this identity was kept before; nothing changed.
    Duplicate {
        /// Whether its content was another.
        differs: bool,
    },
}
