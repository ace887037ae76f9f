//! Deliveries that an external queue drives.

use async_trait::async_trait;
use conversion_core::Timestamp;

use crate::error::StoreError;
use crate::lease::{DeliveryId, Lease, RunId, SinkId};
use crate::settlement::Status;

/// Who decides when a delivery is tried. Fixed when its event is accepted; a retry by a human fixes it anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Driver {
    /// The store's own schedule, by leases.
    #[default]
    Builtin,
    /// An external queue that calls us. [`crate::Store::lease`] never hands such a delivery out.
    Queue,
}

/// What a store does for an external queue.
///
/// `due_at` of a delivery that a queue drives is when it must be handed to the queue (again): as soon as it is accepted,
/// after a wait, or where the queue must have lost it.
#[async_trait]
pub trait QueueStore {
    /// Deliveries of one sink that must be handed to the queue, the longest due first. Nothing is leased: who hands one
    /// over twice does no harm.
    async fn queue_due(
        &self,
        sink: SinkId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<QueueItem>, StoreError>;

    /// What tells this store from every other: random, and the same for as long as it lives. Numbers of deliveries do
    /// not, since they begin anew in each.
    async fn installation(&self) -> Result<String, StoreError>;

    /// When the sink's next such delivery is due, if it has one.
    async fn next_queue_due(&self, sink: SinkId) -> Result<Option<Timestamp>, StoreError>;

    /// Counts that deliveries were handed to the queue, each handing over once, and puts them off until they are to be
    /// checked. Those that have changed since they were read, or are being worked on, stay due when they were.
    async fn published(&self, published: &[Publication]) -> Result<(), StoreError>;

    /// Leases one delivery at the queue's call, due or not: a free one, or that of another run whose time has lapsed.
    /// The call proves that its ticket was handed over, should [`QueueStore::published`] not have been written.
    async fn take(&self, ticket: Ticket, run: RunId, now: Timestamp) -> Result<Taken, StoreError>;

    /// Leaves a pending delivery to the queue's own retries until `check_at`. One that is being worked on stays as it
    /// is, and so does one of which the ticket no longer speaks.
    async fn leave_to_queue(&self, ticket: Ticket, check_at: Timestamp) -> Result<(), StoreError>;

    /// The queue has given up: a pending delivery that nobody works on has failed, unless the ticket no longer speaks
    /// of it. Returns whether it has. This proves the ticket as a call does.
    async fn give_up(
        &self,
        ticket: Ticket,
        reason: &str,
        message: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}

/// A delivery to be handed to the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueItem {
    /// Which.
    pub id: DeliveryId,
    /// The number of its latest ticket, or of the latest retry by a human, which takes a number too: what was handed
    /// over before then no longer speaks of it.
    pub publications: u32,
    /// Since when it was due.
    pub due_at: Timestamp,
}

impl QueueItem {
    /// The ticket to hand over.
    pub fn ticket(&self) -> Ticket {
        Ticket { delivery: self.id, publication: Some(self.publications.saturating_add(1)) }
    }
}

/// What the queue holds of a delivery, and what it calls and gives up with. It speaks of the delivery until a later one
/// is handed over, or a human retries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Which.
    pub delivery: DeliveryId,
    /// Its number, from 1. One without a number speaks of the delivery as it is.
    pub publication: Option<u32>,
}

/// A delivery that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publication {
    /// As it was read.
    pub item: QueueItem,
    /// If nothing has come of it by then, the queue has lost it.
    pub check_at: Timestamp,
}

/// What became of the queue's call for a delivery.
#[derive(Clone, Debug)]
pub enum Taken {
    /// It is leased.
    Leased(Lease),
    /// It is being worked on already.
    UnderWay,
    /// It is settled.
    Settled(Status),
    /// The ticket no longer speaks of it.
    Superseded,
    /// It is not the queue's.
    NotQueued,
    /// There is no such delivery.
    Unknown,
}
