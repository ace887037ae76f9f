//! Why nothing was sent. A skip is not an error.

use std::time::Duration;

use crate::reason::{self, Place, Reason};

/// One reason not to send an event to a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// The reason.
    pub reason: &'static Reason,
    /// One sentence, the API's `message`. The spec's sentences stand word for word.
    pub message: String,
}

impl Skip {
    /// Skipped for this reason, with these words for the `{…}` of its sentence.
    pub fn of(reason: &'static Reason, words: &[&str]) -> Self {
        debug_assert!(reason.places.contains(&Place::Skipped), "{} is no reason to skip", reason.name);
        Self { reason, message: reason.tell(words) }
    }

    /// `OUTBOUND_MODE=mock`.
    pub fn mock_mode(platform: &str) -> Self {
        Self::of(reason::MOCK_MODE, &[platform])
    }

    /// Credentials are missing; `what` is the whole sentence, that of
    /// [`SinkContext::missing`](crate::registry::SinkContext::missing).
    pub fn missing_credentials(what: impl Into<String>) -> Self {
        Self { reason: reason::MISSING_CREDENTIALS, message: what.into() }
    }

    /// The event's name maps to nothing at this platform.
    pub fn no_event_mapping(title: &str, event_name: &str) -> Self {
        Self::of(reason::NO_EVENT_MAPPING, &[title, event_name])
    }

    /// Nothing that the platform could match a person or click by: the event lacks `identifiers`.
    pub fn no_identifiers(identifiers: &str) -> Self {
        Self::of(reason::NO_IDENTIFIERS, &[identifiers])
    }

    /// The person refused, or is not known to have agreed.
    pub fn consent_denied() -> Self {
        Self::of(reason::CONSENT_DENIED, &[])
    }

    /// Older than the sink's `max_event_age`.
    pub fn event_too_old(limit: Duration) -> Self {
        let hours = limit.as_secs() / 3600;
        let limit = if hours >= 48 { format!("{} days", hours / 24) } else { format!("{hours} hours") };
        Self::of(reason::EVENT_TOO_OLD, &[&limit])
    }

    /// The platform would not take it yet, and nothing can wait: in a test, or an explanation.
    pub fn too_early(reason: &'static Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// An item has nothing but texts, numbers and flags; should writing it fail all the same, it fails without panic.
    pub fn unserialisable(error: &serde_json::Error) -> Self {
        Self::of(reason::UNSERIALISABLE, &[&error.to_string()])
    }

    /// The same conversion was delivered before, under an earlier event.
    pub fn already_counted(earlier_name: &str) -> Self {
        Self::of(reason::ALREADY_COUNTED, &[earlier_name])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_days_from_two_on_and_in_hours_before() {
        for (hours, age) in [
            (1, "1 hours"),
            (24, "24 hours"),
            (47, "47 hours"),
            (48, "2 days"),
            (71, "2 days"),
            (168, "7 days"),
        ] {
            let skip = Skip::event_too_old(Duration::from_secs(hours * 3600));
            assert_eq!(skip.message, format!("The event is older than {age}"));
        }
    }
}
