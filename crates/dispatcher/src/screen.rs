//! The operator's rules that hold for every platform: consent and age. Pure.

use std::borrow::Cow;
use std::time::Duration;

use conversion_core::consent::{self, ConsentVerdict, WhenUnknown};
use conversion_core::skip::Skip;
use conversion_core::{CanonicalEvent, Timestamp};

use crate::clock::after;
use crate::config::{Config, SinkConfig};

/// The rules of one sink.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// What becomes of events that say nothing of consent.
    pub when_unknown: WhenUnknown,
    /// Whether a refusal may be reported with its click.
    pub send_denied: bool,
    /// Older events are skipped.
    pub max_event_age: Option<Duration>,
}

/// An event as a sink may see it.
#[derive(Debug)]
pub struct Screened<'a> {
    /// The event, without identifiers where consent says so.
    pub event: Cow<'a, CanonicalEvent>,
    /// What consent allows.
    pub consent: ConsentVerdict,
    /// Why it is held back, if it is.
    pub skip: Option<Skip>,
}

impl Rules {
    /// The rules of a configured sink.
    pub fn of(config: &Config, sink: &SinkConfig) -> Self {
        Self {
            when_unknown: config.consent.when_unknown,
            send_denied: sink.options.send_denied,
            max_event_age: sink.options.max_event_age.or(sink.descriptor.max_event_age),
        }
    }

    /// Applies the rules as of `now`; without a time, those about age do not apply.
    pub fn screen<'a>(&self, event: &'a CanonicalEvent, now: Option<Timestamp>) -> Screened<'a> {
        let consent = consent::judge(event.consent.ad_user_data, self.when_unknown, self.send_denied);
        let seen = match consent {
            ConsentVerdict::Stripped => Cow::Owned(event.without_identifiers()),
            ConsentVerdict::Full | ConsentVerdict::Nothing => Cow::Borrowed(event),
        };
        let age_limit = now.zip(self.max_event_age).filter(|(now, age)| after(event.event_time, *age) < *now);
        let skip = match (consent, age_limit) {
            (ConsentVerdict::Nothing, _) => Some(Skip::consent_denied()),
            (_, Some((_, age))) => Some(Skip::event_too_old(age)),
            _ => None,
        };
        Screened { event: seen, consent, skip }
    }
}
