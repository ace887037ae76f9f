//! The trait that every platform connector implements.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::CanonicalEvent;
use crate::attribution::Attribution;
use crate::confirmation::Confirmation;
use crate::dedup::DedupTarget;
use crate::exchange::Request;
use crate::failure::{Failure, FailureClass};
use crate::identity::Recipe;
use crate::reason::Reason;
use crate::report::SendReport;
use crate::skip::Skip;

/// A configured connection to one account of one ad platform.
#[async_trait]
pub trait ConversionSink: fmt::Debug + Send + Sync + 'static {
    /// Maps one event to this platform's shape, or says why it has none. Checks in this order: credentials, mapping,
    /// [`Subject::screen`], identifiers. What takes a conversion back and says nothing of the person is not screened.
    ///
    /// Pure: same subject, settings and `now` give the same bytes. No I/O, no clock, no randomness.
    fn prepare(&self, subject: &Subject<'_>, now: Timestamp) -> Result<Payload, NotSent>;

    /// Puts payloads of one [`Payload::group`] into one request. Pure.
    fn compose(&self, payloads: &[&Payload]) -> Request;

    /// Sends the request and reports the exchanges and one outcome per item, in order.
    ///
    /// Never sleeps, never retries (but once, after renewing a refused token), and is safe to drop.
    async fn send(&self, request: Arc<Request>) -> SendReport;

    /// Asks what became of a request of so many items that was accepted under this
    /// [receipt](SendReport::with_receipt). A failure means that it could not be asked; it is asked again.
    ///
    /// Only sinks whose descriptor has a [schedule](crate::descriptor::SinkDescriptor::confirmation) are asked.
    async fn confirm(&self, _receipt: &str, _items: usize) -> Result<Confirmation, Failure> {
        Err(Failure::new(FailureClass::Rejected, "this platform gives no later verdict"))
    }

    /// Tries credentials and reachability without reporting a conversion.
    async fn check(&self) -> Result<CheckReport, Failure>;

    /// How this platform wants personal identifiers: what [`Self::prepare`] runs and `explain` shows.
    fn recipes(&self) -> &[Recipe];

    /// The version of the platform's API that is spoken, such as `v26`.
    fn api_version(&self) -> &str;

    /// Canonical event names and what each is at this platform: an event name, the id of a conversion action, or the
    /// kind of adjustment.
    fn mapping(&self) -> &BTreeMap<String, String>;

    /// What a human should know about these settings: mappings that look wrong, versions that end, test modes.
    fn advice(&self, now: Timestamp) -> Vec<String>;

    /// Where the platform dedupes events of this name with these settings: the [`Payload::dedup_key`] of each is
    /// [`DedupTarget::key`] of its conversion id. Nothing where none of that name is sent, or more decides the key.
    ///
    /// Remembered across runs: what was under way at a crash, and would now go under another key, is not sent again.
    fn dedup_target(&self, _event_name: &str) -> Option<DedupTarget> {
        None
    }

    /// Whether [`Self::prepare`] wants [`Subject::related`] for this event; looking them up costs a read.
    fn wants_related(&self, _event: &CanonicalEvent) -> bool {
        false
    }
}

/// What a payload is made from.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The event, completed by its attribution, and without identifiers where consent says so.
    pub event: &'a CanonicalEvent,
    /// The other deliveries of the same conversion id at this sink, if the sink asked for them.
    pub related: &'a [Related],
    /// Whether the platform may have this delivery already, because an attempt got no answer.
    pub is_perhaps_received: bool,
    attribution: Option<&'a Attribution>,
    screen: Option<Skip>,
}

impl<'a> Subject<'a> {
    /// An event that no rule of the operator's holds back.
    pub fn new(event: &'a CanonicalEvent) -> Self {
        Self { event, related: &[], is_perhaps_received: false, attribution: None, screen: None }
    }

    /// The same, with the other deliveries of its conversion id.
    #[must_use]
    pub fn beside(self, related: &'a [Related]) -> Self {
        Self { related, ..self }
    }

    /// The same, perhaps received before.
    #[must_use]
    pub fn perhaps_received(self, is_perhaps_received: bool) -> Self {
        Self { is_perhaps_received, ..self }
    }

    /// The same, with the attribution that its event was completed by.
    #[must_use]
    pub fn attributed(self, attribution: Option<&'a Attribution>) -> Self {
        Self { attribution, ..self }
    }

    /// The same, held back for this reason, if any.
    #[must_use]
    pub fn screened(self, screen: Option<Skip>) -> Self {
        Self { screen, ..self }
    }

    /// Rules that hold for every platform: consent and age. Every sink asks after its own mapping, so that an event
    /// that it does not want is skipped for that.
    pub fn screen(&self) -> Result<(), Skip> {
        self.screen.clone().map_or(Ok(()), Err)
    }

    /// When the visitor came with this click id, where that is known.
    pub fn clicked_at(&self, name: &str, click_id: &str) -> Option<Timestamp> {
        self.attribution?.clicked_at(name, click_id)
    }
}

/// Another delivery of the same conversion at the same sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The name of its event.
    pub event_name: String,
    /// Whether its event was accepted before this one's.
    pub order: Order,
    /// How it stands.
    pub state: RelatedState,
}

/// In which order two events were accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The other one first.
    Earlier,
    /// The other one after.
    Later,
}

/// How another delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelatedState {
    /// It waits; nothing of it was ever sent, and nobody works on it.
    Unsent,
    /// Under way, tried before, or perhaps received.
    Unsettled,
    /// The platform has it.
    Delivered {
        /// Since when.
        at: Timestamp,
    },
    /// Given up, though the platform may have it.
    PerhapsDelivered {
        /// When it was given up.
        at: Timestamp,
    },
    /// Skipped or failed, and the platform has it not.
    NotDelivered,
}

/// One event in a platform's shape.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The item, serialised once: what is counted, recorded and shown is what is sent.
    pub item: Box<RawValue>,
    /// What lives on the request: only payloads of one group share one.
    pub group: Cow<'static, str>,
    /// Hashes of keys that may not repeat within one request. A collision costs a request, no more.
    pub exclusive: Vec<u64>,
    /// The platform's dedup key for this item, if it has one; see [`ConversionSink::dedup_target`].
    pub dedup_key: Option<String>,
    /// What was left out or changed, by stable name, such as `phone_unusable`.
    pub notes: Vec<&'static str>,
    /// After this time an answer of [`NotYet`](crate::failure::FailureClass::NotYet) is final; nothing means that the
    /// delivery's own deadline decides.
    pub not_yet_until: Option<Timestamp>,
    /// Whether it takes back what the platform has: for that no event is too old.
    pub takes_back: bool,
}

/// Why there is no payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// Nothing is to be sent.
    Skip(Skip),
    /// Another delivery of the same conversion must settle first.
    WaitForRelated,
    /// The platform would refuse it before this time.
    WaitUntil {
        /// When.
        at: Timestamp,
        /// The reason: the platform's own, by [`reasons!`](crate::reasons).
        reason: &'static Reason,
        /// The reason in a sentence.
        message: String,
    },
}

impl From<Skip> for NotSent {
    fn from(skip: Skip) -> Self {
        Self::Skip(skip)
    }
}

/// What a successful check found, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// The sentence.
    pub summary: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::Click;

    #[test]
    fn a_subject_has_what_it_was_given_and_no_more() {
        let event = CanonicalEvent::sample();
        let plain = Subject::new(&event);
        assert!(plain.related.is_empty() && !plain.is_perhaps_received);
        assert_eq!((plain.screen(), plain.clicked_at("gclid", "G")), (Ok(()), None));

        let other = Related { event_name: "N".into(), order: Order::Earlier, state: RelatedState::Unsettled };
        let related = [other];
        let at = Timestamp::constant(1_768_046_400, 0);
        let attribution = Attribution {
            clicks: [("gclid".to_owned(), Click { value: "G".into(), at })].into(),
            ..Attribution::new("va", at)
        };
        let denied = Skip::consent_denied();
        let full = plain
            .beside(&related)
            .perhaps_received(true)
            .attributed(Some(&attribution))
            .screened(Some(denied.clone()));
        assert_eq!((full.related, full.is_perhaps_received), (&related[..], true));
        assert_eq!((full.clicked_at("gclid", "G"), full.clicked_at("gclid", "H")), (Some(at), None));
        assert_eq!(full.screen(), Err(denied));
    }
}
