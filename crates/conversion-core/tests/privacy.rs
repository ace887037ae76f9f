//! What names a person is neither printed nor kept where an event goes without identifiers.
#![expect(clippy::unwrap_used, reason = "clippy's leave for tests does not reach their helpers")]

use std::fmt::Debug;

use conversion_core::attribution::{Attribution, Click};
use conversion_core::booking::Appointment;
use conversion_core::event::{Property, Vocabulary};
use conversion_core::exchange::{Body, Reply};
use conversion_core::{CanonicalEvent, Timestamp};
use serde_json::{Value, json};

/// An event with every field that is about a person, and some that are not.
fn everything() -> CanonicalEvent {
    let json = json!({
        "eventId": "e1", "eventName": "TRIAL_BOOKED", "eventTime": "2026-01-10T12:00:00Z", "conversionId": "c1",
        "email": "ann@example.com", "phone": "+1 415 555 0142", "externalId": "person-7", "firstName": "Ann",
        "lastName": "Byrd", "address": {"street": "1 Elm Road", "city": "Salem", "country": "US"}, "ip": "192.0.2.7",
        "userAgent": "Mozilla/5.0", "clickIds": {"gclid": "G1"}, "leadId": "lead-9", "searchString": "Ann",
        "description": "Byrd", "pageUrl": "https://x.test/?mail=ann@example.com&gclid=G1",
        "pageReferrer": "https://y.test/?name=Byrd&page=2", "value": 49.90, "currency": "USD", "orderId": "o1",
        "properties": {"mail": "ann@example.com", "tel": 14_155_550_142_u64, "level": "beginner", "returning": true},
    });
    CanonicalEvent::parse(
        &json.to_string(),
        &Vocabulary::new([]),
        Timestamp::from_second(1_768_046_400).unwrap(),
    )
    .unwrap()
}

#[test]
fn an_event_without_identifiers_keeps_what_names_nobody_and_nothing_else() {
    let kept: Value = serde_json::from_str(&everything().without_identifiers().to_json()).unwrap();
    let expected = json!({
        "eventId": "e1", "eventName": "TRIAL_BOOKED", "eventTime": "2026-01-10T12:00:00Z", "conversionId": "c1",
        "clickIds": {"gclid": "G1"}, "pageUrl": "https://x.test/?gclid=G1", "pageReferrer": "https://y.test/?page=2",
        "value": 49.90, "currency": "USD", "orderId": "o1",
        "properties": {"level": "beginner", "returning": true},
    });
    assert_eq!(kept, expected);
}

#[test]
fn words_that_are_not_the_persons_own_stay() {
    let event = CanonicalEvent {
        search_string: Some("piano".into()),
        description: Some("An hour".into()),
        ..everything()
    };
    let kept = event.without_identifiers();
    assert_eq!((kept.search_string, kept.description), (event.search_string, event.description));
}

#[test]
fn what_is_printed_says_what_it_is_and_nothing_of_the_person() {
    let at = Timestamp::from_second(1_768_046_400).unwrap();
    let event = everything();
    let click = Click { value: "secret".into(), at };
    let attribution = Attribution {
        clicks: [("gclid".to_owned(), click.clone())].into(),
        user_agent: Some("secret".into()),
        ..Attribution::new("va-1", at)
    };
    let appointment = Appointment {
        id: "77".into(),
        is_trial: true,
        service: "secret".into(),
        starts_at: None,
        booked_at: None,
        is_canceled: false,
        details: event.clone(),
        unwanted: None,
    };
    let body = Body::from_recorded("[secret,2]".into(), vec![1..7, 8..9]);
    let reply = Reply { status: 200, body: "secret".into(), truncated: false };
    let cases: [(&dyn Debug, &str); 8] = [
        (&attribution, r#"Attribution { id: "va-1", .. }"#),
        (&click, "Click(at 2026-01-10T12:00:00Z)"),
        (&appointment, r#"Appointment { id: "77", .. }"#),
        (&event.address, "Address"),
        (&Property::Text("secret".into()), "Property"),
        (
            &event,
            "CanonicalEvent { event_name: \"TRIAL_BOOKED\", event_id: \"e1\", event_time: 2026-01-10T12:00:00Z, .. }",
        ),
        (&body, "Body(2 items, 10 bytes)"),
        (&reply, "Reply(200, 6 bytes)"),
    ];
    for (value, printed) in cases {
        assert_eq!(format!("{value:?}"), printed);
    }
}
