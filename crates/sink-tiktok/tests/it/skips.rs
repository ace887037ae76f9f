//! Why nothing is sent, in the specification's words.

use conversion_core::CanonicalEvent;
use conversion_core::registry;
use conversion_core::sink::{ConversionSink as _, NotSent, Order, Related, RelatedState, Subject};
use conversion_core::skip::Skip;
use sink_tiktok::TikTok;

use crate::kit::{NOON, at, bare_event, build, event, prepare, sink};

const NO_IDENTIFIERS: &str = "Missing ttclid/ttp and user identifiers (email/phone)";

fn skip(sink: &TikTok, subject: &Subject<'_>) -> (&'static str, String) {
    match sink.prepare(subject, at(NOON)) {
        Err(NotSent::Skip(skip)) => (skip.reason.name, skip.message),
        other => panic!("{other:?}"),
    }
}

fn skipped(settings: &str, event: &CanonicalEvent) -> (&'static str, String) {
    skip(&sink(settings), &Subject::new(event))
}

fn click(name: &str, value: &str) -> CanonicalEvent {
    let mut event = bare_event();
    event.click_ids.insert(name.to_owned(), value.to_owned());
    event
}

#[test]
fn the_sentences_are_the_specifications() {
    let nothing_set = skip(&build("").unwrap(), &Subject::new(&event()));
    let missing = "Missing env: TIKTOK_PIXEL_ID, TIKTOK_ACCESS_TOKEN";
    assert_eq!(nothing_set, ("missing_credentials", missing.to_owned()));
    for name in ["TRIAL_CANCELED", "trial_booked"] {
        let event = CanonicalEvent { event_name: name.to_owned(), ..event() };
        assert_eq!(skipped("", &event), ("no_event_mapping", format!("No TikTok event mapping for: {name}")));
    }
}

#[test]
fn one_of_the_four_identifiers_is_enough_for_the_web() {
    for event in [
        click("ttclid", "E.C.P.x"),
        click("ttp", "abc"),
        event(),
        CanonicalEvent { phone: Some("4155551234".to_owned()), ..bare_event() },
    ] {
        prepare("", &event);
    }
}

#[test]
fn nothing_else_is_an_identifier() {
    let of_no_use = CanonicalEvent {
        external_id: Some("user_123".to_owned()),
        ip: Some("8.8.8.8".parse().unwrap()),
        user_agent: Some("Mozilla/5.0".to_owned()),
        first_name: Some("Ann".to_owned()),
        email: Some(" ".to_owned()),
        phone: Some("12345".to_owned()),
        click_ids: [("gclid", "x"), ("ttclid", " ")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        ..bare_event()
    };
    for event in [of_no_use, bare_event()] {
        assert_eq!(skipped("", &event), ("no_identifiers", NO_IDENTIFIERS.to_owned()));
    }
}

#[test]
fn other_sources_want_identifiers_that_they_may_send() {
    const PERSON: &str = "Missing user identifiers (email/phone)";
    for (source, event, message) in [
        ("offline", click("ttclid", "E.C.P.x"), PERSON),
        ("app", click("ttclid", "E.C.P.x"), PERSON),
        ("crm", event(), "Missing leadId"),
    ] {
        let settings = format!("event_source = '{source}'");
        assert_eq!(skipped(&settings, &event), ("no_identifiers", message.to_owned()), "{source}");
    }
    prepare("event_source = 'offline'", &event());
    prepare("event_source = 'app'", &event());
    prepare("event_source = 'crm'", &CanonicalEvent { lead_id: Some("L1".to_owned()), ..bare_event() });
}

fn beside(settings: &str, name: &str, order: Order, state: RelatedState) -> Result<(), NotSent> {
    let event = CanonicalEvent { event_name: "TRIAL_RESCHEDULED".to_owned(), ..event() };
    let other = Related { event_name: name.to_owned(), order, state };
    let subject = Subject::new(&event).beside(std::slice::from_ref(&other));
    sink(settings).prepare(&subject, at(NOON)).map(|_| ())
}

#[test]
fn once_means_that_a_conversion_is_sent_once_under_one_name() {
    use Order::{Earlier, Later};
    use RelatedState::{Delivered, NotDelivered, Unsent, Unsettled};
    let delivered = Delivered { at: at(NOON) };
    let counted = Err(NotSent::Skip(Skip::already_counted("TRIAL_BOOKED")));
    for (reschedules, other, order, state, expected) in [
        ("once", "TRIAL_BOOKED", Earlier, delivered, counted.clone()),
        ("once", "TRIAL_BOOKED", Earlier, Unsettled, Err(NotSent::WaitForRelated)),
        ("once", "TRIAL_BOOKED", Earlier, Unsent, Err(NotSent::WaitForRelated)),
        ("once", "TRIAL_BOOKED", Earlier, NotDelivered, Ok(())),
        // One that was given up and is tried again by hand, after a later one was delivered.
        ("once", "TRIAL_BOOKED", Later, delivered, counted),
        // Two that waited for each other would wait for ever.
        ("once", "TRIAL_BOOKED", Later, Unsettled, Ok(())),
        ("once", "APPOINTMENT_UPDATED", Earlier, delivered, Ok(())),
        ("once", "APPOINTMENT_UPDATED", Earlier, Unsettled, Ok(())),
        ("once", "TRIAL_CANCELED", Earlier, delivered, Ok(())),
        ("resend", "TRIAL_BOOKED", Earlier, delivered, Ok(())),
        ("resend", "TRIAL_BOOKED", Earlier, Unsettled, Ok(())),
    ] {
        let settings = format!("reschedules = '{reschedules}'");
        let sent = beside(&settings, other, order, state);
        assert_eq!(sent, expected, "{reschedules} {other} {order:?} {state:?}");
    }
    assert_eq!(beside("", "TRIAL_BOOKED", Earlier, delivered), Ok(()), "resend is the default");
}

#[test]
fn related_deliveries_are_asked_for_only_where_it_matters() {
    let unmapped = CanonicalEvent { event_name: "OTHER".to_owned(), ..event() };
    assert!(sink("reschedules = 'once'").wants_related(&event()));
    assert!(!sink("reschedules = 'once'").wants_related(&unmapped));
    assert!(!sink("").wants_related(&event()));
}

#[test]
fn an_answer_is_about_the_whole_request_and_is_shown_whole() {
    let plugin = registry::find("tiktok").unwrap();
    let body = r#"{"code":40002,"message":"data.3.event"}"#;
    assert_eq!((plugin.own_reply)(body, 1).unwrap(), body);
}
