//! The Data Manager API (platforms/google-ads.md, section 7).

use platform_sandbox::{Judged, Platform, Settings, Verdict};
use serde_json::{Value, json};

use crate::harness::{EMPTY_DIGEST, INGEST, Running, account, read, set, without};

const DIGEST: &str = "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a";

/// The example of section 7.2, with these transaction ids.
fn events(ids: &[&str]) -> Value {
    let event = |id: &&str| {
        json!({
            "destinationReferences": ["bookings"],
            "transactionId": id,
            "eventTimestamp": "2026-01-10T12:00:00Z",
            "eventSource": "WEB",
            "currency": "EUR",
            "conversionValue": 49.0,
            "adIdentifiers": {"gclid": "EAIaIQobChMI-example"},
            "userData": {"userIdentifiers": [{"emailAddress": DIGEST}]},
            "consent": {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_DENIED"},
        })
    };
    json!({
        "destinations": [{
            "reference": "bookings",
            "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "1234567890"},
            "loginAccount": {"accountType": "GOOGLE_ADS", "accountId": "9998887776"},
            "productDestinationId": "987654321",
        }],
        "events": ids.iter().map(event).collect::<Vec<_>>(),
        "encoding": "HEX",
        "validateOnly": false,
    })
}

async fn start(settings: Settings) -> Running {
    Running::with(Platform::GoogleDataManager, settings).await
}

async fn ingest(running: &Running, body: &Value) -> (u16, Value) {
    let token = running.token().await;
    read(running.google_request(INGEST, &token, body)).await
}

/// Field and reason of each violation.
fn violations(answer: &Value) -> Vec<String> {
    let details = answer["error"]["details"].as_array().unwrap();
    let listed = details.iter().filter_map(|detail| detail["fieldViolations"].as_array()).flatten();
    listed
        .map(|found| format!("{} {}", found["field"].as_str().unwrap(), found["reason"].as_str().unwrap()))
        .collect()
}

/// The status of a request.
async fn status(running: &Running, id: &str) -> (u16, Value) {
    let token = running.token().await;
    let path = format!("/v1/requestStatus:retrieve?requestId={id}");
    read(running.get(&path).header("Authorization", format!("Bearer {token}"))).await
}

#[tokio::test]
async fn the_example_of_the_page_is_taken() {
    let running = start(Settings::default()).await;
    let (http, answer) = ingest(&running, &events(&["booking-7f3a", "booking-7f3b"])).await;
    assert_eq!(http, 200, "{answer}");
    assert!(answer["requestId"].as_str().is_some_and(|id| !id.is_empty()), "{answer}");
    let report = running.of(Platform::GoogleDataManager);
    assert_eq!((account(&report), report.max_batch), ([2, 2, 0, 0], 2));
    assert_eq!(report.by_event["987654321"], 2);
}

#[tokio::test]
async fn the_same_transaction_is_counted_once() {
    let running = start(Settings::default()).await;
    for body in [events(&["a", "b"]), events(&["a"])] {
        assert_eq!(ingest(&running, &body).await.0, 200);
    }
    assert_eq!(account(&running.of(Platform::GoogleDataManager)), [3, 2, 1, 0]);
    let elsewhere = set(&events(&["a"]), "/destinations/0/productDestinationId", json!("5"));
    assert_eq!(ingest(&running, &elsewhere).await.0, 200);
    assert_eq!(running.of(Platform::GoogleDataManager).counted_twice, 1, "another action counts it again");
}

#[tokio::test]
async fn what_is_only_checked_is_neither_counted_nor_known_later() {
    let running = start(Settings::default()).await;
    let (http, answer) = ingest(&running, &set(&events(&["a"]), "/validateOnly", json!(true))).await;
    assert_eq!(http, 200);
    assert_eq!(running.of(Platform::GoogleDataManager).received, 0);
    let (http, _) = status(&running, answer["requestId"].as_str().unwrap()).await;
    assert_eq!(http, 400);
}

#[tokio::test]
async fn each_mistake_is_named_and_refuses_the_request() {
    let running = start(Settings::default()).await;
    let good = events(&["a", "b"]);
    let second = |pointer: &str, value: Value| set(&good, &format!("/events/1{pointer}"), value);
    let identifier = |value: Value| second("/userData/userIdentifiers/0", value);
    for (body, expected) in [
        (without(&good, "/encoding"), "encoding REQUIRED_FIELD_MISSING"),
        (set(&good, "/encoding", json!("BASE32")), "encoding INVALID_FORMAT"),
        (set(&good, "/partialFailure", json!(true)), "partialFailure INVALID_ARGUMENT"),
        (
            set(&good, "/destinations/0/operatingAccount/accountId", json!("123-456")),
            "destinations[0].operating_account DESTINATION_ACCOUNT_TYPE_MISMATCH",
        ),
        (
            set(&good, "/destinations/0/productDestinationId", json!("customers/1/conversionActions/2")),
            "destinations[0].product_destination_id INVALID_CONVERSION_ACTION_ID",
        ),
        (
            second("/destinationReferences/0", json!("x")),
            "events.events[1].destination_references INVALID_DESTINATION",
        ),
        (second("/transactionId", json!("12345")), "events.events[1].transaction_id INVALID_FORMAT"),
        (
            second("/eventTimestamp", json!("2026-01-10 12:00:00")),
            "events.events[1].event_timestamp EVENT_TIME_INVALID",
        ),
        (second("/eventSource", json!("SHOP")), "events.events[1].event_source INVALID_FORMAT"),
        (second("/currency", json!("eur")), "events.events[1].currency INVALID_CURRENCY_CODE"),
        (second("/consent/adUserData", json!("GRANTED")), "events.events[1].consent INVALID_FORMAT"),
        (second("/orderId", json!("x")), "events.events[1].orderId INVALID_EVENT"),
        (
            identifier(json!({"emailAddress": "ada@example.com"})),
            "events.events[1].user_data.user_identifiers[0] INVALID_HEX_ENCODING",
        ),
        (
            identifier(json!({"emailAddress": "abc"})),
            "events.events[1].user_data.user_identifiers[0] INVALID_SHA256_FORMAT",
        ),
        (
            identifier(json!({"emailAddress": EMPTY_DIGEST})),
            "events.events[1].user_data.user_identifiers[0] INVALID_SHA256_FORMAT",
        ),
        (
            identifier(json!({"emailAddress": DIGEST, "phoneNumber": DIGEST})),
            "events.events[1].user_data.user_identifiers[0] INVALID_EVENT",
        ),
        (
            identifier(json!({"address": {"givenName": DIGEST, "familyName": DIGEST, "postalCode": "1"}})),
            "events.events[1].user_data.user_identifiers[0] INVALID_REGION_CODE",
        ),
    ] {
        let (http, answer) = ingest(&running, &body).await;
        assert_eq!((http, &answer["error"]["status"]), (400, &json!("INVALID_ARGUMENT")), "{expected}");
        assert_eq!(violations(&answer), [expected]);
    }
    let (_, answer) = ingest(&running, &without(&good, "/destinations")).await;
    assert_eq!(
        violations(&answer)[0],
        "destinations REQUIRED_FIELD_MISSING",
        "and the events name none of them"
    );
    let nobody = without(&without(&good, "/events/1/adIdentifiers"), "/events/1/userData");
    let (_, answer) = ingest(&running, &nobody).await;
    assert_eq!(violations(&answer), ["events.events[1].ad_identifiers NO_IDENTIFIERS_PROVIDED"]);
    assert_eq!(running.of(Platform::GoogleDataManager).received, 0, "one bad event refuses all");
}

#[tokio::test]
async fn every_bad_event_is_named_unless_it_is_told_not_to() {
    let verdict =
        |reason: &str| Verdict::GoogleDataManager { reason: reason.into(), message: None, times: None };
    let verdicts = [("a".to_owned(), verdict("INVALID_EVENT")), ("c".to_owned(), verdict("INVALID_FORMAT"))];
    let settings = Settings { verdicts: verdicts.into(), ..Settings::default() };
    let running = start(settings.clone()).await;
    let (_, answer) = ingest(&running, &events(&["a", "b", "c"])).await;
    let named =
        ["events.events[0].transaction_id INVALID_EVENT", "events.events[2].transaction_id INVALID_FORMAT"];
    assert_eq!(violations(&answer), named);
    running.sandbox.configure(Platform::GoogleDataManager, Settings { name_index: false, ..settings });
    let (_, answer) = ingest(&running, &events(&["a", "b"])).await;
    assert_eq!(violations(&answer), ["transaction_id INVALID_EVENT"]);
}

#[tokio::test]
async fn a_token_must_be_live_and_have_the_scope() {
    let running = start(Settings::default()).await;
    let (http, answer) = read(running.google_request(INGEST, "unknown", &events(&["a"]))).await;
    assert_eq!((http, &answer["error"]["status"]), (401, &json!("UNAUTHENTICATED")));
    let other = Settings { adwords_scope_only: true, ..Settings::default() };
    running.sandbox.configure(Platform::GoogleDataManager, other);
    let (http, answer) = ingest(&running, &events(&["a"])).await;
    assert_eq!(http, 403);
    assert_eq!(answer["error"]["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
}

#[tokio::test]
async fn what_was_taken_is_judged_later() {
    let late = [("b", "CLICK_NOT_FOUND"), ("d", "CLICK_NOT_FOUND"), ("c", "NO_CONSENT")];
    let late_verdicts = late.map(|(id, reason)| (id.to_owned(), reason.to_owned())).into();
    let settings = Settings { late_verdicts, ..Settings::default() };
    let running = start(settings.clone()).await;
    let (_, answer) = ingest(&running, &events(&["a", "b", "c", "d"])).await;
    let id = answer["requestId"].as_str().unwrap();
    let destination = async || status(&running, id).await.1["requestStatusPerDestination"][0].clone();

    let now = destination().await;
    assert_eq!(
        (&now["requestStatus"], &now["eventsIngestionStatus"]["recordCount"]),
        (&json!("PROCESSING"), &json!("4"))
    );
    let judged = Judged { processing: 4, ..Judged::default() };
    assert_eq!(running.of(Platform::GoogleDataManager).judged, Some(judged));

    let half_an_hour_on = Settings { clock_offset_s: 1800, ..settings };
    running.sandbox.configure(Platform::GoogleDataManager, half_an_hour_on.clone());
    let counts = json!([
        {"recordCount": "2", "reason": "PROCESSING_ERROR_REASON_CLICK_NOT_FOUND", "recordIndices": ["1", "3"]},
        {"recordCount": "1", "reason": "PROCESSING_ERROR_REASON_NO_CONSENT", "recordIndices": ["2"]},
    ]);
    let then = destination().await;
    assert_eq!(then["requestStatus"], "PARTIAL_SUCCESS");
    assert_eq!(then["errorInfo"]["errorCounts"], counts);
    let judged = Judged { confirmed: 1, refused: 3, ..Judged::default() };
    assert_eq!(running.of(Platform::GoogleDataManager).judged, Some(judged));

    let without_rows = Settings { row_positions: false, ..half_an_hour_on.clone() };
    running.sandbox.configure(Platform::GoogleDataManager, without_rows);
    assert_eq!(destination().await["errorInfo"]["errorCounts"][0].get("recordIndices"), None);

    let none = Settings { late_verdicts: [].into(), ..half_an_hour_on.clone() };
    running.sandbox.configure(Platform::GoogleDataManager, none);
    assert_eq!(destination().await["requestStatus"], "SUCCESS");
    let all = ["a", "b", "c", "d"].map(|id| (id.to_owned(), "NO_CONSENT".to_owned()));
    let all = Settings { late_verdicts: all.into(), ..half_an_hour_on.clone() };
    running.sandbox.configure(Platform::GoogleDataManager, all);
    assert_eq!(destination().await["requestStatus"], "FAILED");

    let two_months_on = Settings { clock_offset_s: 60 * 86_400, ..Settings::default() };
    running.sandbox.configure(Platform::GoogleDataManager, two_months_on);
    let (http, answer) = status(&running, id).await;
    assert_eq!((http, &answer["error"]["details"][0]["reason"]), (400, &json!("REQUEST_TOO_OLD")));
    let (_, answer) = status(&running, "never").await;
    assert_eq!(answer["error"]["details"][0]["reason"], "INVALID_REQUEST_ID");
}

#[tokio::test]
async fn faults_speak_googles_words() {
    for (settings, http, name) in [
        (Settings { down: true, ..Settings::default() }, 503, "UNAVAILABLE"),
        (Settings { p_429: 1.0, ..Settings::default() }, 429, "RESOURCE_EXHAUSTED"),
        (Settings { p_500: 1.0, ..Settings::default() }, 500, "INTERNAL"),
        (Settings { p_401: 1.0, ..Settings::default() }, 401, "UNAUTHENTICATED"),
    ] {
        let running = start(settings).await;
        let (found, answer) = ingest(&running, &events(&["a"])).await;
        assert_eq!((found, &answer["error"]["status"]), (http, &json!(name)));
    }
    let running = start(Settings { down: true, ..Settings::default() }).await;
    assert_eq!(status(&running, "x").await.0, 503, "its status cannot be asked for either");
}
