//! Cancellations (section 4).

use conversion_core::sink::{ConversionSink as _, NotSent, Order, Payload, Related, RelatedState, Subject};
use conversion_core::skip::Skip;
use conversion_core::{CanonicalEvent, Timestamp};
use sink_google_ads::GoogleAds;

use crate::support::{NOW, booking, build, event, prepare, settings, sink};

use Order::{Earlier, Later};
use RelatedState::{Delivered, NotDelivered, PerhapsDelivered, Unsent, Unsettled};

const RETRACT: &str = "retract_on = ['TRIAL_CANCELED', ' NO_SHOW ', '']";

/// Half an hour before the cancellation.
const DELIVERED: RelatedState = Delivered { at: Timestamp::constant(1_768_046_400 - 1800, 0) };

/// Given up then, perhaps received.
const PERHAPS: RelatedState = PerhapsDelivered { at: Timestamp::constant(1_768_046_400 - 1800, 0) };

const ROW: &str = concat!(
    r#"{"adjustmentType":"RETRACTION","conversionAction":"customers/1234567890/conversionActions/987654321","#,
    r#""adjustmentDateTime":"2026-01-10 12:00:00+00:00","orderId":"booking-7f3a"}"#,
);

fn cancellation() -> CanonicalEvent {
    event(
        r#"{"eventName":"TRIAL_CANCELED","eventId":"c-1","conversionId":"booking-7f3a","value":49,"currency":"EUR",
        "eventTime":"2026-01-10T12:00:00Z","email":"a@example.com","gclid":"g","consent":{"adUserData":"GRANTED"}}"#,
    )
}

fn other(name: &str, order: Order, state: RelatedState) -> Related {
    Related { event_name: name.to_owned(), order, state }
}

fn beside(sink: &GoogleAds, event: &CanonicalEvent, related: &[Related]) -> Result<Payload, NotSent> {
    sink.prepare(&Subject::new(event).beside(related), NOW)
}

/// What becomes of an event: the action that is told, or the reason why not.
fn outcome(event: &CanonicalEvent, related: &[Related]) -> String {
    match beside(&sink(RETRACT), event, related) {
        Ok(payload) => {
            let row: serde_json::Value = serde_json::from_str(payload.item.get()).unwrap();
            let action = row["conversionAction"].as_str().unwrap().rsplit('/').next().unwrap();
            format!("{} {action}", row["adjustmentType"].as_str().unwrap_or("conversion"))
        }
        Err(NotSent::Skip(skip)) => skip.reason.name.to_owned(),
        Err(NotSent::WaitForRelated) => "waits".to_owned(),
        Err(NotSent::WaitUntil { reason, .. }) => reason.name.to_owned(),
    }
}

#[test]
fn a_retraction_names_action_order_and_time_and_nothing_else() {
    let sink = sink(RETRACT);
    let payload = beside(&sink, &cancellation(), &[other("TRIAL_BOOKED", Earlier, DELIVERED)]).unwrap();
    assert_eq!(payload.item.get(), ROW);
    assert_eq!(payload.dedup_key.as_deref(), Some("1234567890|987654321|booking-7f3a|retraction"));
    assert_eq!(payload.not_yet_until, Some("2026-01-11T11:30:00Z".parse().unwrap()));
    let request = sink.compose(&[&payload]);
    assert_eq!(
        request.body.json(),
        format!(r#"{{"conversionAdjustments":[{ROW}],"partialFailure":true,"validateOnly":false}}"#)
    );
    assert_eq!(
        request.url,
        "https://googleads.googleapis.com/v26/customers/1234567890:uploadConversionAdjustments"
    );
    let conversion = prepare(&sink, &booking(r#""gclid":"g""#)).unwrap();
    assert_ne!(payload.group, conversion.group, "they cannot share a request");
    assert!(sink.compose(&[&conversion]).url.ends_with(":uploadClickConversions"));
    let again = beside(&sink, &cancellation(), &[other("TRIAL_BOOKED", Earlier, DELIVERED)]).unwrap();
    assert_eq!(payload.exclusive, again.exclusive, "nor can two of one order");
}

#[test]
fn a_checked_retraction_is_not_counted() {
    let sink = sink(&format!("validate_only = true\n{RETRACT}"));
    let payload = beside(&sink, &cancellation(), &[other("TRIAL_BOOKED", Earlier, DELIVERED)]).unwrap();
    assert!(sink.compose(&[&payload]).body.json().ends_with(r#""validateOnly":true}"#));
}

#[test]
fn its_time_lies_after_the_conversion() {
    for (delivered, written) in [
        ("2026-01-10T11:59:58Z", "2026-01-10 12:00:00+00:00"),
        ("2026-01-10T12:00:00.7Z", "2026-01-10 12:00:01+00:00"),
        ("2026-01-10T12:04:10Z", "2026-01-10 12:04:11+00:00"),
    ] {
        let booked = other("TRIAL_BOOKED", Earlier, Delivered { at: delivered.parse().unwrap() });
        let payload = beside(&sink(RETRACT), &cancellation(), &[booked]).unwrap();
        let expected = format!(r#""adjustmentDateTime":"{written}""#);
        assert!(payload.item.get().contains(&expected), "{delivered}: {}", payload.item.get());
    }
}

/// 987654321 is the action of TRIAL_BOOKED, 55 that of APPOINTMENT_UPDATED.
#[test]
fn a_cancellation_follows_its_original() {
    let booked = |order, state| other("TRIAL_BOOKED", order, state);
    let updated = |order, state| other("APPOINTMENT_UPDATED", order, state);
    for (related, expected) in [
        (vec![], "original_not_delivered"),
        (vec![booked(Earlier, DELIVERED)], "RETRACTION 987654321"),
        (vec![booked(Earlier, Unsettled)], "waits"),
        (vec![booked(Earlier, Unsent)], "canceled_before_sent"),
        (vec![booked(Earlier, NotDelivered)], "original_not_delivered"),
        // They came in the wrong order.
        (vec![booked(Later, DELIVERED)], "RETRACTION 987654321"),
        (vec![booked(Later, Unsettled)], "waits"),
        (vec![booked(Later, Unsent)], "waits"),
        (vec![booked(Later, NotDelivered)], "original_not_delivered"),
        (vec![booked(Later, PERHAPS)], "RETRACTION 987654321"),
        // Given up, but Google may count it.
        (vec![booked(Earlier, PERHAPS)], "RETRACTION 987654321"),
        (vec![booked(Earlier, PERHAPS), updated(Earlier, DELIVERED)], "RETRACTION 55"),
        (vec![booked(Earlier, PERHAPS), updated(Earlier, Unsettled)], "waits"),
        (vec![booked(Earlier, Unsent), updated(Earlier, PERHAPS)], "RETRACTION 55"),
        // Booked again since: that is not what was canceled.
        (vec![booked(Earlier, NotDelivered), booked(Later, DELIVERED)], "original_not_delivered"),
        (vec![booked(Earlier, NotDelivered), booked(Later, Unsent)], "original_not_delivered"),
        (vec![booked(Earlier, Unsettled), booked(Later, DELIVERED)], "waits"),
        // The first that Google has; what waits beside it stops by itself.
        (vec![booked(Earlier, DELIVERED), updated(Earlier, DELIVERED)], "RETRACTION 987654321"),
        (vec![booked(Earlier, NotDelivered), updated(Earlier, DELIVERED)], "RETRACTION 55"),
        (vec![booked(Earlier, Unsettled), updated(Earlier, DELIVERED)], "RETRACTION 55"),
        (vec![booked(Earlier, Unsent), updated(Earlier, Unsettled)], "waits"),
        (vec![booked(Earlier, NotDelivered), updated(Earlier, Unsent)], "canceled_before_sent"),
        // Neither a conversion nor a cancellation, and another cancellation.
        (vec![other("OTHER", Earlier, DELIVERED)], "original_not_delivered"),
        (vec![other("OTHER", Earlier, Unsettled)], "original_not_delivered"),
        (vec![other("NO_SHOW", Earlier, DELIVERED)], "original_not_delivered"),
        (vec![booked(Earlier, DELIVERED), other("NO_SHOW", Earlier, Unsettled)], "RETRACTION 987654321"),
    ] {
        assert_eq!(outcome(&cancellation(), &related), expected, "{related:?}");
    }
}

#[test]
fn a_conversion_that_was_canceled_since_is_not_sent() {
    let booking = booking(r#""gclid":"g""#);
    for (name, order, state, expected) in [
        ("TRIAL_CANCELED", Later, Unsent, "canceled_before_sent"),
        ("TRIAL_CANCELED", Later, Unsettled, "canceled_before_sent"),
        ("TRIAL_CANCELED", Later, NotDelivered, "canceled_before_sent"),
        ("TRIAL_CANCELED", Later, DELIVERED, "canceled_before_sent"),
        ("NO_SHOW", Later, Unsent, "canceled_before_sent"),
        // Booked again after it was canceled.
        ("TRIAL_CANCELED", Earlier, NotDelivered, "conversion 987654321"),
        ("TRIAL_CANCELED", Earlier, DELIVERED, "conversion 987654321"),
        ("APPOINTMENT_UPDATED", Later, Unsent, "conversion 987654321"),
        ("OTHER", Later, Unsent, "conversion 987654321"),
    ] {
        let related = [other(name, order, state)];
        assert_eq!(outcome(&booking, &related), expected, "{related:?}");
    }
    let canceled = [other("TRIAL_CANCELED", Later, Unsent)];
    assert!(beside(&sink(""), &booking, &canceled).is_ok(), "by default no event cancels another");
    let perhaps = Subject::new(&booking).beside(&canceled).perhaps_received(true);
    let sent = sink(RETRACT).prepare(&perhaps, NOW);
    assert!(sent.is_ok(), "what Google perhaps has is sent again, so that it can be taken back");
}

#[test]
fn the_skips_say_what_happened_and_what_to_do() {
    let skip = |related: &[Related]| match beside(&sink(RETRACT), &cancellation(), related) {
        Err(NotSent::Skip(skip)) => (skip.message, skip.reason.fix),
        other => panic!("not skipped: {other:?}"),
    };
    let (message, fix) = skip(&[other("TRIAL_BOOKED", Earlier, Unsent)]);
    assert_eq!(message, "Canceled before the conversion was sent");
    assert!(fix.starts_with("nothing"), "{fix}");
    let (message, fix) = skip(&[]);
    assert_eq!(message, "The conversion that was canceled was not delivered");
    assert!(fix.contains("retry"), "{fix}");
}

#[test]
fn credentials_come_first_then_the_mapping() {
    let cancellation = cancellation();
    let related = [other("TRIAL_BOOKED", Earlier, DELIVERED)];
    let subject = Subject::new(&cancellation).beside(&related);
    let reason = |sink: &GoogleAds| match sink.prepare(&subject, NOW) {
        Err(NotSent::Skip(skip)) => skip.reason.name,
        other => panic!("not skipped: {other:?}"),
    };
    let mut without_token = settings(RETRACT);
    without_token.remove("refresh_token");
    assert_eq!(reason(&build(without_token).unwrap()), "missing_credentials");
    assert_eq!(reason(&sink("")), "no_event_mapping");
}

/// It says nothing of the person, and the conversion would stay counted.
#[test]
fn consent_and_age_hold_back_conversions_but_not_what_takes_them_back() {
    let (cancellation, booking) = (cancellation(), booking(r#""gclid":"g""#));
    let booked = [other("TRIAL_BOOKED", Earlier, DELIVERED)];
    let canceled = [other("TRIAL_CANCELED", Later, Unsent)];
    for rule in [Skip::consent_denied(), Skip::event_too_old(std::time::Duration::from_secs(7 * 86_400))] {
        let subject = Subject::new(&cancellation).beside(&booked).screened(Some(rule.clone()));
        let payload = sink(RETRACT).prepare(&subject, NOW).unwrap();
        assert_eq!((payload.item.get(), payload.takes_back), (ROW, true));
        let subject = Subject::new(&booking).beside(&canceled).screened(Some(rule.clone()));
        assert_eq!(sink(RETRACT).prepare(&subject, NOW).unwrap_err(), NotSent::Skip(rule));
    }
    assert!(!prepare(&sink(RETRACT), &booking).unwrap().takes_back);
}

#[test]
fn related_deliveries_are_asked_for_only_where_it_matters() {
    let unmapped = CanonicalEvent { event_name: "OTHER".to_owned(), ..cancellation() };
    let booking = booking(r#""gclid":"g""#);
    for (settings, event, expected) in [
        (RETRACT, &cancellation(), true),
        (RETRACT, &booking, true),
        (RETRACT, &unmapped, false),
        ("", &cancellation(), false),
        ("", &booking, false),
    ] {
        assert_eq!(sink(settings).wants_related(event), expected, "{settings} {}", event.event_name);
    }
}

#[test]
fn the_mapping_shows_what_cancels() {
    let sink = sink(RETRACT);
    let shown: Vec<(&str, &str)> = sink.mapping().iter().map(|(name, at)| (&**name, &**at)).collect();
    let expected = [
        ("APPOINTMENT_UPDATED", "55"),
        ("NO_SHOW", "RETRACTION"),
        ("TRIAL_BOOKED", "987654321"),
        ("TRIAL_CANCELED", "RETRACTION"),
    ];
    assert_eq!(shown, expected);
}
