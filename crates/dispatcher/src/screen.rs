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

#[cfg(test)]
mod tests {
    use conversion_core::consent::{Consent, ConsentStatus};
    use jiff::SignedDuration;

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);
    const RULES: Rules =
        Rules { when_unknown: WhenUnknown::Send, send_denied: false, max_event_age: Some(DAY) };

    fn event(ad_user_data: Option<ConsentStatus>) -> CanonicalEvent {
        CanonicalEvent {
            email: Some("ada@example.com".to_owned()),
            consent: Consent { ad_user_data, ..Consent::default() },
            ..CanonicalEvent::new("TRIAL_BOOKED", "1", Timestamp::UNIX_EPOCH)
        }
    }

    fn reason(rules: Rules, event: &CanonicalEvent, seconds_later: Option<i64>) -> Option<&'static str> {
        let now = seconds_later.map(|seconds| event.event_time + SignedDuration::from_secs(seconds));
        rules.screen(event, now).skip.map(|skip| skip.reason.name)
    }

    #[test]
    fn an_event_is_too_old_once_its_age_is_above_the_limit() {
        let day = 24 * 3600;
        let event = event(None);
        assert_eq!(reason(RULES, &event, Some(day)), None);
        assert_eq!(reason(RULES, &event, Some(day + 1)), Some("event_too_old"));
        assert_eq!(reason(RULES, &event, None), None, "without a time");
        let ageless = Rules { max_event_age: None, ..RULES };
        assert_eq!(reason(ageless, &event, Some(400 * day)), None, "without a limit");
    }

    #[test]
    fn what_may_not_be_sent_at_all_is_skipped_for_that_and_not_for_its_age() {
        let denied = event(Some(ConsentStatus::Denied));
        assert_eq!(reason(RULES, &denied, Some(0)), Some("consent_denied"));
        assert_eq!(reason(RULES, &denied, Some(400 * 24 * 3600)), Some("consent_denied"));
    }

    #[test]
    fn a_refusal_that_may_be_reported_says_nothing_of_the_person() {
        let rules = Rules { send_denied: true, ..RULES };
        let (denied, granted) = (event(Some(ConsentStatus::Denied)), event(Some(ConsentStatus::Granted)));
        let stripped = rules.screen(&denied, None);
        assert_eq!((stripped.event.email.as_deref(), stripped.consent), (None, ConsentVerdict::Stripped));
        assert!(stripped.skip.is_none());
        let full = rules.screen(&granted, None);
        assert_eq!((&full.event.email, full.consent), (&granted.email, ConsentVerdict::Full));
    }
}
