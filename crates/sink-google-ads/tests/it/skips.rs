//! Why nothing is sent: the spec's sentences.

use conversion_core::sink::NotSent;
use sink_google_ads::GoogleAds;

use crate::support::{booking, build, context, denied, prepare, sink};

fn message(result: Result<conversion_core::sink::Payload, NotSent>) -> String {
    match result {
        Err(NotSent::Skip(skip)) => skip.message,
        other => panic!("not skipped: {other:?}"),
    }
}

#[test]
fn the_sentences_are_the_specs() {
    let event = booking(r#""gclid":"g""#);
    let sink_without = |name| GoogleAds::new(toml::Table::new(), &context(name)).unwrap();
    assert_eq!(
        message(prepare(&build(toml::Table::new()).unwrap(), &event)),
        "Missing env: GOOGLE_ADS_CLIENT_ID, GOOGLE_ADS_CLIENT_SECRET, GOOGLE_ADS_REFRESH_TOKEN, GOOGLE_ADS_CUSTOMER_ID"
    );
    assert_eq!(
        message(prepare(&sink_without("google-ads-2"), &event)),
        "Missing settings: client_id, client_secret, refresh_token, customer_id"
    );
    let canceled = conversion_core::CanonicalEvent { event_name: "TRIAL_CANCELED".to_owned(), ..event };
    assert_eq!(message(prepare(&sink(""), &canceled)), "No Google Ads event mapping for: TRIAL_CANCELED");
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
