//! Why nothing is sent: the spec's sentences, in the spec's order.

use conversion_core::sink::{ConversionSink as _, NotSent, Subject};
use conversion_core::skip::Skip;
use sink_google_ads::GoogleAds;

use crate::support::{NOW, booking, build, context, denied, prepare, settings, sink};

const CREDENTIALS: [(&str, &str); 4] = [
    ("client_id", "GOOGLE_ADS_CLIENT_ID"),
    ("client_secret", "GOOGLE_ADS_CLIENT_SECRET"),
    ("refresh_token", "GOOGLE_ADS_REFRESH_TOKEN"),
    ("customer_id", "GOOGLE_ADS_CUSTOMER_ID"),
];

fn message(result: Result<conversion_core::sink::Payload, NotSent>) -> String {
    match result {
        Err(NotSent::Skip(skip)) => skip.message,
        other => panic!("not skipped: {other:?}"),
    }
}

#[test]
fn each_missing_credential_is_named() {
    for (setting, variable) in CREDENTIALS {
        for empty in [false, true] {
            let mut table = settings("");
            table.remove(setting);
            if empty {
                table.insert(setting.to_owned(), " ".into());
            }
            let sink = build(table).unwrap();
            assert_eq!(
                message(prepare(&sink, &booking(r#""gclid":"g""#))),
                format!("Missing env: {variable}")
            );
        }
    }
}

#[test]
fn missing_credentials_are_named_in_order_and_come_before_all_else() {
    let names = CREDENTIALS.map(|(_, variable)| variable).join(", ");
    let unmapped = booking(r#""email":"a@example.com""#);
    let sink = build(toml::Table::new()).unwrap();
    assert_eq!(message(prepare(&sink, &unmapped)), format!("Missing env: {names}"));
    let sink = GoogleAds::new(toml::Table::new(), &context("google-ads-2")).unwrap();
    let settings = CREDENTIALS.map(|(setting, _)| setting).join(", ");
    assert_eq!(message(prepare(&sink, &unmapped)), format!("Missing settings: {settings}"));
}

#[test]
fn an_event_without_conversion_action_is_not_sent() {
    for (events, name) in [("", "TRIAL_CANCELED"), ("TRIAL_BOOKED = ''", "TRIAL_BOOKED")] {
        let sink = sink(&format!("events = {{ {events} }}"));
        let event =
            conversion_core::CanonicalEvent { event_name: name.to_owned(), ..booking(r#""gclid":"g""#) };
        assert_eq!(message(prepare(&sink, &event)), format!("No Google Ads event mapping for: {name}"));
    }
}

#[test]
fn mapping_comes_before_the_operators_rules_and_these_before_identifiers() {
    let unmapped =
        conversion_core::CanonicalEvent { event_name: "OTHER".to_owned(), ..booking(r#""value":1"#) };
    let screened = |event| {
        let subject = Subject::new(event).screened(Some(Skip::consent_denied()));
        match sink("").prepare(&subject, NOW) {
            Err(NotSent::Skip(skip)) => skip.reason,
            other => panic!("not skipped: {other:?}"),
        }
    };
    assert_eq!(screened(&unmapped), "no_event_mapping");
    assert_eq!(screened(&booking(r#""value":1"#)), "consent_denied");
}

#[test]
fn nobody_can_be_matched_by_nothing() {
    let sentence = "Missing gclid/gbraid/wbraid and user identifiers (email/phone)";
    for fields in [
        r#""value":1"#,
        r#""phone":"12""#,
        r#""externalId":"x","ip":"8.8.8.8","userAgent":"u""#,
        r#""clickIds":{"ttclid":"t"}"#,
    ] {
        assert_eq!(message(prepare(&sink("send_ip = true"), &booking(fields))), sentence, "{fields}");
    }
}

#[test]
fn identifiers_of_a_person_who_refused_are_none() {
    let event =
        conversion_core::CanonicalEvent { consent: denied(), ..booking(r#""email":"a@example.com""#) };
    assert!(message(prepare(&sink(""), &event)).starts_with("Missing gclid"));
}
