//! What TikTok documents as right.

use platform_sandbox::Platform;
use serde_json::{Value, json};

use crate::harness::{Running, read, set, track};

/// Every documented field at once, with the published digests.
fn full_web() -> Value {
    json!({
        "event_source": "web",
        "event_source_id": "C4A1B2C3D4",
        "test_event_code": "TEST1",
        "partner_name": "Partner",
        "data": [{
            "event": "CompletePayment",
            "event_time": 1_768_046_400,
            "event_id": "booking-7f3a",
            "limited_data_use": false,
            "page": {"url": "https://example.com/a?ttclid=1", "referrer": "https://example.com/"},
            "user": {
                "email": "848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f",
                "phone": [
                    "9f7ec22d72092cd3c0b58726ed9c2d91b92e51a3f29837508fb2948bb22dd2fd",
                    "c6a349dfaaf5c3a368d3135014cc1bc7aebf18f654f313f9c1d0b018a897b209",
                ],
                "external_id": "80fba0ae1c48e3978e43e4efc365e14e12ea0c830ba8ba5b9a2dafc7e3f2ab8b",
                "first_name": "81f8f6dde88365f3928796ec7aa53f72820b06db8664f5fe76a7eb13e24546a2",
                "zip_code": "383f7fffd99f3b1c3066086bcf991eae7ad543589d12bd792ecb6dc8b5acebc1",
                "ttclid": "E.C.P.abc", "ttp": "2abc", "ip": "203.0.113.7", "user_agent": "Mozilla/5.0",
                "locale": "en-US", "city": "berlin", "country": "de",
            },
            "properties": {
                "value": 0, "currency": "EUR", "content_type": "product", "content_ids": ["a"],
                "contents": [{"content_id": "a", "price": 49.5, "quantity": 1, "content_type": "product"}],
                "num_items": 1, "order_id": "1", "description": "…", "own_key": "tolerated",
            },
        }],
    })
}

#[tokio::test]
async fn every_documented_form() {
    let running = Running::start().await;
    let base = full_web();
    let lead = set(&track("Lead", "9"), "/event_source", json!("crm"));
    let app = set(&track("Login", "9"), "/event_source", json!("app"));
    let cases = [
        ("full web event", base.clone()),
        ("minimal event", track("Schedule", "1")),
        ("value with decimals", set(&base, "/data/0/properties/value", json!(49.99))),
        ("empty properties", set(&base, "/data/0/properties", json!({}))),
        ("an event years old", set(&base, "/data/0/event_time", json!(1_500_000_000))),
        ("no event_id", set(&track("Schedule", "1"), "/data/0", json!({"event": "Search", "event_time": 1}))),
        ("a ttclid of 1000", set(&base, "/data/0/user/ttclid", json!("x".repeat(1000)))),
        ("1.0 names inside", set(&base, "/data/0/context", json!({"ad": {"callback": "x"}}))),
        ("offline", set(&track("Purchase", "9"), "/event_source", json!("offline"))),
        ("crm", set(&lead, "/data/0/lead", json!({"lead_id": "7", "lead_event_source": "crm"}))),
        ("app", set(&app, "/data/0/app", json!({"app_id": "7"}))),
    ];
    for (name, body) in &cases {
        let answer = running.tiktok(body).await;
        assert_eq!(answer["code"], 0, "{name}: {answer}");
        assert_eq!(answer["message"], "OK", "{name}");
        assert!(answer["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{name}");
    }
    assert_eq!(running.of(Platform::TikTok).received, cases.len() as u64);
}

#[tokio::test]
async fn a_missing_trailing_slash_and_a_thousand_events() {
    let running = Running::start().await;
    let ids: Vec<String> = (0..1000).map(|id| id.to_string()).collect();
    let events: Vec<(&str, &str)> = ids.iter().map(|id| ("Schedule", id.as_str())).collect();
    let body = crate::harness::tracks("PIXEL", &events);
    let request = running.post("/open_api/v1.3/event/track").header("Access-Token", "token");
    let request = request.header("Content-Type", "application/json; charset=utf-8").body(body.to_string());
    let (status, answer) = read(request).await;
    assert_eq!((status, &answer["code"]), (200, &json!(0)));
    let report = running.of(Platform::TikTok);
    assert_eq!((report.unique, report.max_batch), (1000, 1000));
    assert_eq!(report.mean_batch.to_string(), "1000");
    assert_eq!(report.by_event["Schedule"], 1000);
}
