//! One event in Google's shape. Digests are those of platforms/google-ads.md, section 5.

use conversion_core::sink::{ConversionSink as _, NotSent};
use serde_json::{Value, json};

use crate::support::{booking, item, prepare, sink};

const EMAIL: &str = "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a";
const PHONE: &str = "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30";

#[test]
fn an_event_is_the_one_of_the_page() {
    let event = booking(
        r#""gclid":"EAIaIQobChMI-example","email":" ALEXZ@example.com ","phone":"+1 (800) 555-0100","value":49.0,
        "currency":"EUR","consent":{"adUserData":"GRANTED","adPersonalization":"DENIED"}"#,
    );
    let expected = json!({
        "destinationReferences": ["987654321"],
        "transactionId": "sb-booking-7f3a",
        "eventTimestamp": "2026-01-10T12:00:00Z",
        "eventSource": "WEB",
        "currency": "EUR",
        "conversionValue": 49.0,
        "adIdentifiers": {"gclid": "EAIaIQobChMI-example"},
        "userData": {"userIdentifiers": [{"emailAddress": EMAIL}, {"phoneNumber": PHONE}]},
        "consent": {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_DENIED"},
    });
    assert_eq!(item(&sink(""), &event), expected);
}

#[test]
fn a_request_names_its_destination_and_encoding() {
    let sink = sink("login_account = '999-888-7776'");
    let payload = prepare(&sink, &booking(r#""gclid":"g""#)).unwrap();
    let request = sink.compose(&[&payload]);
    assert_eq!(request.url, "https://datamanager.googleapis.com/v1/events:ingest");
    let body: Value = serde_json::from_str(request.body.json()).unwrap();
    let account = |id| json!({"accountType": "GOOGLE_ADS", "accountId": id});
    let destination = json!({
        "reference": "987654321",
        "operatingAccount": account("1234567890"),
        "loginAccount": account("9998887776"),
        "productDestinationId": "987654321",
    });
    assert_eq!(body["destinations"], json!([destination]));
    assert_eq!((&body["encoding"], &body["validateOnly"]), (&json!("HEX"), &json!(false)));
}

#[test]
fn events_of_different_actions_share_no_request() {
    let sink = sink("");
    let mut purchase = booking(r#""gclid":"g""#);
    purchase.event_name = "PURCHASE".to_owned();
    let groups = [booking(r#""gclid":"g""#), purchase].map(|event| prepare(&sink, &event).unwrap().group);
    assert_eq!(groups, ["987654321", "55"]);
}

#[test]
fn an_address_is_sent_whole_or_not_at_all() {
    let part = |left_out: &str| {
        let parts = [
            ("firstName", r#""firstName":" Mary-Ann ""#),
            ("lastName", r#""lastName":"O'Neil""#),
            ("country", r#""country":"us""#),
            ("postalCode", r#""postalCode":"94035""#),
        ];
        let kept = |name: &str| {
            parts
                .iter()
                .filter(|(part, _)| *part == name && *part != left_out)
                .map(|(_, json)| *json)
                .collect::<String>()
        };
        let names: Vec<String> =
            ["firstName", "lastName"].map(kept).into_iter().filter(|part| !part.is_empty()).collect();
        let address: Vec<String> =
            ["country", "postalCode"].map(kept).into_iter().filter(|part| !part.is_empty()).collect();
        let names = names.join(",");
        booking(&format!(r#""gclid":"g",{names},"address":{{{}}}"#, address.join(",")))
    };
    let whole = item(&sink(""), &part(""));
    let address = &whole["userData"]["userIdentifiers"][0]["address"];
    // sha256("maryann"), sha256("oneil"): without punctuation, in lower case.
    let digest = |name: &str| conversion_core::identity::Digest::of(name).to_string();
    let expected = json!({
        "givenName": digest("maryann"), "familyName": digest("oneil"), "regionCode": "US", "postalCode": "94035",
    });
    assert_eq!(*address, expected);
    for left_out in ["firstName", "lastName", "country", "postalCode"] {
        assert_eq!(item(&sink(""), &part(left_out))["userData"], Value::Null, "{left_out}");
    }
}

#[test]
fn identifiers_stay_away_from_braids_and_from_who_refused() {
    for (fields, user_data, notes) in [
        (r#""gbraid":"b","email":"a@b.co""#, false, vec!["identifiers_dropped_for_braid"]),
        (r#""wbraid":"w","gclid":"g","email":"a@b.co""#, true, vec!["other_click_ids_dropped"]),
        (r#""gclid":"g","email":"a@b.co","consent":{"adUserData":"DENIED"}"#, false, vec![]),
        (r#""gclid":"g","email":"  ","phone":"12""#, false, vec!["phone_unusable"]),
    ] {
        let payload = prepare(&sink(""), &booking(fields)).unwrap();
        let item: Value = serde_json::from_str(payload.item.get()).unwrap();
        assert_eq!(item["userData"].is_object(), user_data, "{fields}");
        assert_eq!(payload.notes, notes, "{fields}");
    }
}

#[test]
fn an_ip_address_leaves_only_where_it_is_asked_for_and_allowed() {
    let event = |country: &str| {
        booking(&format!(r#""gclid":"g","ip":"8.8.8.8","address":{{"country":"{country}"}}"#))
    };
    let shown = |extra: &str, country: &str| {
        item(&sink(extra), &event(country))["adIdentifiers"]["landingPageDeviceInfo"]["ipAddress"].clone()
    };
    assert_eq!(shown("", "US"), Value::Null);
    assert_eq!(shown("send_ip = true", "US"), json!("8.8.8.8"));
    assert_eq!(shown("send_ip = true", "DE"), Value::Null);
}

#[test]
fn nobody_to_find_is_a_skip() {
    let NotSent::Skip(skip) = prepare(&sink(""), &booking(r#""firstName":"Ada""#)).unwrap_err() else {
        panic!("it waits");
    };
    assert_eq!(skip.reason.name, "no_identifiers");
}
