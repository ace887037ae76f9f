//! What the person agreed to, and what may leave because of it.

use serde::{Deserialize, Serialize};

/// One answer of the person. Absent means unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConsentStatus {
    /// Agreed.
    Granted,
    /// Refused.
    Denied,
}

/// The event's `consent`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Consent {
    /// May the person's data be sent to ad platforms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad_user_data: Option<ConsentStatus>,
    /// May it be used to personalise ads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad_personalization: Option<ConsentStatus>,
}

impl Consent {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What this says, and what `other` says of the rest.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            ad_user_data: self.ad_user_data.or(other.ad_user_data),
            ad_personalization: self.ad_personalization.or(other.ad_personalization),
        }
    }
}

/// What to do with an event that does not say whether its person agreed (`[consent] when_unknown`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenUnknown {
    /// Send everything.
    #[default]
    Send,
    /// Send it without personal identifiers and IP address.
    Strip,
    /// Do not send it.
    Skip,
}

/// What consent allows of one event at one sink. Kept on the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentVerdict {
    /// Granted, or unknown and sent all the same.
    Full,
    /// Only what names no person: click ids and the conversion itself.
    Stripped,
    /// Nothing.
    Nothing,
}

/// Decides what may leave. `send_denied` says that the platform has a field for the refusal and the operator opted
/// in to report the click with it (`send_denied = true`).
pub fn judge(status: Option<ConsentStatus>, when_unknown: WhenUnknown, send_denied: bool) -> ConsentVerdict {
    match (status, when_unknown) {
        (Some(ConsentStatus::Granted), _) | (None, WhenUnknown::Send) => ConsentVerdict::Full,
        (Some(ConsentStatus::Denied), _) if send_denied => ConsentVerdict::Stripped,
        (None, WhenUnknown::Strip) => ConsentVerdict::Stripped,
        (Some(ConsentStatus::Denied), _) | (None, WhenUnknown::Skip) => ConsentVerdict::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_leaves_only_with_consent_or_by_the_operators_word() {
        use ConsentStatus::{Denied, Granted};
        use ConsentVerdict::{Full, Nothing, Stripped};
        for (status, when_unknown, send_denied, expected) in [
            (Some(Granted), WhenUnknown::Skip, false, Full),
            (Some(Denied), WhenUnknown::Send, false, Nothing),
            (Some(Denied), WhenUnknown::Send, true, Stripped),
            (None, WhenUnknown::Send, false, Full),
            (None, WhenUnknown::Strip, true, Stripped),
            (None, WhenUnknown::Skip, true, Nothing),
        ] {
            assert_eq!(judge(status, when_unknown, send_denied), expected, "{status:?} {when_unknown:?}");
        }
    }
}
