//! What Google says about a request as a whole.

use platform_sandbox::Platform;
use serde_json::{Value, json};

use crate::harness::{ACTION, Running, account, outcomes, read, row, set};

fn example() -> Value {
    json!({
        "conversions": [{
            "gclid": "EAIaIQobChMI-example",
            "conversionAction": ACTION,
            "conversionDateTime": "2026-01-10 12:00:00+00:00",
            "conversionValue": 49.0,
            "currencyCode": "EUR",
            "orderId": "booking-7f3a",
            "userIdentifiers": [
                {"hashedEmail": "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a"},
                {"hashedPhoneNumber": "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"},
            ],
            "consent": {"adUserData": "GRANTED"},
        }],
        "partialFailure": true,
        "validateOnly": false,
    })
}

#[tokio::test]
async fn the_documented_example() {
    let running = Running::start().await;
    let (status, answer) = running.google_body(&example()).await;
    assert_eq!(status, 200);
    let result = json!({"gclid": "EAIaIQobChMI-example", "conversionAction": ACTION,
        "conversionDateTime": "2026-01-10 12:00:00+00:00"});
    assert_eq!(answer["results"], json!([result]));
    assert_eq!(answer.get("partialFailureError"), None);
    assert!(answer["jobId"].is_string());
    let report = running.of(Platform::GoogleAds);
    assert_eq!(account(&report), [1, 1, 0, 0]);
    assert_eq!(report.by_event["987654321"], 1);
    assert_eq!(running.sandbox.ids(Platform::GoogleAds)[0].id, "booking-7f3a");
}

#[tokio::test]
async fn versions() {
    let running = Running::start().await;
    let token = running.token().await;
    for (version, status) in
        [("v19", 400), ("v22", 400), ("v23", 200), ("v26", 200), ("v27", 404), ("v026", 404)]
    {
        let path = format!("/{version}/customers/1234567890:uploadClickConversions");
        let (got, answer) = read(running.google_request(&path, &token, &example())).await;
        assert_eq!(got, status, "{version}: {answer}");
        match status {
            400 => {
                let details = &answer["error"]["details"][0];
                let kind =
                    format!("type.googleapis.com/google.ads.googleads.{version}.errors.GoogleAdsFailure");
                assert_eq!(details["@type"], kind.as_str());
                assert_eq!(details["errors"][0]["errorCode"], json!({"requestError": "UNSUPPORTED_VERSION"}));
            }
            404 => assert!(answer.as_str().unwrap().starts_with("<!DOCTYPE html>"), "{answer}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn refusals_of_the_whole_request() {
    let running = Running::start().await;
    let many: Vec<Value> = (0..2001).map(|id| row(&id.to_string())).collect();
    let with = |pointer: &str, value: Value| set(&example(), pointer, value);
    let cases = [
        (with("/conversions", json!([])), json!({"fieldError": "REQUIRED"})),
        (
            with("/conversions", json!(many)),
            json!({"conversionUploadError": "TOO_MANY_CONVERSIONS_IN_REQUEST"}),
        ),
        (
            with("/partialFailure", json!(false)),
            json!({"conversionUploadError": "PARTIAL_FAILURE_MODE_REQUIRED"}),
        ),
        (
            json!({"conversions": [row("1")]}),
            json!({"conversionUploadError": "PARTIAL_FAILURE_MODE_REQUIRED"}),
        ),
        (with("/jobId", json!(0)), json!({"fieldError": "INVALID_VALUE"})),
    ];
    for (body, code) in cases {
        let (status, answer) = running.google_body(&body).await;
        assert_eq!((status, &answer["error"]["status"]), (400, &json!("INVALID_ARGUMENT")), "{code}");
        assert_eq!(answer["error"]["details"][0]["errors"][0]["errorCode"], code);
    }
    assert_eq!(account(&running.of(Platform::GoogleAds)), [0, 0, 0, 0]);
}

#[tokio::test]
async fn unknown_fields_and_wrong_types() {
    let running = Running::start().await;
    let with = |pointer: &str, value: Value| set(&example(), pointer, value);
    let row = "/conversions/0";
    let cases = [
        (with("/customerId", json!("1234567890")), "customerId"),
        (with("/debugEnabled", json!(true)), "debugEnabled"),
        (with(&format!("{row}/conversionTime"), json!("x")), "conversions[0]"),
        (with(&format!("{row}/value"), json!(1)), "conversions[0]"),
        (with(&format!("{row}/email"), json!("x")), "conversions[0]"),
        (with(&format!("{row}/userIdentifiers/0/email"), json!("x")), "conversions[0].userIdentifiers[0]"),
        (with(&format!("{row}/gclid"), json!(7)), "conversions[0].gclid"),
        (with(&format!("{row}/conversionValue"), json!("49")), "conversions[0].conversionValue"),
        (
            with(&format!("{row}/consent/adUserData"), json!("CONSENT_GRANTED")),
            "conversions[0].consent.adUserData",
        ),
        (with(&format!("{row}/customerType"), json!("OLD")), "conversions[0].customerType"),
        (with(&format!("{row}/cartData"), json!({"items": [{"quantity": 1.5}]})), "items[0].quantity"),
    ];
    for (body, place) in &cases {
        let (status, answer) = running.google_body(body).await;
        assert_eq!((status, &answer["error"]["status"]), (400, &json!("INVALID_ARGUMENT")), "{place}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(place), "{message} | {place}");
    }
    let report = running.of(Platform::GoogleAds);
    assert_eq!(outcomes(&report), [("400/INVALID_ARGUMENT", cases.len() as u64)]);
    assert_eq!(report.rejected, cases.len() as u64);
}

#[tokio::test]
async fn headers_and_customer() {
    let running = Running::start().await;
    let token = running.token().await;
    let hyphens = "/v26/customers/123-456-7890:uploadClickConversions";
    let (status, answer) = read(running.google_request(hyphens, &token, &example())).await;
    assert_eq!(status, 400);
    let code = &answer["error"]["details"][0]["errors"][0]["errorCode"];
    assert_eq!(code, &json!({"requestError": "INVALID_CUSTOMER_ID"}));

    let request = running.google_request(crate::harness::GOOGLE, &token, &example());
    let (status, answer) = read(request.header("login-customer-id", "123-456")).await;
    assert_eq!(status, 400);
    let code = &answer["error"]["details"][0]["errors"][0]["errorCode"];
    assert_eq!(code, &json!({"headerError": "INVALID_LOGIN_CUSTOMER_ID"}));

    let request = running.google_request(crate::harness::GOOGLE, &token, &example());
    let request = request.header("login-customer-id", "9998887776").header("developer-token", "ignored");
    assert_eq!(read(request).await.0, 200);
}

#[tokio::test]
async fn validate_only_remembers_nothing() {
    let running = Running::start().await;
    let body = json!({"conversions": [row("1"), row("a@b")], "partialFailure": true, "validateOnly": true});
    let (status, answer) = running.google_body(&body).await;
    assert_eq!((status, &answer["results"]), (200, &json!([])));
    assert_eq!(
        crate::harness::failures(&answer),
        ["conversions[1].order_id conversionUploadError.ORDER_ID_CONTAINS_PII"]
    );
    let report = running.of(Platform::GoogleAds);
    assert_eq!((account(&report), report.rejected), ([0, 0, 0, 0], 0));
}
