//! One webhook: its body and its signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::appointment::Appointment;

/// What a webhook says has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Scheduled,
    Rescheduled,
    Canceled,
    Changed,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Rescheduled => "rescheduled",
            Self::Canceled => "canceled",
            Self::Changed => "changed",
        }
    }
}

/// A webhook on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Webhook {
    action: Action,
    pub(super) appointment: u64,
    calendar: u64,
    appointment_type: u64,
    /// How often it was tried.
    pub(super) tries: u32,
}

impl Webhook {
    pub(super) fn of(action: Action, appointment: &Appointment) -> Self {
        let (calendar, appointment_type) = (appointment.booking.calendar_id, appointment.booking.type_id);
        Self { action, appointment: appointment.id, calendar, appointment_type, tries: 0 }
    }

    pub(super) fn body(&self, prefixed: bool) -> String {
        let prefix = if prefixed { "appointment." } else { "" };
        form_urlencoded::Serializer::new(String::new())
            .append_pair("action", &format!("{prefix}{}", self.action.name()))
            .append_pair("id", &self.appointment.to_string())
            .append_pair("calendarID", &self.calendar.to_string())
            .append_pair("appointmentTypeID", &self.appointment_type.to_string())
            .finish()
    }
}

/// HMAC-SHA256 of the body, in base64 with padding.
pub(super) fn signature(key: &str, body: &[u8]) -> String {
    // A key may have any length, so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::{Action, Webhook, signature};

    /// Made with Acuity's own JavaScript SDK.
    #[test]
    fn the_published_vector() {
        let webhook = Webhook {
            action: Action::Scheduled,
            appointment: 12345,
            calendar: 77,
            appointment_type: 88,
            tries: 0,
        };
        let body = webhook.body(false);
        assert_eq!(body, "action=scheduled&id=12345&calendarID=77&appointmentTypeID=88");
        let signed = signature("test-api-key", body.as_bytes());
        assert_eq!(signed, "om0Auwu2ujJGE20HGdATONQ+ffz1eS5VsC1LJUeYeT0=");
    }
}
