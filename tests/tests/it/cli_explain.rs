//! `signalbox explain`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{SPEC_EVENT, event, signalbox};

// printf %s test@example.com | sha256sum; printf %s 14155551234 | sha256sum; printf %s +14155551234 | sha256sum
const EMAIL: &str = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b";
const DIGITS: &str = "c6a349dfaaf5c3a368d3135014cc1bc7aebf18f654f313f9c1d0b018a897b209";
const PLUS: &str = "50389806e2857c36e22b0a1ed1e7df8606ebc0e931f6c083e73486f7a87d9a9f";

fn environment() -> BTreeMap<String, String> {
    let variables = [("TIKTOK_PIXEL_ID", "CXXX"), ("TIKTOK_ACCESS_TOKEN", "tiktok-token")];
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn explain(event: &str, arguments: &[&str], environment: &BTreeMap<String, String>) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("event.json");
    std::fs::write(&file, event).unwrap();
    let arguments = [&["explain", file.to_str().unwrap()], arguments].concat();
    let output = signalbox(&arguments, environment).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_specifications_event_step_by_step() {
    let (code, text) = explain(SPEC_EVENT, &[], &environment());
    assert_eq!(code, Some(0));
    for said in [
        "mapping: TRIAL_BOOKED → SubmitForm",
        "email → user.email",
        EMAIL,
        "14155551234",
        DIGITS,
        "+14155551234",
        PLUS,
        "POST https://business-api.tiktok.com/open_api/v1.3/event/track/",
        "access-token: [redacted]",
        "SKIPPED (missing_credentials): Missing env: GOOGLE_ADS_CLIENT_ID, GOOGLE_ADS_CLIENT_SECRET, \
         GOOGLE_ADS_REFRESH_TOKEN, GOOGLE_ADS_CUSTOMER_ID",
        "fix: ",
    ] {
        assert!(text.contains(said), "{said} is not in\n{text}");
    }
    assert!(!text.contains("tiktok-token"), "{text}");
    assert!(!text.contains('\u{1b}'), "colours belong on a terminal alone");
}

#[test]
fn the_same_as_json() {
    let (code, text) = explain(SPEC_EVENT, &["--json"], &environment());
    assert_eq!(code, Some(0));
    let explained: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(explained["eventId"], "test-123");
    let tiktok = &explained["sinks"][0];
    assert_eq!((&tiktok["sink"], &tiktok["mapping"]), (&json!("tiktok"), &json!("SubmitForm")));
    let sent: Vec<(&str, &str)> = tiktok["identifiers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trace| (trace["target"].as_str().unwrap(), trace["sent"].as_str().unwrap()))
        .collect();
    assert_eq!(sent, [("user.email", EMAIL), ("user.phone", DIGITS), ("user.phone", PLUS)]);
    let user = json!({ "ttclid": "E.C.P.abc123xyz", "email": EMAIL, "phone": [DIGITS, PLUS] });
    assert_eq!(tiktok["request"]["body"]["data"][0]["user"], user);
    let google = &explained["sinks"][1];
    assert_eq!(google["skip"]["reason"], "missing_credentials");
    assert_eq!(google.get("request"), None);
}

#[test]
fn each_skip_comes_with_its_fix() {
    let canceled = SPEC_EVENT.replace("TRIAL_BOOKED", "TRIAL_CANCELED");
    let mock = [("OUTBOUND_MODE".to_owned(), "mock".to_owned())].into();
    for (event, environment, sentence, fix) in [
        (
            canceled.as_str(),
            environment(),
            "SKIPPED (no_event_mapping): No TikTok event mapping for: TRIAL_CANCELED",
            "fix: map the event's name in [sinks.events], if it should be sent (OPERATOR)",
        ),
        (SPEC_EVENT, mock, "SKIPPED (mock_mode): TIKTOK mock mode", "fix: set OUTBOUND_MODE=live"),
    ] {
        let (code, text) = explain(event, &[], &environment);
        assert_eq!(code, Some(0));
        assert!(text.contains(sentence) && text.contains(fix), "{text}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let (code, text) = explain(&SPEC_EVENT.replace("\"phone\"", "\"fone\""), &[], &environment());
    assert_eq!((code, text.as_str()), (Some(1), "rejected: fone: is not a field; did you mean `phone`?\n"));
    let missing = signalbox(&["explain", "no-such-file.json"], &environment()).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    let said = String::from_utf8(missing.stderr).unwrap();
    assert!(said.contains("cannot read no-such-file.json"), "{said}");
}

#[test]
fn all_sinks_stand_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signalbox.toml");
    let kinds = ["tiktok", "google-ads", "google-data-manager", "meta"];
    std::fs::write(&file, kinds.map(|kind| format!("[[sinks]]\nkind = '{kind}'\n")).concat()).unwrap();
    let mut environment = environment();
    let more = [
        ("SIGNALBOX_CONFIG", file.to_str().unwrap()),
        ("META_DATASET_ID", "123456"),
        ("META_ACCESS_TOKEN", "meta-token"),
    ];
    environment.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let told = json!({
        "eventId": "p-1", "eventName": "PURCHASE", "eventTime": event("PURCHASE", "p-1")["eventTime"],
        "email": "test@example.com", "fbclid": "IwAR0abcdef", "ttclid": "E.C.P.abc123xyz",
        "ip": "203.0.113.5", "userAgent": "Mozilla/5.0", "value": 50, "currency": "USD", "orderId": "o-1",
    });
    let (code, text) = explain(&told.to_string(), &[], &environment);
    assert_eq!(code, Some(0));
    let table = "
                 tiktok             google-ads           google-data-manager  meta
told             yes                missing_credentials  missing_credentials  yes
told as          Purchase           -                    -                    Purchase
deduplicated by  CXXX|Purchase|p-1  -                    -                    123456|Purchase|p-1
clickIds.fbclid  -                  -                    -                    fbc
clickIds.ttclid  ttclid             -                    -                    -
currency         currency           -                    -                    currency
email            email              hashedEmail          emailAddress         em
ip               ip                 -                    -                    client_ip_address
orderId          order_id           -                    -                    order_id
userAgent        user_agent         -                    -                    client_user_agent
value            value              -                    -                    value

tiktok (TIKTOK)
";
    assert!(text.contains(table), "{text}");
    let widest = table.lines().map(|line| line.chars().count()).max();
    assert!(widest.is_some_and(|width| width <= 120));
}
