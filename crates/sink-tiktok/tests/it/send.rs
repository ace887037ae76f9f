//! Requests and exchanges over real sockets.

use std::sync::Arc;

use conversion_core::failure::{FailureClass, HoldScope};
use conversion_core::report::{Outcome, SendReport};
use conversion_core::sink::ConversionSink as _;
use serde_json::{Value, json};

use crate::kit::{Server, build, event, http, prepare, sink};

const HOLD: FailureClass = FailureClass::Unauthorized { scope: HoldScope::Sink };

/// Sends a batch to a server that answers so; returns what the server saw, too.
pub(crate) async fn send(reply: &str, items: usize) -> (SendReport, String) {
    let server = Server::start().await;
    let sink = sink(&server.settings());
    let payload = prepare("", &event());
    let request = sink.compose(&vec![&payload; items]);
    tokio::join!(sink.send(Arc::new(request)), server.answer(reply))
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn a_batch_is_one_request_and_one_verdict() {
    let (report, seen) =
        send(&http(200, "", r#"{"code":0,"message":"OK","request_id":"R1","data":{}}"#), 3).await;
    assert!(seen.starts_with("POST /prefix/open_api/v1.3/event/track/ HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("\r\naccess-token: hunter2\r\n"), "the bare token, without Bearer: {seen}");
    assert!(seen.contains("\r\ncontent-type: application/json\r\n"), "{seen}");
    assert_eq!(body(&seen)["data"].as_array().map(Vec::len), Some(3));
    assert_eq!(report.verdict().unwrap(), [Outcome::DELIVERED; 3]);
    let [exchange] = report.exchanges() else { panic!("{report:?}") };
    let recorded = exchange.reply.as_ref().unwrap();
    assert_eq!((recorded.status, recorded.truncated), (200, false));
    assert!(recorded.body.contains("R1"));
    assert!(exchange.request.headers.iter().all(|header| header.recorded_value() != "hunter2"));
}

async fn check(status: u16, body: &str) -> (Result<String, FailureClass>, Value) {
    let server = Server::start().await;
    let sink = sink(&format!("{}\ntest_event_code = 'TEST1'", server.settings()));
    let reply = http(status, "", body);
    let (result, seen) = tokio::join!(sink.check(), server.answer(&reply));
    (result.map(|report| report.summary).map_err(|failure| failure.class), self::body(&seen))
}

#[tokio::test]
async fn a_check_counts_nothing_and_tells_good_from_bad_credentials() {
    for (status, body, expected) in [
        (200, r#"{"code":0,"message":"OK"}"#, Ok(())),
        (200, r#"{"code":40002,"message":"data: must not be empty"}"#, Ok(())),
        (200, r#"{"code":40000,"message":"invalid params"}"#, Ok(())),
        (200, r#"{"code":40061,"message":"invalid batch size"}"#, Ok(())),
        (200, r#"{"code":40105,"message":"Access token is incorrect or has been revoked"}"#, Err(HOLD)),
        (401, r#"{"code":40102,"message":"expired"}"#, Err(HOLD)),
        (200, r#"{"code":40001,"message":"no permission to operate pixel code CXXX"}"#, Err(HOLD)),
        (200, r#"{"code":40002,"message":"invalid value for `event_source_id`: unknown"}"#, Err(HOLD)),
        (200, r#"{"code":40062,"message":"PII not hashed"}"#, Err(FailureClass::Rejected)),
        (200, r#"{"code":50000,"message":"x"}"#, Err(FailureClass::Unavailable { retry_after: None })),
        (200, "<html>", Err(FailureClass::Interrupted)),
    ] {
        let (result, sent) = check(status, body).await;
        assert_eq!(result.map(|_| ()), expected, "{body}");
        let empty =
            json!({"event_source": "web", "event_source_id": "CXXX", "test_event_code": "TEST1", "data": []});
        assert_eq!(sent, empty);
    }
}

#[tokio::test]
async fn a_check_says_what_it_knows_and_no_more() {
    let (summary, _) = check(200, r#"{"code":40002,"message":"data: empty"}"#).await;
    let summary = summary.unwrap();
    assert!(summary.starts_with("TikTok did not refuse the token") && summary.contains("pixel"), "{summary}");
    assert!(!summary.contains("40002"), "a code would read as a failure: {summary}");
}

#[tokio::test]
async fn a_check_without_credentials_sends_nothing() {
    let failure = build("").unwrap().check().await.unwrap_err();
    assert_eq!(failure.class, HOLD);
    assert_eq!(failure.message, "Missing env: TIKTOK_PIXEL_ID, TIKTOK_ACCESS_TOKEN");
}
