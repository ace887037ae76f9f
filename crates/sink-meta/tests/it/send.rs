//! Requests and exchanges over real sockets.

use std::sync::Arc;

use conversion_core::failure::{Blame, FailureClass, HoldScope};
use conversion_core::report::{Outcome, SendReport};
use conversion_core::sink::ConversionSink as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::kit::{event, prepare, sink};

const HOLD: FailureClass = FailureClass::Unauthorized { scope: HoldScope::Sink };

/// Answers one request so; returns what it was.
async fn answer(listener: TcpListener, status: u16, body: &str) -> (String, Value) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut seen = Vec::new();
    // The credential is the end of every body of ours.
    while !seen.ends_with(b"\"}") {
        assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0, "the request was cut");
    }
    let reply = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(reply.as_bytes()).await.unwrap();
    let seen = String::from_utf8(seen).unwrap();
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap())
}

async fn send(settings: &str, status: u16, body: &str, items: usize) -> (SendReport, String, Value) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("base_url = 'http://{}/prefix/'", listener.local_addr().unwrap());
    let sink = sink(&format!("{url}\n{settings}"));
    let payload = prepare("", &event());
    let request = Arc::new(sink.compose(&vec![&payload; items]));
    let (report, (head, body)) = tokio::join!(sink.send(request), answer(listener, status, body));
    (report, head, body)
}

#[tokio::test]
async fn credentials_stand_in_the_body_and_are_not_recorded() {
    let took = r#"{"events_received":2,"messages":[],"fbtrace_id":"A hunter2"}"#;
    let (report, head, body) = send("app_secret = 'key'\ntest_event_code = 'T1'", 200, took, 2).await;
    assert!(head.starts_with("POST /prefix/v25.0/123/events HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains("hunter2"), "{head}");
    assert_eq!(body["data"].as_array().map(Vec::len), Some(2));
    assert_eq!((&body["test_event_code"], &body["access_token"]), (&json!("T1"), &json!("hunter2")));
    // printf hunter2 | openssl dgst -sha256 -hmac key
    let proof = "05d210d8af05129cb4bc04565faa72f94362ebaf20427cdf098059b5429d95bf";
    assert_eq!(body["appsecret_proof"], proof);
    assert_eq!(report.verdict().unwrap(), [Outcome::DELIVERED; 2]);
    let [exchange] = report.exchanges() else { panic!("{report:?}") };
    let recorded = exchange.request.body.json();
    let tail = r#"],"test_event_code":"T1","access_token":"[redacted]","appsecret_proof":"[redacted]"}"#;
    assert!(recorded.ends_with(tail), "{recorded}");
    let answered = &exchange.reply.as_ref().unwrap().body;
    assert!(answered.contains("A [redacted]"), "{answered}");
}

#[tokio::test]
async fn what_meta_says_decides() {
    let error = |more: &str| format!(r#"{{"error":{{"message":"M","fbtrace_id":"A"{more}}}}}"#);
    for (status, body, class, blame) in [
        (200, r#"{"events_received":1}"#.to_owned(), FailureClass::Interrupted, Blame::Batch),
        (200, r#"{"ok":true}"#.to_owned(), FailureClass::Interrupted, Blame::Batch),
        (200, error(r#","code":190"#), HOLD, Blame::Batch),
        (400, error(r#","code":100,"error_subcode":2804003"#), FailureClass::Rejected, Blame::Unknown),
        (400, error(r#","code":100,"error_subcode":33"#), HOLD, Blame::Batch),
        (
            400,
            error(r#","code":100,"is_transient":true"#),
            FailureClass::Unavailable { retry_after: None },
            Blame::Batch,
        ),
        (500, error(r#","code":12345"#), FailureClass::Unavailable { retry_after: None }, Blame::Batch),
        (400, "<html>".to_owned(), FailureClass::Rejected, Blame::Unknown),
        (502, "<html>".to_owned(), FailureClass::Unavailable { retry_after: None }, Blame::Batch),
    ] {
        let failure = send("", status, &body, 2).await.0.into_parts().1.unwrap_err();
        assert_eq!((failure.class, failure.blame), (class, blame), "{status} {body}: {}", failure.message);
    }
    let said = error(r#","code":100,"error_subcode":2804003,"error_user_msg":"Too old""#);
    let failure = send("", 400, &said, 1).await.0.into_parts().1.unwrap_err();
    assert_eq!(failure.message, "Meta 100/2804003: M: Too old (fbtrace_id A)");
    assert_eq!((failure.code.as_deref(), failure.blame), (Some("100/2804003"), Blame::Batch));
}

#[tokio::test]
async fn a_check_counts_nothing_and_tells_good_from_bad_credentials() {
    for (status, body, expected) in [
        (400, r#"{"error":{"message":"(#100) param data must be non-empty.","code":100}}"#, Ok(())),
        (200, r#"{"events_received":0}"#, Ok(())),
        (400, r#"{"error":{"message":"M","code":190}}"#, Err(HOLD)),
        (400, r#"{"error":{"message":"M","code":100,"error_subcode":33}}"#, Err(HOLD)),
        (500, r#"{"error":{"message":"M","code":2}}"#, Err(FailureClass::Unavailable { retry_after: None })),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sink = sink(&format!("base_url = 'http://{}'", listener.local_addr().unwrap()));
        let (result, (_, sent)) = tokio::join!(sink.check(), answer(listener, status, body));
        assert_eq!(result.map(drop).map_err(|failure| failure.class), expected, "{body}");
        assert_eq!(sent["data"], json!([]));
    }
}
