//! What TikTok refuses, and in which words.

use platform_sandbox::{Platform, Settings};
use serde_json::{Value, json};

use crate::harness::{EMPTY_DIGEST, Running, outcomes, read, set, track, tracks, without};

/// Two events, so that an index other than zero can be named.
fn base() -> Value {
    let body = tracks("PIXEL", &[("Lead", "1"), ("Lead", "2")]);
    let contents = json!([{"content_id": "a", "price": 1.5, "quantity": 1}]);
    let body = set(&body, "/data/1/properties", json!({"value": 1, "currency": "EUR", "contents": contents}));
    let user = json!({"email": "848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f"});
    let body = set(&body, "/data/1/user", user);
    set(&body, "/data/1/page", json!({"url": "https://example.com/"}))
}

async fn check(cases: Vec<(Value, u32, &str)>) {
    let running = Running::start().await;
    for (body, code, words) in &cases {
        let answer = running.tiktok(body).await;
        assert_eq!(answer["code"], *code, "{words}: {answer}");
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(words), "{message} | {words}");
    }
    let report = running.of(Platform::TikTok);
    assert_eq!((report.received, report.requests), (0, cases.len() as u64));
    assert!(running.sandbox.ids(Platform::TikTok).is_empty());
}

#[tokio::test]
async fn json_types() {
    let wrong = |pointer: &str, value: Value| set(&base(), pointer, value);
    check(vec![
        (
            wrong("/event_source_id", json!(7)),
            40002,
            "invalid value for `event_source_id`: not a valid string",
        ),
        (wrong("/data/1/event_id", json!(7)), 40002, "`data.1.event_id`: not a valid string"),
        (wrong("/data/1/event_id", json!(null)), 40002, "`data.1.event_id`: not a valid string"),
        (wrong("/data/1/event_time", json!("1768046400")), 40002, "`data.1.event_time`: not a valid integer"),
        (
            wrong("/data/1/event_time", json!(1_768_046_400.5)),
            40002,
            "`data.1.event_time`: not a valid integer",
        ),
        (wrong("/data/1/event_time", json!("2026-01-10T12:00:00Z")), 40002, "`data.1.event_time`"),
        (
            wrong("/data/1/properties/value", json!("49.00")),
            40002,
            "`data.1.properties.value`: not a valid number",
        ),
        (
            wrong("/data/1/properties/order_id", json!(1)),
            40002,
            "`data.1.properties.order_id`: not a valid string",
        ),
        (
            wrong("/data/1/properties/contents/0/content_id", json!(7)),
            40002,
            "`data.1.properties.contents.0.content_id`: not a valid string",
        ),
        (
            wrong("/data/1/properties/contents/0/price", json!("1")),
            40002,
            "contents.0.price`: not a valid number",
        ),
        (
            wrong("/data/1/properties/contents/0/quantity", json!(1.5)),
            40002,
            "quantity`: not a valid integer",
        ),
        (
            wrong("/data/1/properties/contents", json!({})),
            40002,
            "`data.1.properties.contents`: not a valid list",
        ),
        (wrong("/data/1/user/email", json!(7)), 40002, "`data.1.user.email`: not a valid string"),
        (wrong("/data/1/limited_data_use", json!("no")), 40002, "limited_data_use`: not a valid boolean"),
        (wrong("/data/1/user", json!("x")), 40002, "`data.1.user`: not a valid object"),
        (wrong("/data", json!({})), 40002, "`data`: not a valid list"),
    ])
    .await;
}

#[tokio::test]
async fn app_prices_have_a_code_of_their_own() {
    let app = set(&base(), "/event_source", json!("app"));
    check(vec![
        (set(&app, "/data/1/properties/contents/0/price", json!("1")), 40000, "invalid price field"),
        (set(&app, "/data/1/properties/contents/0/price", json!(null)), 40000, "invalid price field"),
    ])
    .await;
}

#[tokio::test]
async fn required_fields_and_values() {
    let with = |pointer: &str, value: Value| set(&base(), pointer, value);
    let from = |source: &str| with("/event_source", json!(source));
    check(vec![
        (without(&base(), "/event_source"), 40002, "`event_source`: must be one of web, app"),
        (from("Web"), 40002, "`event_source`: must be one of web, app"),
        (without(&base(), "/event_source_id"), 40002, "`event_source_id`: required"),
        (with("/event_source_id", json!("")), 40002, "`event_source_id`: must not be empty"),
        (with("/data", json!([])), 40002, "`data`"),
        (without(&base(), "/data"), 40002, "`data`"),
        (without(&base(), "/data/1/event"), 40002, "`data.1.event`: required"),
        (without(&base(), "/data/1/event_time"), 40002, "`data.1.event_time`: required"),
        (with("/data/1/event_time", json!(1_768_046_400_000_u64)), 40002, "`data.1.event_time`"),
        (with("/data/1/event_time", json!(-1)), 40002, "`data.1.event_time`"),
        (with("/data/1/event_id", json!("")), 40002, "`data.1.event_id`: must not be empty"),
        (with("/data/1/test_event_code", json!("T")), 40002, "`data.1.test_event_code`"),
        (without(&base(), "/data/1/page/url"), 40002, "`data.1.page.url`: required"),
        (with("/data/1/page/url", json!("example.com")), 40002, "`data.1.page.url`"),
        (with("/data/1/page/referrer", json!("")), 40002, "`data.1.page.referrer`"),
        (with("/data/1/properties/currency", json!("eur")), 40002, "`data.1.properties.currency`"),
        (with("/data/1/properties/currency", json!("EURO")), 40002, "`data.1.properties.currency`"),
        (with("/data/1/properties/content_type", json!("lesson")), 40002, "product, product_group"),
        (with("/data/1/user/ttclid", json!("x".repeat(1001))), 40002, "`data.1.user.ttclid`"),
        (with("/data/1/user/ttp", json!("")), 40002, "`data.1.user.ttp`: must not be empty"),
        (with("/data/1/user/ip", json!("unknown")), 40002, "`data.1.user.ip`"),
        (with("/data/1/user/country", json!("DE")), 40002, "`data.1.user.country`"),
        (with("/data/1/user/email", json!([])), 40002, "`data.1.user.email`: must not be empty"),
        (from("crm"), 40002, "`data.0.lead`: required"),
        (from("app"), 40002, "`data.0.app`: required"),
        (set(&from("crm"), "/data/0/lead", json!({})), 40002, "`data.0.lead.lead_id`: required"),
        (set(&from("offline"), "/data/1/user/ttclid", json!("x")), 40002, "`data.1.user.ttclid`"),
        (set(&from("offline"), "/data/1/user/ttp", json!("x")), 40002, "`data.1.user.ttp`"),
    ])
    .await;
}

#[tokio::test]
async fn personal_data_must_be_hashed() {
    let upper = "848A771458438FC2EC420560D769FB9B9B86851EE338EC56517BAABD79D3BB4F";
    let good = "848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f";
    let mut cases = Vec::new();
    for field in ["email", "phone", "external_id", "first_name", "last_name", "zip_code"] {
        for value in ["alice@example.com", upper, "abc", EMPTY_DIGEST, ""] {
            cases.push((set(&base(), &format!("/data/1/user/{field}"), json!(value)), 40062, field));
        }
    }
    for field in ["email", "phone", "external_id"] {
        let value = json!([good, "alice@example.com"]);
        cases.push((set(&base(), &format!("/data/1/user/{field}"), value), 40062, field));
    }
    check(cases).await;
}

#[tokio::test]
async fn events_api_1_0_shapes() {
    let track = json!({"pixel_code": "P", "event": "Lead", "event_id": "1",
        "timestamp": "2026-01-10T12:00:00Z", "context": {"user": {}}});
    let batch = json!({"pixel_code": "P", "batch": [{"event": "Lead"}]});
    check(vec![(track, 40002, "`event_source`"), (batch, 40002, "`event_source`")]).await;
}

#[tokio::test]
async fn batches_over_a_thousand() {
    let running = Running::start().await;
    let events = vec![("Lead", "1"); 1001];
    assert_eq!(running.tiktok(&tracks("PIXEL", &events)).await["code"], 40061);
    assert_eq!(running.of(Platform::TikTok).rejected, 1001);
}

#[tokio::test]
async fn more_than_a_day_ahead() {
    let running = Running::start().await;
    running.tiktok(&track("Lead", "clock")).await;
    let now_s = running.sandbox.ids(Platform::TikTok)[0].first_us / 1_000_000;
    for (ahead_s, code) in [(23 * 3600, 0), (25 * 3600, 40002)] {
        let body = set(&track("Lead", "2"), "/data/0/event_time", json!(now_s + ahead_s));
        assert_eq!(running.tiktok(&body).await["code"], code);
    }
}

#[tokio::test]
async fn one_bad_event_refuses_the_request() {
    let running = Running::start().await;
    let body = set(&base(), "/data/1/event_time", json!("late"));
    assert_eq!(running.tiktok(&body).await["code"], 40002);
    let body = set(&base(), "/data/1/event", json!(""));
    assert_eq!(running.tiktok(&body).await["code"], 40002);
    let report = running.of(Platform::TikTok);
    assert_eq!((report.received, report.rejected, report.max_batch), (0, 4, 2));
    assert_eq!(outcomes(&report), [("200/40002", 2)]);
}

#[tokio::test]
async fn messages_without_an_index() {
    let settings = Settings { name_index: false, ..Settings::default() };
    let running = Running::with(Platform::TikTok, settings).await;
    let answer = running.tiktok(&set(&base(), "/data/1/event_id", json!(7))).await;
    assert_eq!(answer["message"], "invalid value for `event_id`: not a valid string");
}

#[tokio::test]
async fn tokens() {
    let settings = Settings { tokens: vec!["right".to_owned()], ..Settings::default() };
    let running = Running::with(Platform::TikTok, settings).await;
    let cases = [(Some("right"), 0), (Some("wrong"), 40105), (Some("Bearer right"), 40105), (None, 40104)];
    for (token, code) in cases {
        let request = running.post(crate::harness::TIKTOK).header("Content-Type", "application/json");
        let request = match token {
            Some(token) => request.header("Access-Token", token),
            None => request,
        };
        let (status, answer) = read(request.body(track("Lead", "1").to_string())).await;
        assert_eq!((status, &answer["code"]), (200, &json!(code)), "{token:?}");
    }
}

#[tokio::test]
async fn pixels() {
    let settings = Settings { pixels: vec!["MINE".to_owned()], ..Settings::default() };
    let running = Running::with(Platform::TikTok, settings.clone()).await;
    assert_eq!(running.tiktok(&tracks("MINE", &[("Lead", "1")])).await["code"], 0);
    let answer = running.tiktok(&track("Lead", "1")).await;
    assert_eq!(answer["code"], 40001);
    assert!(answer["message"].as_str().unwrap().starts_with("no permission to operate pixel code `PIXEL`"));

    let settings = Settings { wrong_pixel_as_parameter_error: true, ..settings };
    running.sandbox.configure(Platform::TikTok, settings);
    let answer = running.tiktok(&track("Lead", "1")).await;
    assert_eq!(answer["code"], 40002);
    assert!(answer["message"].as_str().unwrap().contains("`event_source_id`"));
}

#[tokio::test]
async fn a_missing_page_only_when_told() {
    let running = Running::start().await;
    assert_eq!(running.tiktok(&track("Lead", "1")).await["code"], 0);
    running.sandbox.configure(Platform::TikTok, Settings { require_page: true, ..Settings::default() });
    let answer = running.tiktok(&track("Lead", "1")).await;
    assert_eq!(answer["message"], "invalid value for `data.0.page`: required");
}

#[tokio::test]
async fn what_is_not_json() {
    let running = Running::start().await;
    for (content_type, body) in [("application/json", "{"), ("text/plain", "{}")] {
        let request = running.post(crate::harness::TIKTOK).header("Access-Token", "token");
        let (_, answer) = read(request.header("Content-Type", content_type).body(body)).await;
        assert_eq!(answer["code"], 40000);
    }
}
