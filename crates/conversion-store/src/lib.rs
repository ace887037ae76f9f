//! The durable store: events, their deliveries, what was sent and answered, and the account of it all.
//!
//! A store decides nothing. It keeps what it is given in transactions, hands out leases, refuses stale results, and
//! moves its counters together with its rows. Policy lives in the dispatcher.

mod admission;
mod attribution;
mod audit;
mod booking;
mod confirmation;
pub mod crash;
mod error;
mod hold;
mod lease;
mod open;
mod queue;
mod record;
mod replay;
mod settlement;
pub mod sqlite;

use std::fmt;

use async_trait::async_trait;
use conversion_core::Timestamp;
use conversion_core::sink::Related;

pub use admission::{Acceptance, Admission, NewDelivery, Origin};
pub use attribution::AttributionStore;
pub use audit::{Audit, SinkAccount, VerdictAccount};
pub use booking::{
    AppointmentFilter, AppointmentRecord, AppointmentWrite, BookingStore, NewNotice, Notice, NoticeChange,
    NoticeCounts, NoticeFilter, NoticeId, NoticeOutcome, NoticeRecord, NoticeRetry, NoticeSettlement,
    NoticeStatus, OwnedAppointment,
};
pub use confirmation::{
    Awaited, Confirmation, ConfirmationStore, DueReceipt, Receipt, ReceiptId, VerdictWrite,
};
pub use error::StoreError;
pub use hold::{HELD, Hold, HoldPeriod, Parked, RegisteredSink, SinkRegistration, SinkState};
pub use lease::{DeliveryId, LEASE_SPAN, Lease, LeaseRequest, RunId, SinkId, Uncertainty};
pub use open::{Access, check_url, open};
pub use queue::{Driver, Publication, QueueItem, QueueStore, Taken, Ticket};
pub use record::{
    AttemptRecord, DeliveryDetail, DeliveryFilter, DeliveryRecord, EventFilter, EventRecord, Page,
    RecordedExchange, RetryOutcome,
};
pub use replay::{Candidate, Candidates, ReplayItem, ReplaySelection, ReplayStore, Span};
pub use settlement::{Attempt, Change, ItemSettlement, SettleOutcome, Settlement, Status};

/// A database that keeps the account. Every method that writes commits to disk before it returns.
#[async_trait]
pub trait Store:
    AttributionStore
    + BookingStore
    + ConfirmationStore
    + QueueStore
    + ReplayStore
    + fmt::Debug
    + Send
    + Sync
    + 'static
{
    /// Starts a run of this node, alive until `alive_until`. An embedded store frees the leases of all former runs at
    /// once, since it has one process; a shared one frees them when their run's time has lapsed. What was leased and
    /// not settled may have been sent: its [`Uncertainty`] begins with the lost lease, and its dedup key, where none is
    /// known, is that of the target that its sink was last registered with. So this comes before
    /// [`Store::register_sinks`], and nothing is leased between the two.
    ///
    /// Where `now` is before the last sign of life of the last run, the clock was put back: times of what is pending and
    /// of holds in force, which that run's clock told, are put back with it.
    async fn start_run(&self, now: Timestamp, alive_until: Timestamp) -> Result<RunId, StoreError>;

    /// Renews the run's time.
    async fn heartbeat(&self, run: RunId, now: Timestamp, alive_until: Timestamp) -> Result<(), StoreError>;

    /// Makes the configured sinks known, in order, and returns what is remembered of each. Targets of a sink that is not
    /// among them stay.
    async fn register_sinks(&self, sinks: &[SinkRegistration]) -> Result<Vec<RegisteredSink>, StoreError>;

    /// Keeps new events with their deliveries, in one transaction: one acceptance each, in order. An event whose
    /// identity is known is a duplicate and changes nothing, also within one call.
    async fn accept(&self, admissions: &[Admission], now: Timestamp) -> Result<Vec<Acceptance>, StoreError>;

    /// Takes due deliveries of one sink, the longest due first, and bumps their fence: free ones, and those of other
    /// runs whose time has lapsed. What the asking run has it keeps in memory, however long it stalled.
    async fn lease(&self, request: LeaseRequest) -> Result<Vec<Lease>, StoreError>;

    /// When the sink's next pending delivery that nobody works on and no queue drives is due, if it has one.
    async fn next_due(&self, sink: SinkId) -> Result<Option<Timestamp>, StoreError>;

    /// Records exchanges and writes results, in one transaction. One outcome per item, in order. A stale result
    /// (another fence, or no longer pending) changes no state; its exchange is recorded all the same.
    async fn settle(
        &self,
        settlements: &[Settlement],
        now: Timestamp,
    ) -> Result<Vec<Vec<SettleOutcome>>, StoreError>;

    /// Sets or replaces the hold of the same scope.
    async fn hold(&self, sink: SinkId, hold: &Hold) -> Result<(), StoreError>;

    /// Ends a hold (of all the sink for no event name), keeps its period, and makes what was parked under it due: a few
    /// thousand at once, so that no other write waits long. Returns where the rest begins, if there may be one; what
    /// nobody releases is due at its own time.
    async fn resume(
        &self,
        sink: SinkId,
        event_name: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Parked>, StoreError>;

    /// Makes the next of what was parked due, as [`Self::resume`] does the first.
    async fn release(&self, parked: Parked) -> Result<Option<Parked>, StoreError>;

    /// For each delivery with its conversion id, in order: the other deliveries of live events of that conversion at
    /// the same sink, in the order in which their events were accepted, at most 100 of them.
    async fn related(&self, asked: &[(DeliveryId, String)]) -> Result<Vec<Vec<Related>>, StoreError>;

    /// Puts a failed or skipped delivery back to pending, due at once, and driven by `driver`; makes a pending one that
    /// nobody works on due.
    async fn retry(
        &self,
        delivery: DeliveryId,
        driver: Driver,
        now: Timestamp,
    ) -> Result<RetryOutcome, StoreError>;

    /// Deliveries, the latest accepted first.
    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Page<DeliveryRecord>, StoreError>;

    /// One delivery with every attempt.
    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<DeliveryDetail>, StoreError>;

    /// The deliveries of these events, by event and sink, each with its last attempt where `with_attempts`.
    async fn deliveries_of(
        &self,
        events: &[i64],
        with_attempts: bool,
    ) -> Result<Vec<DeliveryRecord>, StoreError>;

    /// Live events, the latest accepted first, without their deliveries, and where the next part begins, if there is
    /// one.
    async fn events(&self, filter: &EventFilter) -> Result<(Vec<EventRecord>, Option<i64>), StoreError>;

    /// One live event with its deliveries.
    async fn event(&self, name: &str, id: &str) -> Result<Option<EventRecord>, StoreError>;

    /// Every sink that the store knows.
    async fn sinks(&self) -> Result<Vec<SinkState>, StoreError>;

    /// The account of all live events, from one snapshot.
    async fn audit(&self) -> Result<Audit, StoreError>;

    /// Commits something tiny: fails where an event could not be accepted now.
    async fn ready(&self) -> Result<(), StoreError>;
}
