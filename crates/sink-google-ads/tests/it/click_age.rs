//! A click must be 6 hours old (section 3.7, `TOO_RECENT_EVENT`).

use conversion_core::attribution::{Attribution, Click};
use conversion_core::sink::{ConversionSink as _, NotSent, Subject};
use conversion_core::skip::Skip;
use conversion_core::{CanonicalEvent, Timestamp};

use crate::support::{NOW, booking, sink};

const HOUR: i64 = 3600;

/// A landing with this click id so many seconds before `NOW`.
fn landing(name: &str, value: &str, seconds: i64) -> Attribution {
    let at = Timestamp::from_second(NOW.as_second() - seconds).unwrap();
    let click = Click { value: value.to_owned(), at };
    Attribution { clicks: [(name.to_owned(), click)].into(), ..Attribution::new("va", at) }
}

/// How long an event waits; nothing where it is sent at once.
fn wait(event: &CanonicalEvent, landing: &Attribution) -> Option<i64> {
    match sink("").prepare(&Subject::new(event).attributed(Some(landing)), NOW) {
        Ok(_) => None,
        Err(NotSent::WaitUntil { at, reason, message }) => {
            assert_eq!(reason.name, "click_too_recent");
            assert_eq!(message, "Google Ads refuses conversions of a click that is less than 6 hours old");
            Some(at.as_second() - NOW.as_second())
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_click_of_known_age_waits_until_it_is_6_hours_old() {
    for name in ["gclid", "gbraid", "wbraid"] {
        let event = booking(&format!(r#""{name}":"X""#));
        for (age, expected) in [
            (0, Some(6 * HOUR)),
            (HOUR, Some(5 * HOUR)),
            (6 * HOUR - 1, Some(1)),
            (6 * HOUR, None),
            (90 * 24 * HOUR, None),
        ] {
            assert_eq!(wait(&event, &landing(name, "X", age)), expected, "{name} {age}");
        }
    }
}

#[test]
fn only_the_click_that_is_sent_counts() {
    let young = |name, value| landing(name, value, 0);
    // The event's own click id, of which nothing is known.
    assert_eq!(wait(&booking(r#""gclid":"own""#), &young("gclid", "X")), None);
    // Another click id of the visitor's, which is left out.
    assert_eq!(wait(&booking(r#""gclid":"own","wbraid":"X""#), &young("wbraid", "X")), None);
    assert_eq!(wait(&booking(r#""email":"a@example.com""#), &young("gclid", "X")), None);
    assert_eq!(wait(&booking(r#""gbraid":"X","wbraid":"Y""#), &young("gbraid", "X")), Some(6 * HOUR));
}

#[test]
fn what_is_never_sent_does_not_wait() {
    let event = booking(r#""gclid":"X""#);
    let attribution = landing("gclid", "X", 0);
    let subject = Subject::new(&event).attributed(Some(&attribution)).screened(Some(Skip::consent_denied()));
    assert_eq!(sink("").prepare(&subject, NOW).unwrap_err(), NotSent::Skip(Skip::consent_denied()));
}
