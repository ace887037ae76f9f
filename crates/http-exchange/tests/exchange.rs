//! The client against real sockets: what was sent, what was perhaps received, what is recorded.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use conversion_core::exchange::{Body, Header, HeaderValue, Request};
use conversion_core::failure::FailureClass;
use conversion_core::secret::Secret;
use http_exchange::{Answer, Client, ClientOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Sends one request to a server that reads it, answers `reply` and closes. Returns what the server read, too.
async fn exchange_with(reply: &'static str) -> (Answer, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/track", listener.local_addr().unwrap());
    tokio::join!(send(url), serve(listener, "{}", reply))
}

/// Reads one request up to its `end`, answers `reply` and closes. Returns what it read.
async fn serve(listener: TcpListener, end: &str, reply: &str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(end.as_bytes()) {
        stream.read_buf(&mut seen).await.unwrap();
    }
    stream.write_all(reply.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    String::from_utf8(seen).unwrap()
}

/// Longer than any answer takes that is to come.
const PATIENCE: Duration = Duration::from_secs(120);

fn client(timeout: Duration) -> Client {
    Client::new(ClientOptions { timeout, ..ClientOptions::default() }).unwrap()
}

fn headers() -> Vec<Header> {
    vec![
        Header::json(),
        Header { name: "access-token", value: HeaderValue::Secret(Secret::new("static-secret")) },
        Header { name: "authorization", value: HeaderValue::AccessToken },
    ]
}

async fn send(url: String) -> Answer {
    send_within(PATIENCE, url).await
}

async fn send_within(timeout: Duration, url: String) -> Answer {
    let request = Arc::new(Request { url, headers: headers(), body: Body::compose("{", [], "}") });
    client(timeout).exchange(&request, Some(&Secret::new("short-lived"))).await
}

fn class(answer: &Answer) -> FailureClass {
    answer.result.as_ref().unwrap_err().class
}

#[tokio::test]
async fn credentials_are_sent_and_not_recorded() {
    let reply =
        "HTTP/1.1 200 OK\r\nRetry-After: 7\r\nContent-Length: 35\r\n\r\nbad token static-secret short-lived";
    let (answer, seen) = exchange_with(reply).await;
    assert!(
        seen.contains("access-token: static-secret") && seen.contains("authorization: Bearer short-lived")
    );
    let reply = answer.result.unwrap();
    assert_eq!((reply.status, reply.retry_after), (200, Some(Duration::from_secs(7))));
    assert_eq!(reply.body, "bad token [redacted] [redacted]");
    let recorded = answer.exchange.request.headers.iter().map(Header::recorded_value).collect::<Vec<_>>();
    assert_eq!(recorded, ["application/json", "[redacted]", "[redacted]"]);
}

#[tokio::test]
async fn what_is_got_is_asked_for_with_the_same_credentials() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let reply = "HTTP/1.1 200 OK\r\nContent-Length: 35\r\n\r\nbad token static-secret short-lived";
    let (client, headers, token) = (client(PATIENCE), headers(), Secret::new("short-lived"));
    let (got, seen) =
        tokio::join!(client.get(&url, &headers, Some(&token)), serve(listener, "\r\n\r\n", reply));
    assert!(seen.starts_with("GET /keys "), "{seen}");
    assert!(
        seen.contains("access-token: static-secret") && seen.contains("authorization: Bearer short-lived")
    );
    assert_eq!(got.unwrap().body, "bad token [redacted] [redacted]");
}

#[tokio::test]
async fn a_long_answer_is_recorded_cut_and_marked() {
    let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n{}", "x".repeat(70_000));
    let (answer, _) = exchange_with(reply.leak()).await;
    assert_eq!(answer.result.unwrap().body.len(), 70_000);
    let recorded = answer.exchange.reply.unwrap();
    assert_eq!((recorded.body.len(), recorded.truncated), (65_536, true));
}

#[tokio::test]
async fn nothing_was_sent_where_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let answer = send(format!("http://{address}/")).await;
    assert_eq!(class(&answer), FailureClass::Unreachable);
    assert_eq!(class(&send("http://does-not-exist.invalid/".into()).await), FailureClass::Unreachable);
}

#[tokio::test]
async fn what_broke_off_was_perhaps_received() {
    for reply in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "not http at all"] {
        let (answer, _) = exchange_with(reply).await;
        assert_eq!(class(&answer), FailureClass::Interrupted, "{reply}");
        assert!(answer.exchange.reply.is_none());
    }
}

#[tokio::test]
async fn silence_was_perhaps_received() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let answer = send_within(Duration::from_millis(500), url).await;
    assert_eq!(class(&answer), FailureClass::Interrupted);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let reply = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let (answer, _) = exchange_with(reply).await;
    assert_eq!(answer.result.unwrap().status, 302);
}
