//! Payloads and requests, compared by hand with `platforms/google-ads.md`, section 3.5.

use conversion_core::CanonicalEvent;
use conversion_core::dedup::DedupTarget;
use conversion_core::exchange::Header;
use conversion_core::sink::ConversionSink as _;

use crate::support::{booking, denied, prepare, sink};

const FULL: &str = r#""gclid":"EAIaIQobChMI-example","value":49.0,"currency":"EUR",
    "email":"alexz@example.com","phone":"+18005550100","consent":{"adUserData":"GRANTED"}"#;

const FULL_ROW: &str = concat!(
    r#"{"gclid":"EAIaIQobChMI-example","#,
    r#""conversionAction":"customers/1234567890/conversionActions/987654321","#,
    r#""conversionDateTime":"2026-01-10 12:00:00+00:00","conversionValue":49.0,"currencyCode":"EUR","#,
    r#""orderId":"booking-7f3a","userIdentifiers":["#,
    r#"{"hashedEmail":"509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a"},"#,
    r#"{"hashedPhoneNumber":"fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"}],"#,
    r#""consent":{"adUserData":"GRANTED"}}"#,
);

const BARE_ROW: &str = concat!(
    r#"{"gclid":"g","conversionAction":"customers/1234567890/conversionActions/987654321","#,
    r#""conversionDateTime":"2026-01-10 12:00:00+00:00","orderId":"booking-7f3a"}"#,
);

fn row(settings: &str, event: &CanonicalEvent) -> String {
    prepare(&sink(settings), event).unwrap().item.get().to_owned()
}

#[test]
fn the_reference_example_is_what_we_send() {
    let sink = sink("");
    let payload = prepare(&sink, &booking(FULL)).unwrap();
    assert_eq!(payload.item.get(), FULL_ROW);
    assert_eq!(payload.notes, Vec::<&str>::new());
    assert_eq!(payload.dedup_key.as_deref(), Some("1234567890|987654321|booking-7f3a"));
    let request = sink.compose(&[&payload]);
    assert_eq!(
        request.body.json(),
        format!(r#"{{"conversions":[{FULL_ROW}],"partialFailure":true,"validateOnly":false}}"#)
    );
    assert_eq!(
        request.url,
        "https://googleads.googleapis.com/v26/customers/1234567890:uploadClickConversions"
    );
}

#[test]
fn absent_fields_are_left_out() {
    assert_eq!(row("", &booking(r#""gclid":"g""#)), BARE_ROW);
    // A currency means nothing without a value; ad personalisation cannot be set; a value of 0 is one.
    assert_eq!(
        row("", &booking(r#""gclid":"g","currency":"EUR","consent":{"adPersonalization":"GRANTED"}"#)),
        BARE_ROW
    );
    let free = row("", &booking(r#""gclid":"g","value":0"#));
    assert!(free.contains(r#""conversionValue":0,"orderId""#), "{free}");
}

#[test]
fn the_order_id_is_the_conversion_id() {
    let payload =
        prepare(&sink(""), &booking(r#""gclid":"g","conversionId":"appt-1","orderId":"other""#)).unwrap();
    assert!(payload.item.get().contains(r#""orderId":"appt-1""#));
    assert_eq!(payload.dedup_key.as_deref(), Some("1234567890|987654321|appt-1"));
}

#[test]
fn account_and_action_are_where_google_dedupes() {
    let target = |settings, name: &str| sink(settings).dedup_target(name);
    for (settings, name, expected) in [
        ("", "TRIAL_BOOKED", Some(["1234567890", "987654321"])),
        ("", "APPOINTMENT_UPDATED", Some(["1234567890", "55"])),
        ("customer_id = '5555555555'", "TRIAL_BOOKED", Some(["5555555555", "987654321"])),
        ("events = { TRIAL_BOOKED = '222' }", "TRIAL_BOOKED", Some(["1234567890", "222"])),
        ("refresh_token = '1//another'", "TRIAL_BOOKED", Some(["1234567890", "987654321"])),
        // Nothing of these is sent; what a cancellation takes back, its name does not say.
        ("", "UNMAPPED", None),
        ("refresh_token = ''", "TRIAL_BOOKED", None),
        ("retract_on = ['TRIAL_CANCELED']", "TRIAL_CANCELED", None),
    ] {
        let expected = expected.map(|parts| DedupTarget::new(&parts));
        assert_eq!(target(settings, name), expected, "{settings} {name}");
    }
    let event = booking(r#""gclid":"g","conversionId":"appt-1""#);
    let key = target("", "TRIAL_BOOKED").unwrap().key("appt-1");
    assert_eq!(prepare(&sink(""), &event).unwrap().dedup_key, Some(key));
}

#[test]
fn a_refusal_goes_with_the_click_and_nothing_personal_does() {
    let event = booking(
        r#""gclid":"g","email":"a@example.com","phone":"+18005550100","ip":"8.8.8.8","address":{"country":"US"}"#,
    );
    let event = CanonicalEvent { consent: denied(), ..event };
    let expected = BARE_ROW.replace("\"}", r#"","consent":{"adUserData":"DENIED"}}"#);
    for event in [&event, &event.without_identifiers()] {
        assert_eq!(row("send_ip = true", event), expected);
    }
}

#[test]
fn an_ip_address_needs_the_setting_and_a_country() {
    let fields = r#""gclid":"g","ip":"8.8.8.8","address":{"country":"US"}"#;
    let sent = |row: &str| row.contains(r#""userIpAddress":"8.8.8.8""#);
    assert!(sent(&row("send_ip = true", &booking(fields))));
    assert!(!sent(&row("", &booking(fields))));
    for country in ["DE", "GB", "CH", "XX"] {
        let payload = prepare(&sink("send_ip = true"), &booking(&fields.replace("US", country))).unwrap();
        assert!(!sent(payload.item.get()), "{country}");
        assert_eq!(payload.notes, ["ip_withheld"]);
    }
    assert!(prepare(&sink("send_ip = true"), &booking(r#""gclid":"g""#)).unwrap().notes.is_empty());
}

#[test]
fn what_is_unusable_is_noted() {
    let payload = prepare(&sink(""), &booking(r#""gclid":"g","phone":"12""#)).unwrap();
    assert_eq!((payload.item.get(), payload.notes), (BARE_ROW, vec!["phone_unusable"]));
}

#[test]
fn actions_may_be_resource_names_and_numbers() {
    let action = "events = { TRIAL_BOOKED = 'customers/42/conversionActions/987654321' }";
    assert_eq!(row(action, &booking(r#""gclid":"g""#)), BARE_ROW);
    assert_eq!(row("events = { TRIAL_BOOKED = 987654321 }", &booking(r#""gclid":"g""#)), BARE_ROW);
}

#[test]
fn headers_are_those_that_are_configured() {
    let headers = |settings| {
        let request = sink(settings).compose(&[]);
        let recorded = |header: &Header| (header.name, header.recorded_value().to_owned());
        request.headers.iter().map(recorded).collect::<Vec<_>>()
    };
    let usual = [("content-type", "application/json"), ("authorization", "[redacted]")];
    let owned = |pairs: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    };
    assert_eq!(headers(""), owned(&usual));
    let all = [usual[0], usual[1], ("login-customer-id", "9998887776"), ("developer-token", "[redacted]")];
    assert_eq!(headers("login_customer_id = '999-888-7776'\ndeveloper_token = 'dev'"), owned(&all));
}

#[test]
fn validate_only_and_version_are_settings() {
    let request =
        sink("validate_only = true\napi_version = 'v22'\nbase_url = 'http://localhost:1/x/'").compose(&[]);
    assert_eq!(request.body.json(), r#"{"conversions":[],"partialFailure":true,"validateOnly":true}"#);
    assert_eq!(request.url, "http://localhost:1/x/v22/customers/1234567890:uploadClickConversions");
}

#[test]
fn one_request_holds_no_order_and_no_click_twice() {
    let sink = sink("");
    let keys = |fields: &str, id: &str| {
        let event = CanonicalEvent { event_id: id.to_owned(), ..booking(fields) };
        prepare(&sink, &event).unwrap().exclusive
    };
    let shared = |a: &[u64], b: &[u64]| a.iter().filter(|key| b.contains(key)).count();
    let first = keys(r#""gclid":"g""#, "a");
    assert_eq!(shared(&first, &keys(r#""gclid":"g""#, "a")), 2);
    assert_eq!(shared(&first, &keys(r#""gclid":"other""#, "a")), 1);
    assert_eq!(shared(&first, &keys(r#""gclid":"g""#, "b")), 1);
    assert_eq!(shared(&first, &keys(r#""gclid":"other""#, "b")), 0);
    assert_eq!(shared(&first, &keys(r#""email":"a@example.com""#, "b")), 0);
    let another_action =
        CanonicalEvent { event_name: "APPOINTMENT_UPDATED".into(), ..booking(r#""gclid":"g""#) };
    let another_action = CanonicalEvent { event_id: "a".into(), ..another_action };
    assert_eq!(shared(&first, &prepare(&sink, &another_action).unwrap().exclusive), 0);
    let later = CanonicalEvent { event_time: crate::support::NOW, ..booking(r#""gclid":"g""#) };
    let later = CanonicalEvent {
        event_id: "b".into(),
        event_time: later.event_time + jiff::SignedDuration::from_secs(1),
        ..later
    };
    assert_eq!(shared(&first, &prepare(&sink, &later).unwrap().exclusive), 0);
}
