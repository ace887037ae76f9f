//! Why nothing was sent. A skip is not an error.

use std::time::Duration;

use serde::Serialize;

/// One reason not to send an event to a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skip {
    /// Stable name, the API's `reason`.
    pub reason: &'static str,
    /// One sentence, the API's `message`. The spec's sentences stand word for word.
    pub message: String,
    /// What a human can do so that the next one is sent.
    pub fix: String,
}

impl Skip {
    /// `OUTBOUND_MODE=mock`.
    pub fn mock_mode(platform: &str) -> Self {
        Self {
            reason: "mock_mode",
            message: format!("{platform} mock mode"),
            fix: "set OUTBOUND_MODE=live (or [outbound] mode) to send".to_owned(),
        }
    }

    /// Credentials are missing; `what` is the whole sentence, such as `Missing env: TIKTOK_PIXEL_ID`.
    pub fn missing_credentials(what: impl Into<String>) -> Self {
        Self {
            reason: MISSING_CREDENTIALS,
            message: what.into(),
            fix: "set them in the environment or in the sink's section of the configuration, then retry"
                .to_owned(),
        }
    }

    /// The event's name maps to nothing at this platform.
    pub fn no_event_mapping(title: &str, event_name: &str) -> Self {
        Self {
            reason: "no_event_mapping",
            message: format!("No {title} event mapping for: {event_name}"),
            fix: format!("map {event_name} in [sinks.events] if it should be sent"),
        }
    }

    /// Nothing that the platform could match a person or click by; `what` is the whole sentence.
    pub fn no_identifiers(what: impl Into<String>) -> Self {
        Self {
            reason: "no_identifiers",
            message: what.into(),
            fix: "send a click id, an e-mail address or a phone number with the event".to_owned(),
        }
    }

    /// The person refused, or is not known to have agreed.
    pub fn consent_denied() -> Self {
        Self {
            reason: "consent_denied",
            message: "Consent to ad user data was not given".to_owned(),
            fix:
                "nothing, if the person refused; else send consent.adUserData, or see [consent] when_unknown"
                    .to_owned(),
        }
    }

    /// Older than the sink's `max_event_age`.
    pub fn event_too_old(limit: Duration) -> Self {
        let hours = limit.as_secs() / 3600;
        let limit = if hours >= 48 { format!("{} days", hours / 24) } else { format!("{hours} hours") };
        Self {
            reason: "event_too_old",
            message: format!("The event is older than {limit}"),
            fix: "report events sooner, or raise the sink's max_event_age".to_owned(),
        }
    }

    /// The platform would not take it yet.
    pub fn too_early(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), fix: "nothing: a delivery waits until then".to_owned() }
    }

    /// The same conversion was delivered before, under an earlier event.
    pub fn already_counted(earlier_name: &str) -> Self {
        Self {
            reason: "already_counted",
            message: format!("The conversion was already delivered as {earlier_name}"),
            fix: "nothing; reschedules = \"resend\" would send it again".to_owned(),
        }
    }
}

/// The reason that `on_missing_credentials = "hold"` turns into a hold.
pub const MISSING_CREDENTIALS: &str = "missing_credentials";
