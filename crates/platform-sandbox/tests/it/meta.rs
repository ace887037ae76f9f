//! Meta's Conversions API (platforms/meta.md).

use platform_sandbox::{Platform, Settings, Verdict};
use serde_json::{Value, json};

use crate::harness::{EMPTY_DIGEST, META, Running, read, set, without};

const DIGEST: &str = "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a";
const DAY_S: i64 = 24 * 3600;

fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the sandbox runs in the test's own present")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs().try_into().unwrap()
}

fn events(ids: &[&str]) -> Value {
    let event = |id: &&str| {
        json!({
            "event_name": "Purchase",
            "event_time": now() - 60,
            "event_id": id,
            "action_source": "website",
            "event_source_url": "https://academy.example/",
            "user_data": {
                "em": [DIGEST],
                "client_user_agent": "Mozilla/5.0",
                "client_ip_address": "8.8.8.8",
                "fbc": "fb.1.1554763741205.AbCd.EfGh",
            },
            "custom_data": {"value": 49.0, "currency": "EUR"},
        })
    };
    json!({"data": ids.iter().map(event).collect::<Vec<_>>(), "access_token": "token"})
}

async fn send(running: &Running, body: &Value) -> (u16, Value) {
    send_to(running, META, body).await
}

async fn send_to(running: &Running, path: &str, body: &Value) -> (u16, Value) {
    read(running.post(path).header("Content-Type", "application/json").body(body.to_string())).await
}

/// Code and subcode.
fn codes(answer: &Value) -> (i64, Option<i64>) {
    (answer["error"]["code"].as_i64().unwrap(), answer["error"]["error_subcode"].as_i64())
}

#[tokio::test]
async fn what_is_right_is_received_and_a_repetition_counts_once() {
    let running = Running::start().await;
    let (status, answer) = send(&running, &events(&["a", "b"])).await;
    assert_eq!((status, &answer["events_received"]), (200, &json!(2)), "{answer}");
    send(&running, &events(&["a"])).await;
    let report = running.of(Platform::Meta);
    assert_eq!((report.received, report.deduplicated, report.counted_twice), (3, 1, 0));
    // Another name is another conversion to Meta, and to whoever sent it the same one.
    let other = set(&events(&["a"]), "/data/0/event_name", json!("Lead"));
    send(&running, &other).await;
    let report = running.of(Platform::Meta);
    assert_eq!((report.by_event["Lead"], report.deduplicated, report.counted_twice), (1, 1, 1));
    let forgotten = Settings { clock_offset_s: 3 * DAY_S, ..Settings::default() };
    running.sandbox.configure(Platform::Meta, forgotten);
    send(&running, &events(&["a"])).await;
    assert_eq!(running.of(Platform::Meta).counted_twice, 2, "after 48 hours");
}

#[tokio::test]
async fn each_mistake_refuses_the_request_and_nobody_is_named() {
    let running = Running::start().await;
    let good = events(&["a", "b"]);
    let second = |pointer: &str, value: Value| set(&good, &format!("/data/1{pointer}"), value);
    let too_old = second("/event_time", json!(now() - 8 * DAY_S));
    for (body, expected) in [
        (json!({"data": [], "access_token": "token"}), (100, None)),
        (set(&good, "/extra", json!(1)), (100, None)),
        (without(&good, "/access_token"), (190, None)),
        (too_old.clone(), (100, Some(2_804_003))),
        (second("/event_time", json!(now() + 3600)), (100, Some(2_804_019))),
        (second("/event_time", json!("2026-01-10T12:00:00Z")), (100, Some(2_804_019))),
        (second("/event_name", json!("")), (100, Some(2_804_019))),
        (second("/action_source", json!("web")), (100, Some(2_804_019))),
        (second("/user_data/em", json!(["a@b.c"])), (100, Some(2_804_019))),
        (second("/user_data/em", json!([EMPTY_DIGEST])), (100, Some(2_804_019))),
        (second("/user_data/fbc", json!("AbCd")), (100, Some(2_804_019))),
        (second("/user_data/mail", json!("x")), (100, Some(2_804_019))),
        (second("/user_data", json!({"fn": [DIGEST], "client_user_agent": "x"})), (100, Some(2_804_019))),
        (second("/custom_data", json!({"value": 1})), (100, Some(2_804_019))),
        (second("/custom_data/currency", json!("euro")), (100, Some(2_804_019))),
        (second("/data_processing_options", json!("LDU")), (100, Some(2_804_019))),
        (without(&good, "/data/1/user_data/client_user_agent"), (100, Some(2_804_019))),
    ] {
        let (status, answer) = send(&running, &body).await;
        assert_eq!((status, codes(&answer)), (400, expected), "{body}\n{answer}");
    }
    assert_eq!(running.of(Platform::Meta).received, 0, "one bad event refuses all");
    let shop = set(&too_old, "/data/1/action_source", json!("physical_store"));
    assert_eq!(send(&running, &shop).await.0, 200, "a shop has 62 days");
}

#[tokio::test]
async fn tokens_datasets_and_verdicts() {
    let verdict = Verdict::Meta { code: 100, subcode: 2_804_001, message: None, times: Some(1) };
    let settings = Settings {
        tokens: vec!["token".to_owned()],
        pixels: vec!["1234567890".to_owned()],
        verdicts: [("b".to_owned(), verdict)].into(),
        ..Settings::default()
    };
    settings.check(Platform::Meta).unwrap();
    let running = Running::with(Platform::Meta, settings).await;
    let wrong = set(&events(&["a"]), "/access_token", json!("other"));
    assert_eq!(codes(&send(&running, &wrong).await.1), (190, None));
    assert_eq!(codes(&send_to(&running, "/v25.0/77/events", &events(&["a"])).await.1), (100, Some(33)));
    assert_eq!(codes(&send(&running, &events(&["a", "b"])).await.1), (100, Some(2_804_001)));
    assert_eq!(send(&running, &events(&["a", "b"])).await.0, 200, "said once");
    assert_eq!(send_to(&running, "/v25/77/events", &events(&["a"])).await.0, 404);
}

#[tokio::test]
async fn faults_look_as_they_do_there() {
    for (settings, status, codes_of) in [
        (Settings { p_429: 1.0, ..Settings::default() }, 429, (4, None)),
        (Settings { p_401: 1.0, ..Settings::default() }, 400, (190, Some(463))),
        (Settings { p_500: 1.0, ..Settings::default() }, 500, (2, None)),
        (Settings { down: true, ..Settings::default() }, 503, (2, None)),
    ] {
        let running = Running::with(Platform::Meta, settings).await;
        let (found, answer) = send(&running, &events(&["a"])).await;
        assert_eq!((found, codes(&answer)), (status, codes_of));
        assert_eq!(answer["error"]["is_transient"], json!(status >= 500));
    }
}
