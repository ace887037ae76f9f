//! Access tokens over real sockets (section 2).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use conversion_core::failure::{FailureClass, HoldScope};
use conversion_core::report::SendReport;
use sink_google_ads::GoogleAds;
use tokio::task::JoinSet;

use crate::support::{Answer, Seen, Server, reply, send, sink, sink_at};

const UNAUTHORIZED: FailureClass = FailureClass::Unauthorized { scope: HoldScope::Sink };
const TAKEN: &str = r#"{"results":[{"gclid":"g"}]}"#;

fn class(report: &SendReport) -> FailureClass {
    report.verdict().unwrap_err().class
}

fn bearer(seen: &Seen) -> &str {
    seen.header("authorization").unwrap()
}

async fn send_at_once(sink: GoogleAds, times: usize) -> Vec<SendReport> {
    let sink = Arc::new(sink);
    let mut sends = JoinSet::new();
    for _ in 0..times {
        let sink = Arc::clone(&sink);
        sends.spawn(async move { send(&sink, 1).await });
    }
    sends.join_all().await
}

#[tokio::test]
async fn many_sends_ask_for_one_token() {
    let server = Server::google(|_| reply(200, TAKEN));
    let reports = send_at_once(sink_at(&server, ""), 12).await;
    assert!(reports.iter().all(|report| report.verdict().is_ok() && report.exchanges().len() == 1));
    let tokens = server.token_requests();
    assert_eq!((tokens.len(), server.uploads().len()), (1, 12));
    assert_eq!(tokens[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    let form: Vec<(String, String)> =
        form_urlencoded::parse(tokens[0].body.as_bytes()).into_owned().collect();
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        form,
        [
            field("grant_type", "refresh_token"),
            field("client_id", "client"),
            field("client_secret", "client-secret"),
            field("refresh_token", "1//refresh-token"),
        ]
    );
    assert!(server.uploads().iter().all(|upload| bearer(upload) == "Bearer token-1"));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_request_resent() {
    let server = Server::google(|seen| match bearer(seen) {
        "Bearer token-1" => reply(401, "{}"),
        _ => reply(200, TAKEN),
    });
    let sink = sink_at(&server, "");
    let report = send(&sink, 1).await;
    assert!(report.verdict().is_ok());
    let statuses: Vec<u16> =
        report.exchanges().iter().map(|exchange| exchange.reply.as_ref().unwrap().status).collect();
    assert_eq!(statuses, [401, 200]);
    let uploads = server.uploads();
    assert_eq!(uploads.iter().map(bearer).collect::<Vec<_>>(), ["Bearer token-1", "Bearer token-2"]);
    assert_eq!(uploads[0].body, uploads[1].body);
    assert!(send(&sink, 1).await.verdict().is_ok());
    assert_eq!(server.token_requests().len(), 2);
}

#[tokio::test]
async fn a_second_refusal_is_final() {
    let body = r#"{"error":{"code":401,"status":"UNAUTHENTICATED","message":"token-1 token-2 refused","details":[]}}"#;
    let server = Server::google(move |_| reply(401, body));
    let report = send(&sink_at(&server, ""), 1).await;
    assert_eq!((class(&report), report.exchanges().len()), (UNAUTHORIZED, 2));
    assert_eq!((server.token_requests().len(), server.uploads().len()), (2, 2));
    let said = format!("{:?}", report.verdict().unwrap_err());
    assert!(!said.contains("token-2"), "{said}");
}

#[tokio::test]
async fn a_revoked_grant_is_for_a_human_and_leaks_nothing() {
    let echo = r#"{"error":"invalid_grant","error_description":"1//refresh-token client-secret"}"#;
    let server = Server::start(move |_| reply(400, echo));
    let report = send(&sink_at(&server, ""), 1).await;
    let failure = report.verdict().unwrap_err();
    assert_eq!((failure.class, failure.code.as_deref()), (UNAUTHORIZED, Some("invalid_grant")));
    assert_eq!(report.exchanges().len(), 0);
    let said = format!("{report:?}");
    assert!(!said.contains("1//refresh") && !said.contains("client-secret"), "{said}");
}

#[tokio::test]
async fn a_token_endpoint_that_fails_is_told_apart_from_the_upload() {
    for (status, body, class) in [
        (503, "", FailureClass::Unavailable { retry_after: None }),
        (400, r#"{"error":"internal_failure"}"#, FailureClass::Unavailable { retry_after: None }),
        (429, "", FailureClass::RateLimited { retry_after: None }),
        (401, r#"{"error":"invalid_client"}"#, UNAUTHORIZED),
        (200, "<html>", FailureClass::Unreachable),
    ] {
        let server = Server::start(move |_| reply(status, body));
        let report = send(&sink_at(&server, ""), 1).await;
        assert_eq!(self::class(&report), class, "{status} {body}");
        assert_eq!((report.exchanges().len(), server.uploads().len()), (0, 0));
    }
}

#[tokio::test]
async fn without_a_token_nothing_was_sent_however_far_the_token_request_got() {
    let cut = Server::start(|_| Answer::HangUp);
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let silent = Server::start(move |_| match wait.lock().unwrap().recv_timeout(Duration::from_secs(5)) {
        Ok(()) | Err(_) => Answer::HangUp,
    });
    let nobody = "base_url = 'http://127.0.0.1:9'\ntoken_url = 'http://127.0.0.1:9/token'";
    for sink in [sink_at(&cut, ""), sink_at(&silent, "timeout_seconds = 1"), sink(nobody)] {
        let report = send(&sink, 1).await;
        assert_eq!(class(&report), FailureClass::Unreachable);
        assert_eq!(report.exchanges().len(), 0);
    }
    release.send(()).unwrap();
}

#[tokio::test]
async fn who_waited_for_a_failed_token_shares_its_failure() {
    let server = Server::start(|_| Answer::HangUp);
    let sink = sink_at(&server, "");
    let reports = tokio::join!(send(&sink, 1), send(&sink, 1), send(&sink, 1));
    for report in [&reports.0, &reports.1, &reports.2] {
        assert_eq!(class(report), FailureClass::Unreachable);
    }
    let asked = server.token_requests().len();
    assert_eq!(class(&send(&sink, 1).await), FailureClass::Unreachable);
    assert_eq!((asked, server.token_requests().len()), (1, 2));
}

#[tokio::test]
async fn a_new_refresh_token_replaces_the_configured_one() {
    let count = AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        if seen.path != "/token" {
            return reply(401, "{}");
        }
        let number = count.fetch_add(1, Ordering::Relaxed);
        reply(
            200,
            format!(r#"{{"access_token":"a-{number}","expires_in":3599,"refresh_token":"1//new-{number}"}}"#),
        )
    });
    send(&sink_at(&server, ""), 1).await;
    let shown = |seen: &Seen| form_urlencoded::parse(seen.body.as_bytes()).last().unwrap().1.into_owned();
    let shown: Vec<String> = server.token_requests().iter().map(shown).collect();
    assert_eq!(shown, ["1//refresh-token", "1//new-0"]);
}
