//! Skipped and failed deliveries that are sent after all, many at once.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use conversion_core::Timestamp;

use crate::error::StoreError;
use crate::lease::{DeliveryId, SinkId, Uncertainty};
use crate::queue::Driver;
use crate::settlement::Status;

/// What a store does for replays.
#[async_trait]
pub trait ReplayStore {
    /// Skipped and failed deliveries of live events that `selection` finds, behind `after`, in the order in which their
    /// events were accepted. One call looks through a bounded part of the account: it may find none though more follow.
    async fn replayable(
        &self,
        selection: &ReplaySelection,
        after: Option<DeliveryId>,
    ) -> Result<Candidates, StoreError>;

    /// Puts skipped and failed deliveries back to pending, in one transaction, driven by `driver`: at each sink, `rate`
    /// of them are due in each second, behind what was replayed there before. Patience with each begins when it is due;
    /// what is known of an uncertain sending stays. One answer each, in order: when it is due, or nothing where it
    /// cannot be replayed, because it has changed since it was read, or its event is no longer kept.
    async fn replay(
        &self,
        items: &[ReplayItem],
        driver: Driver,
        rate: NonZeroU32,
        now: Timestamp,
    ) -> Result<Vec<Option<Timestamp>>, StoreError>;
}

/// Which deliveries to replay. A time lies in a span from its beginning on, and before its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplaySelection {
    /// Only of this sink.
    pub sink: Option<SinkId>,
    /// Only with this status; without one, skipped and failed. No others are ever found.
    pub status: Option<Status>,
    /// Only with this reason.
    pub reason: Option<String>,
    /// Only of events of this name.
    pub event_name: Option<String>,
    /// Only of events with this id.
    pub event_id: Option<String>,
    /// Only of events accepted then.
    pub accepted: Span,
    /// Only those skipped or given up then.
    pub settled: Span,
}

/// Times from `since` on and before `until`, as far as they are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub since: Option<Timestamp>,
    /// The end, which is not in it.
    pub until: Option<Timestamp>,
}

/// A part of what a selection finds.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    /// The deliveries.
    pub items: Vec<Candidate>,
    /// Where the next part begins, unless this is the last.
    pub next: Option<DeliveryId>,
}

/// A delivery that may be replayed, as it stands.
#[derive(Clone)]
pub struct Candidate {
    /// Which.
    pub id: DeliveryId,
    /// Number of its last lease.
    pub fence: u32,
    /// Name of its sink.
    pub sink: String,
    /// Skipped or failed.
    pub status: Status,
    /// Stable name of the reason.
    pub reason: Option<String>,
    /// Set where the platform may have it already.
    pub uncertain: Option<Uncertainty>,
    /// The stored event; nothing once retention has removed it.
    pub event: Option<Arc<str>>,
}

impl Candidate {
    /// The delivery as it was read, to be replayed.
    pub fn item(&self) -> ReplayItem {
        ReplayItem { id: self.id, fence: self.fence }
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Candidate");
        debug.field("id", &self.id).field("status", &self.status).field("reason", &self.reason);
        debug.finish_non_exhaustive()
    }
}

/// A delivery to be replayed, as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayItem {
    /// Which.
    pub id: DeliveryId,
    /// Number of its last lease: another one means that it was sent since.
    pub fence: u32,
}
