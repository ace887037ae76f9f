//! The specification's own example, byte for byte.

use conversion_core::CanonicalEvent;
use conversion_core::exchange::{Header, Request};
use conversion_core::registry::vocabulary;
use conversion_core::sink::{ConversionSink as _, Subject};

use crate::kit::{NOON, at, sink};

/// The body of the specification's curl command.
const EVENT: &str = r#"{
    "eventId": "test-123",
    "eventName": "TRIAL_BOOKED",
    "eventTime": "2026-01-10T12:00:00Z",
    "ttclid": "E.C.P.abc123xyz",
    "email": "test@example.com",
    "phone": "+14155551234",
    "pageUrl": "https://virtu.academy/schedule"
  }"#;

// printf %s test@example.com | sha256sum; printf %s 14155551234 | sha256sum; printf %s +14155551234 | sha256sum
const EMAIL: &str = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b";
const DIGITS: &str = "c6a349dfaaf5c3a368d3135014cc1bc7aebf18f654f313f9c1d0b018a897b209";
const PLUS: &str = "50389806e2857c36e22b0a1ed1e7df8606ebc0e931f6c083e73486f7a87d9a9f";

fn request(settings: &str) -> Request {
    let sink = sink(settings);
    let event = CanonicalEvent::parse(EVENT, &vocabulary(), at(NOON)).unwrap();
    let payload = sink.prepare(&Subject::new(&event), at(NOON)).unwrap();
    sink.compose(&[&payload])
}

fn expected(head: &str, phone: &str) -> String {
    format!(
        r#"{{"event_source":"web","event_source_id":"CXXX",{head}"data":[{{"event":"SubmitForm","event_time":1768046400,"event_id":"test-123","user":{{"ttclid":"E.C.P.abc123xyz","email":"{EMAIL}","phone":{phone}}},"page":{{"url":"https://virtu.academy/schedule"}}}}]}}"#
    )
}

#[test]
fn the_curl_event_as_the_specification_has_it() {
    let request = request("partner_name = 'VirtuAnalytics'\nphone_format = 'digits'");
    let body = expected(r#""partner_name":"VirtuAnalytics","#, &format!("\"{DIGITS}\""));
    assert_eq!(request.body.json(), body);
    assert_eq!(request.url, "https://business-api.tiktok.com/open_api/v1.3/event/track/");
    let headers: Vec<_> = request.headers.iter().map(|h: &Header| (h.name, h.recorded_value())).collect();
    assert_eq!(headers, [("content-type", "application/json"), ("access-token", "[redacted]")]);
    assert!(!format!("{request:?}").contains("hunter2"));
}

#[test]
fn by_default_both_digests_of_the_phone_and_no_partner() {
    assert_eq!(request("").body.json(), expected("", &format!(r#"["{DIGITS}","{PLUS}"]"#)));
}

#[test]
fn the_test_event_code_stands_beside_data() {
    let head = r#""partner_name":"VirtuAnalytics","test_event_code":"TEST12345","#;
    let settings = "partner_name = 'VirtuAnalytics'\ntest_event_code = 'TEST12345'\nphone_format = 'digits'";
    assert_eq!(request(settings).body.json(), expected(head, &format!("\"{DIGITS}\"")));
}

#[test]
fn the_mapping_is_the_specifications_and_can_be_overridden() {
    let overridden = "events = { TRIAL_BOOKED = 'CompleteRegistration', APPOINTMENT_UPDATED = 'Contact' }";
    for (settings, canonical, name) in [
        ("", "TRIAL_BOOKED", "SubmitForm"),
        ("", "TRIAL_RESCHEDULED", "SubmitForm"),
        ("", "APPOINTMENT_UPDATED", "Schedule"),
        (overridden, "TRIAL_BOOKED", "CompleteRegistration"),
        (overridden, "TRIAL_RESCHEDULED", "SubmitForm"),
        (overridden, "APPOINTMENT_UPDATED", "Contact"),
        ("events = { LESSON_PAID = ' Purchase ' }", "LESSON_PAID", "Purchase"),
    ] {
        let event = CanonicalEvent { event_name: canonical.to_owned(), ..crate::kit::event() };
        let item = crate::kit::prepare(settings, &event).item;
        assert!(
            item.get().starts_with(&format!(r#"{{"event":"{name}","event_time""#)),
            "{settings} {canonical}"
        );
    }
}
