//! Who works on what until when.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use conversion_core::Timestamp;

/// A leased delivery is due again this long after it was leased, unless its run is alive.
pub const LEASE_SPAN: Duration = Duration::from_secs(60);

/// A sink, as the store numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SinkId(pub u32);

/// A run of a node: from its start to its end or loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunId(pub i64);

/// One event at one sink. Written `EVENT-SINK`, such as `1207-2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId {
    /// The event, as the store numbers it: later accepted, higher number.
    pub event: i64,
    /// The sink.
    pub sink: SinkId,
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.event, self.sink.0)
    }
}

impl FromStr for DeliveryId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (event, sink) = text.split_once('-')?;
            Some(Self { event: event.parse().ok()?, sink: SinkId(sink.parse().ok()?) })
        };
        parse().ok_or("a delivery id has the form 1207-2")
    }
}

/// Asks for due deliveries.
#[derive(Clone, Copy, Debug)]
pub struct LeaseRequest {
    /// Whose.
    pub sink: SinkId,
    /// For whom.
    pub run: RunId,
    /// As of when.
    pub now: Timestamp,
    /// How many at most.
    pub limit: usize,
}

/// A delivery that a run works on, with all that it needs.
#[derive(Clone)]
pub struct Lease {
    /// Which.
    pub id: DeliveryId,
    /// Number of this lease; a result must name it.
    pub fence: u32,
    /// Tries that failed in a way that counts.
    pub tries: u32,
    /// Since when it waits: its event's acceptance, or a later time at which patience with it began anew.
    pub waiting_since: Timestamp,
    /// Set where the platform may have it already.
    pub uncertain: Option<Uncertainty>,
    /// The stored event.
    pub event: Arc<str>,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Lease");
        debug.field("id", &self.id).field("fence", &self.fence).field("tries", &self.tries);
        debug.field("uncertain", &self.uncertain).finish_non_exhaustive()
    }
}

impl Lease {
    /// The first lease of a delivery that was inserted leased at `now`.
    pub fn fresh(id: DeliveryId, now: Timestamp, event: Arc<str>) -> Self {
        Self { id, fence: 1, tries: 0, waiting_since: now, uncertain: None, event }
    }
}

/// The platform may have a delivery already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncertainty {
    /// When it may first have been sent.
    pub since: Timestamp,
    /// The dedup key that it bore, or must have borne if it was sent; nothing where none is known.
    pub dedup_key: Option<String>,
}
