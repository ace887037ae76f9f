//! The sandbox's own paths.

use platform_sandbox::{Platform, Report, Sandbox};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{GOOGLE, Running, read, row, track};

async fn config(running: &Running, body: Value) -> (u16, String) {
    let (status, answer) = read(running.post("/__config").body(body.to_string())).await;
    (status, answer["error"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn the_report_over_http_is_the_typed_one() {
    let running = Running::start().await;
    running.tiktok(&track("Lead", "1")).await;
    running.google(&[row("1")]).await;
    read(running.get("/nowhere")).await;
    read(running.get(GOOGLE)).await;
    let (status, answer) = read(running.get("/__report")).await;
    assert_eq!(status, 200);
    assert_eq!(answer["sinks"]["tiktok"]["received"], 1);
    assert_eq!(answer["sinks"]["google-ads"]["by_outcome"], json!({"200": 1}));
    assert_eq!(answer["token_requests"], 1);
    assert_eq!(answer["unknown_paths"], json!({"GET /nowhere": 1, format!("GET {GOOGLE}"): 1}));
    let report: Report = serde_json::from_value(answer).unwrap();
    assert_eq!(report, running.report());
}

#[tokio::test]
async fn ids_are_lines() {
    let running = Running::start().await;
    running.tiktok(&track("Lead", "one")).await;
    running.tiktok(&track("Lead", "one")).await;
    let (status, lines) = read(running.get("/__ids?sink=tiktok")).await;
    let fields: Vec<&str> = lines.as_str().unwrap().trim_end().split('\t').collect();
    let seen = &running.sandbox.ids(Platform::TikTok)[0];
    assert_eq!((status, fields), (200, vec!["one", "2", seen.first_us.to_string().as_str()]));
    assert_eq!(read(running.get("/__ids?sink=google-ads")).await.1, "");
}

#[tokio::test]
async fn settings_over_http() {
    let running = Running::start().await;
    let settings = json!({
        "tiktok": {"p_429": 1.0, "retry_after_s": 3, "codes": {"40100": 0.5},
            "verdicts": {"1": {"code": 40002, "message": "no", "times": 1}}},
        "google-ads": {"verdicts": {"1": {"family": "conversionUploadError", "code": "EXPIRED_EVENT"}}},
    });
    assert_eq!(config(&running, settings).await.0, 200);
    assert_eq!(read(running.tiktok_request(&track("Lead", "1"))).await.0, 429);
    let (_, answer) = running.google(&[row("1")]).await;
    assert_eq!(crate::harness::failures(&answer), ["conversions[0] conversionUploadError.EXPIRED_EVENT"]);
    // What is not named goes back to its default.
    assert_eq!(config(&running, json!({"tiktok": {}})).await.0, 200);
    assert_eq!(running.tiktok(&track("Lead", "1")).await["code"], 0);
}

#[tokio::test]
async fn refused_settings_change_nothing() {
    let running = Running::start().await;
    let cases = [
        (json!({"tiktok": {"p_430": 1}}), "tiktok: unknown field `p_430`"),
        (json!({"tiktok": {"p_429": 2}}), "tiktok: p_429 is a probability"),
        (json!({"tiktok": {"codes": {"40100": -1}}}), "tiktok: codes.40100 is a probability"),
        (json!({"tiktok": {"latency_ms": "50"}}), "tiktok: invalid type"),
        (json!({"tiktok": {"revoke": true}}), "tiktok: revoke has no meaning for tiktok"),
        (json!({"google-ads": {"tokens": ["x"]}}), "google-ads: tokens has no meaning for google-ads"),
        (json!({"google": {}}), "there is no sink \"google\"; there are tiktok, google-ads"),
        (
            json!({"google-ads": {"verdicts": {"1": {"code": 1}}}}),
            "the verdict on \"1\" is not one of google-ads",
        ),
        (json!({"tiktok": {"verdicts": {"1": {"code": "X"}}}}), "is not one of tiktok"),
        (json!({"tiktok": {"verdicts": {"1": {"code": 1, "family": "F"}}}}), "a verdict has a code"),
        (json!({"tiktok": {"verdicts": {"1": {"code": 1, "time": 2}}}}), "unknown field `time`"),
        (json!([]), "not a JSON object of sinks"),
        (json!({"tiktok": {"down": true}, "nowhere": {}}), "there is no sink \"nowhere\""),
    ];
    for (body, words) in cases {
        let (status, error) = config(&running, body).await;
        assert_eq!(status, 400, "{words}");
        assert!(error.contains(words), "{error} | {words}");
    }
    assert_eq!(running.tiktok(&track("Lead", "1")).await["code"], 0);
}

#[tokio::test]
async fn wrong_control_requests() {
    let running = Running::start().await;
    let cases = [
        (running.get("/__ids"), 400),
        (running.get("/__ids?sink=nowhere"), 400),
        (running.get("/__reset"), 405),
        (running.post("/__report"), 405),
        (running.get("/__nothing"), 404),
    ];
    for (request, expected) in cases {
        let (status, answer) = read(request).await;
        assert_eq!((status, answer["error"].is_string()), (expected, true), "{answer}");
    }
}

#[tokio::test]
async fn reset_empties_the_tallies_and_keeps_settings_and_tokens() {
    let running = Running::start().await;
    config(&running, json!({"tiktok": {"pixels": ["MINE"]}})).await;
    let token = running.token().await;
    running.tiktok(&track("Lead", "1")).await;
    running.google(&[row("1")]).await;
    read(running.get("/nowhere")).await;
    assert_eq!(read(running.post("/__reset")).await.0, 200);
    assert_eq!(running.report(), Sandbox::new(1).report());
    assert!(running.sandbox.ids(Platform::GoogleAds).is_empty());
    assert_eq!(running.tiktok(&track("Lead", "1")).await["code"], 40001);
    let body = json!({"conversions": [row("1")], "partialFailure": true});
    assert_eq!(read(running.google_request(GOOGLE, &token, &body)).await.0, 200);
    assert_eq!(running.of(Platform::GoogleAds).deduplicated, 0);
}

#[tokio::test]
async fn shutdown_closes_the_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sandbox = Sandbox::new(1);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = async { sandbox.serve(listener, async { stopped.await.unwrap_or_default() }).await };
    let stopping = async {
        TcpStream::connect(address).await.unwrap();
        stop.send(()).unwrap();
    };
    let (served, ()) = tokio::join!(serving, stopping);
    served.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
