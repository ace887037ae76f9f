//! Bookings: an appointment as its booking system tells it, and the event that follows from how it has changed. Pure.

use std::fmt;

use jiff::Timestamp;

use crate::CanonicalEvent;
use crate::event::canonical;
use crate::money::Amount;

/// An appointment as its booking system has it now.
#[derive(Clone, PartialEq)]
pub struct Appointment {
    /// Its id there, which stays the same when it is moved.
    pub id: String,
    /// Whether it is a trial.
    pub is_trial: bool,
    /// The service that was booked, by the booking system's own id.
    pub service: String,
    /// When it begins.
    pub starts_at: Option<Timestamp>,
    /// When it was booked.
    pub booked_at: Option<Timestamp>,
    /// Whether it has been cancelled.
    pub is_canceled: bool,
    /// All else that an event of it says: the person, the price, click ids. Name, id and time are left out.
    pub details: CanonicalEvent,
    /// Why no event is to be made of it, where the settings say so.
    pub unwanted: Option<String>,
}

impl fmt::Debug for Appointment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is about a person.
        f.debug_struct("Appointment").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What of an appointment is compared: how it was when it was last told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// How many events were made of it after its first.
    pub revision: u32,
    /// Whether it was a trial.
    pub is_trial: bool,
    /// The service.
    pub service: String,
    /// When it begins.
    pub starts_at: Option<Timestamp>,
    /// Whether it was cancelled.
    pub is_canceled: bool,
    /// Its value.
    pub value: Option<Amount>,
}

impl Known {
    /// What is to be remembered of `appointment`, after an event was made of it or not.
    pub fn after(before: Option<&Self>, appointment: &Appointment, event: Option<&CanonicalEvent>) -> Self {
        let revision = before.map_or(0, |before| before.revision + u32::from(event.is_some()));
        Self {
            revision,
            is_trial: appointment.is_trial,
            service: appointment.service.clone(),
            starts_at: appointment.starts_at,
            is_canceled: appointment.is_canceled,
            value: appointment.details.value,
        }
    }
}

/// The event that follows from the difference between what is known of an appointment and how it is now, if one does.
///
/// The booking system's own word for what happened is not asked: it may come first, last or twice.
///
/// An event of the booking itself happened when it was booked, every other when it was noticed. All of one appointment
/// have the same conversion id.
pub fn derive(
    before: Option<&Known>,
    appointment: &Appointment,
    noticed_at: Timestamp,
) -> Option<CanonicalEvent> {
    let act = Act::between(before, appointment)?;
    let first = format!("appt-{}", appointment.id);
    let event_id = match before {
        None => first.clone(),
        Some(before) => format!("{first}-{}", before.revision + 1),
    };
    let booked_at = appointment.booked_at.map(|time| time.min(noticed_at));
    let event_time = match (before, act) {
        (None, Act::Booked) => booked_at.unwrap_or(noticed_at),
        _ => noticed_at,
    };
    Some(CanonicalEvent {
        event_id,
        event_name: act.event_name(appointment.is_trial).to_owned(),
        event_time,
        conversion_id: Some(first),
        appointment_id: Some(appointment.id.clone()),
        ..appointment.details.clone()
    })
}

/// What happened to an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// It is there, for the first time, again, or as a trial that it was not.
    Booked,
    /// It begins at another time.
    Rescheduled,
    /// It will not take place.
    Canceled,
    /// Another service or price.
    Changed,
}

impl Act {
    fn between(before: Option<&Known>, now: &Appointment) -> Option<Self> {
        let Some(before) = before else {
            return Some(if now.is_canceled { Self::Canceled } else { Self::Booked });
        };
        match (before.is_canceled, now.is_canceled) {
            (false, true) => Some(Self::Canceled),
            (true, true) => None,
            (true, false) => Some(Self::Booked),
            // That settings call a service a trial from now on books none.
            (false, false) if now.is_trial && !before.is_trial && before.service != now.service => {
                Some(Self::Booked)
            }
            (false, false) if before.starts_at != now.starts_at => Some(Self::Rescheduled),
            // Of a trial, only that it is booked, moved or cancelled is told.
            (false, false) if now.is_trial => None,
            (false, false) => {
                let is_other = before.service != now.service || before.value != now.details.value;
                is_other.then_some(Self::Changed)
            }
        }
    }

    /// The canonical event: those of trials have names of their own.
    fn event_name(self, is_trial: bool) -> &'static str {
        match self {
            Self::Canceled => canonical::TRIAL_CANCELED,
            Self::Booked if is_trial => canonical::TRIAL_BOOKED,
            Self::Rescheduled if is_trial => canonical::TRIAL_RESCHEDULED,
            Self::Booked | Self::Rescheduled | Self::Changed => canonical::APPOINTMENT_UPDATED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn trial() -> Appointment {
        Appointment {
            id: "77".into(),
            is_trial: true,
            service: "1".into(),
            starts_at: Some(at(9_000)),
            booked_at: Some(at(100)),
            is_canceled: false,
            details: CanonicalEvent { email: Some("ada@example.com".into()), ..CanonicalEvent::sample() },
            unwanted: None,
        }
    }

    /// Name, id and time of each event that follows from the states in turn, seen at 1000, 1001 and so on.
    fn story(states: &[Appointment]) -> Vec<(String, String, i64)> {
        let mut known: Option<Known> = None;
        let mut told = Vec::new();
        for (state, second) in states.iter().zip(1000..) {
            let event = derive(known.as_ref(), state, at(second));
            known = Some(Known::after(known.as_ref(), state, event.as_ref()));
            if let Some(event) = event {
                assert_eq!(event.conversion_id(), "appt-77");
                assert_eq!(event.appointment_id.as_deref(), Some("77"));
                assert_eq!(event.email.as_deref(), Some("ada@example.com"));
                told.push((event.event_name, event.event_id, event.event_time.as_second()));
            }
        }
        told
    }

    #[test]
    fn an_event_follows_from_each_difference_of_interest_and_from_nothing_else() {
        let moved = Appointment { starts_at: Some(at(20_000)), ..trial() };
        let canceled = Appointment { is_canceled: true, ..moved.clone() };
        let edited = Appointment { service: "2".into(), ..moved.clone() };
        let told = |name: &str, id: &str, time| (name.to_owned(), id.to_owned(), time);
        assert_eq!(
            story(&[
                trial(),
                trial(),
                moved.clone(),
                moved.clone(),
                edited,
                canceled.clone(),
                canceled,
                moved
            ]),
            [
                told("TRIAL_BOOKED", "appt-77", 100),
                told("TRIAL_RESCHEDULED", "appt-77-1", 1002),
                told("TRIAL_CANCELED", "appt-77-2", 1005),
                told("TRIAL_BOOKED", "appt-77-3", 1007),
            ]
        );
    }

    #[test]
    fn a_cancellation_wins_and_other_services_are_updates() {
        let canceled = Appointment { is_canceled: true, ..trial() };
        assert_eq!(story(&[canceled])[0].0, "TRIAL_CANCELED");
        let lesson = Appointment { is_trial: false, ..trial() };
        let longer = Appointment { service: "2".into(), ..lesson.clone() };
        let moved = Appointment { starts_at: Some(at(20_000)), ..longer.clone() };
        let mut dearer = moved.clone();
        dearer.details.value = Some(Amount::parse("60").unwrap());
        let told = |id: &str, time| ("APPOINTMENT_UPDATED".to_owned(), id.to_owned(), time);
        assert_eq!(
            story(&[lesson, longer.clone(), longer, moved, dearer.clone(), dearer]),
            [told("appt-77", 100), told("appt-77-1", 1001), told("appt-77-2", 1003), told("appt-77-3", 1004)]
        );
    }

    #[test]
    fn another_appointment_that_becomes_a_trial_is_booked_as_one() {
        let lesson = Appointment { is_trial: false, service: "2".into(), ..trial() };
        let moved = Appointment { starts_at: Some(at(20_000)), ..trial() };
        let told = |name: &str, id: &str, time| (name.to_owned(), id.to_owned(), time);
        for becomes in [trial(), moved] {
            let expected =
                [told("APPOINTMENT_UPDATED", "appt-77", 100), told("TRIAL_BOOKED", "appt-77-1", 1001)];
            assert_eq!(story(&[lesson.clone(), becomes.clone(), becomes]), expected);
        }
        let by_settings = Appointment { is_trial: true, ..lesson.clone() };
        assert_eq!(story(&[lesson, by_settings]).len(), 1, "nothing has happened");
        let other_trial = Appointment { service: "3".into(), ..trial() };
        assert_eq!(story(&[trial(), other_trial]).len(), 1, "it was booked as a trial");
    }

    #[test]
    fn a_booking_is_never_ahead_of_its_notice() {
        let ahead = Appointment { booked_at: Some(at(5_000)), ..trial() };
        assert_eq!(story(&[ahead])[0].2, 1000);
    }
}
