//! What can be read back.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::consent::ConsentVerdict;
use conversion_core::exchange::{Body, Reply};

use crate::admission::Origin;
use crate::confirmation::Confirmation;
use crate::lease::DeliveryId;
use crate::queue::Driver;
use crate::settlement::Status;

/// Which deliveries to list.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only with this status.
    pub status: Option<Status>,
    /// Only with this verdict.
    pub confirmation: Option<Confirmation>,
    /// Only of the sink of this name.
    pub sink: Option<String>,
    /// Only with this reason.
    pub reason: Option<String>,
    /// Only of events with this id.
    pub event_id: Option<String>,
    /// Only of events accepted at this time or later.
    pub since: Option<Timestamp>,
    /// Each with its last attempt.
    pub with_attempts: bool,
    /// How many at most.
    pub limit: usize,
    /// Continue after this one.
    pub after: Option<DeliveryId>,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next part begins, if there is one.
    pub next: Option<DeliveryId>,
}

/// A delivery as it stands.
#[derive(Clone, Debug)]
pub struct DeliveryRecord {
    /// Which.
    pub id: DeliveryId,
    /// Name of its event.
    pub event_name: String,
    /// Id of its event.
    pub event_id: String,
    /// What platforms dedupe by.
    pub conversion_id: String,
    /// Where its event came from.
    pub origin: Origin,
    /// Name of its sink.
    pub sink: String,
    /// Kind of its sink.
    pub kind: String,
    /// Platform of its sink.
    pub platform: String,
    /// State.
    pub status: Status,
    /// See [`Confirmation`].
    pub confirmation: Confirmation,
    /// Stable name of the reason.
    pub reason: Option<String>,
    /// The reason in a sentence.
    pub message: Option<String>,
    /// What consent allowed.
    pub consent: Option<ConsentVerdict>,
    /// When its event was accepted.
    pub accepted_at: Timestamp,
    /// When it was delivered, skipped or given up.
    pub settled_at: Option<Timestamp>,
    /// When it is due, while pending.
    pub next_attempt_at: Option<Timestamp>,
    /// Exchanges that it was part of.
    pub attempts: u32,
    /// HTTP status of the last answer.
    pub response_code: Option<u16>,
    /// Who decides when it is tried.
    pub driver: Driver,
    /// The last of its attempts, where it was asked for; of its request's items, those of the deliveries that were read
    /// with it.
    pub last_attempt: Option<AttemptRecord>,
}

/// A delivery with every attempt, oldest first.
#[derive(Clone, Debug)]
pub struct DeliveryDetail {
    /// The delivery.
    pub delivery: DeliveryRecord,
    /// The attempts.
    pub attempts: Vec<AttemptRecord>,
}

/// One attempt.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// From 1.
    pub number: u32,
    /// Index of the delivery's item in the request.
    pub position: usize,
    /// `delivered`, or the failure's class.
    pub result: String,
    /// The platform's code or message, or what was left out.
    pub note: Option<String>,
    /// The exchange, shared by the deliveries that were in it: a page of them does not hold it many times.
    pub exchange: Arc<RecordedExchange>,
}

/// An exchange as recorded: credentials redacted.
#[derive(Clone, Debug)]
pub struct RecordedExchange {
    /// Address.
    pub url: String,
    /// Request headers.
    pub headers: Vec<(String, String)>,
    /// Request body.
    pub body: Body,
    /// Answer, if there was one.
    pub reply: Option<Reply>,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// How long it took.
    pub duration: Duration,
}

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only of these appointments; nothing means of any or none.
    pub appointments: Option<Vec<String>>,
    /// Of each of `appointments` at most so many, the first accepted.
    pub first_of_each: Option<usize>,
    /// Only with this name.
    pub name: Option<String>,
    /// Only with this id.
    pub id: Option<String>,
    /// Only accepted at this time or later.
    pub since: Option<Timestamp>,
    /// How many at most.
    pub limit: usize,
    /// Continue after this number.
    pub after: Option<i64>,
}

/// An event with its deliveries.
#[derive(Clone)]
pub struct EventRecord {
    /// Its number: later accepted, higher. See [`crate::DeliveryId::event`].
    pub seq: i64,
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// The appointment that it names.
    pub appointment: Option<String>,
    /// The stored event; nothing once retention has removed it.
    pub json: Option<String>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Names of the sinks that it was routed to.
    pub routed: Vec<String>,
    /// Its deliveries, by sink.
    pub deliveries: Vec<DeliveryRecord>,
}

impl fmt::Debug for EventRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("EventRecord");
        debug.field("seq", &self.seq).field("name", &self.name).field("id", &self.id).finish_non_exhaustive()
    }
}

/// What became of a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryOutcome {
    /// Pending and due.
    Due,
    /// A worker has it right now.
    UnderWay,
    /// Delivered before: never sent again.
    AlreadyDelivered,
    /// No such delivery.
    Unknown,
}
