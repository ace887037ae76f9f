//! What follows for an appointment from how it is now. Pure.

use conversion_core::booking::{Appointment, derive};
use conversion_core::event::Vocabulary;
use conversion_core::reason::Reason;
use conversion_core::{CanonicalEvent, Timestamp};
use conversion_store::OwnedAppointment;

use crate::reason::{NO_CHANGE, OTHER_SOURCE, UNUSABLE_EVENT, UNWANTED};

/// What follows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Finding {
    /// This event.
    Event(Box<CanonicalEvent>),
    /// No event, and that is no error.
    Nothing(Told),
    /// An event that cannot be told.
    Refused(Told),
}

/// Why there is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// The reason.
    pub(super) reason: &'static Reason,
    /// One sentence.
    pub(super) message: String,
}

/// Where and when an appointment is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// Name of the source that tells of it.
    pub(super) source: &'a str,
    /// The names of all configured sources: an appointment of another one of them is not this one's.
    pub(super) sources: &'a [String],
    /// The names that an event may use.
    pub(super) vocabulary: &'a Vocabulary,
    /// When its change was noticed.
    pub(super) noticed_at: Timestamp,
    /// Now.
    pub(super) now: Timestamp,
}

impl Finding {
    /// What follows from `appointment` as it is, where `before` is known of it.
    pub(super) fn of(
        before: Option<&OwnedAppointment>,
        appointment: &Appointment,
        View { source, sources, vocabulary, noticed_at, now }: View<'_>,
    ) -> Self {
        // Of one that is no longer configured, nobody else would tell any more: it may have another name now.
        let other = |owner: &&String| *owner != source && sources.contains(owner);
        if let Some(owner) = before.map(|before| &before.source).filter(other) {
            let message = OTHER_SOURCE.tell(&[owner]);
            return Self::Refused(Told { reason: OTHER_SOURCE, message });
        }
        if let Some(message) = appointment.unwanted.clone() {
            return Self::Nothing(Told { reason: UNWANTED, message });
        }
        let Some(event) = derive(before.map(|before| &before.known), appointment, noticed_at) else {
            return Self::Nothing(Told { reason: NO_CHANGE, message: NO_CHANGE.tell(&[]) });
        };
        match CanonicalEvent::parse(&event.to_json(), vocabulary, now) {
            Ok(event) => Self::Event(Box::new(event)),
            Err(error) => Self::Refused(Told { reason: UNUSABLE_EVENT, message: error.to_string() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use conversion_core::booking::Known;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn appointment() -> Appointment {
        Appointment {
            id: "77".into(),
            is_trial: true,
            service: "1".into(),
            starts_at: Some(at(9_000)),
            booked_at: Some(at(100)),
            is_canceled: false,
            details: CanonicalEvent {
                email: Some("ada@example.com".into()),
                ..CanonicalEvent::new("", "", at(0))
            },
            unwanted: None,
        }
    }

    fn find(before: Option<&OwnedAppointment>, appointment: &Appointment) -> Finding {
        let vocabulary = Vocabulary::new([]);
        let sources = ["acuity".to_owned(), "acuity-2".to_owned()];
        let view = View {
            source: "acuity",
            sources: &sources,
            vocabulary: &vocabulary,
            noticed_at: at(1_000),
            now: at(1_001),
        };
        Finding::of(before, appointment, view)
    }

    #[test]
    fn an_unknown_appointment_makes_its_event() {
        let Finding::Event(event) = find(None, &appointment()) else { panic!() };
        assert_eq!((event.event_name.as_str(), event.event_id.as_str()), ("TRIAL_BOOKED", "appt-77"));
        assert_eq!((event.event_time, event.email.as_deref()), (at(100), Some("ada@example.com")));
    }

    #[test]
    fn where_there_is_no_event_a_reason_says_why() {
        let known = |source: &str, known: &Appointment| OwnedAppointment {
            source: source.to_owned(),
            known: Known::after(None, known, None),
        };
        let by_staff = Appointment { unwanted: Some("booked by staff".into()), ..appointment() };
        let mut unusable = appointment();
        unusable.details.email = Some("x".repeat(400));
        let told = |reason, message: &str| Told { reason, message: message.to_owned() };
        for (before, appointment, finding) in [
            (
                Some(known("acuity", &appointment())),
                appointment(),
                Finding::Nothing(told(NO_CHANGE, "nothing of interest has changed")),
            ),
            (None, by_staff.clone(), Finding::Nothing(told(UNWANTED, "booked by staff"))),
            (
                Some(known("acuity-2", &appointment())),
                by_staff,
                Finding::Refused(told(
                    OTHER_SOURCE,
                    "the source acuity-2 tells of this appointment, and it alone",
                )),
            ),
            (
                Some(known("renamed-since", &appointment())),
                appointment(),
                Finding::Nothing(told(NO_CHANGE, "nothing of interest has changed")),
            ),
            (
                None,
                unusable,
                Finding::Refused(told(UNUSABLE_EVENT, "email: must have at most 320 characters, not 400")),
            ),
        ] {
            assert_eq!(find(before.as_ref(), &appointment), finding);
        }
    }
}
