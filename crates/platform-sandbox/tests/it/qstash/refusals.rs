//! What QStash does not take.

use platform_sandbox::QstashSettings;

use super::receiver::Receiver;
use super::{TOKEN, fast, get, publish, report, start};
use crate::harness::{Running, read};

const URL: &str = "http://127.0.0.1:1/deliver";

async fn refused(request: reqwest::RequestBuilder, status: u16, words: &str) {
    let (found, answer) = read(request).await;
    let error = answer["error"].as_str().unwrap_or_default();
    assert!(found == status && error.contains(words), "{found} {answer} | {status} {words}");
}

#[tokio::test]
async fn headers() {
    let running = start(fast()).await;
    let cases = [
        ("Upstash-Retrys", "3", "upstash-retrys is unknown"),
        ("Upstash-Flow-Control-Key", "k", "Key means nothing without Upstash-Flow-Control-Value"),
        ("Upstash-Flow-Control-Key", "", "upstash-flow-control-key must be filled"),
        ("Upstash-Flow-Control-Value", "parallelism=1", "means nothing without Upstash-Flow-Control-Key"),
        ("Upstash-Flow-Control-Value", "parallelism=0", "must be parallelism= and a whole number from 1"),
        ("Upstash-Flow-Control-Value", "rate=5", "must be parallelism= and a whole number from 1"),
        ("Upstash-Cron", "* * * * *", "upstash-cron is unknown"),
        ("Upstash-Method", "FETCH", "upstash-method must be GET, POST, PUT, DELETE or PATCH"),
        ("Upstash-Method", "post", "upstash-method must be"),
        ("Upstash-Retries", "-1", "upstash-retries must be a whole number"),
        ("Upstash-Retries", "3.5", "upstash-retries must be a whole number"),
        ("Upstash-Retry-Delay", "5s", "upstash-retry-delay must be an expression"),
        ("Upstash-Retry-Delay", "pow(2, retires)", "upstash-retry-delay must be an expression"),
        ("Upstash-Timeout", "30", "upstash-timeout must be a span such as 30s"),
        ("Upstash-Timeout", "0s", "upstash-timeout must be longer than nothing"),
        ("Upstash-Delay", "soon", "upstash-delay must be a span"),
        ("Upstash-Delay", "7d1s", "put off by at most 604800 s"),
        ("Upstash-Not-Before", "2026-01-10", "upstash-not-before must be Unix time in seconds"),
        ("Upstash-Not-Before", "99999999999", "put off by at most 604800 s"),
        ("Upstash-Deduplication-Id", "", "upstash-deduplication-id must be filled"),
        ("Upstash-Content-Based-Deduplication", "yes", "must be true or false"),
        ("Upstash-Callback", "somewhere", "Upstash-Callback must be an absolute http or https URL"),
        ("Upstash-Failure-Callback", "/failed", "Upstash-Failure-Callback must be an absolute"),
        ("Upstash-Callback-Retries", "1", "upstash-callback-retries means nothing without Upstash-Callback"),
        ("Upstash-Failure-Callback-Retries", "1", "means nothing without Upstash-Failure-Callback"),
        ("Upstash-Forward-Host", "there", "upstash-forward-host cannot be forwarded"),
        ("Upstash-Forward-Content-Length", "1", "cannot be forwarded"),
        ("Upstash-Forward-Upstash-Signature", "forged", "cannot be forwarded"),
    ];
    for (name, value, words) in cases {
        refused(publish(&running, URL).header(name, value), 400, words).await;
    }
    let refined = publish(&running, URL).header("Upstash-Callback", URL);
    refused(refined.header("Upstash-Callback-Retrys", "1"), 400, "upstash-callback-retrys is unknown").await;
    assert_eq!(report(&running).published, 0);
}

#[tokio::test]
async fn destinations() {
    let running = start(fast()).await;
    for destination in ["", "my-url-group", "ftp://host/", "http://", "//host/path", "http%3A%2F%2Fhost%2F"] {
        refused(publish(&running, destination), 400, "absolute http or https URL").await;
    }
    for destination in [URL, "https://service.example/api", "http://[::1]:9/"] {
        let put_off = publish(&running, destination).header("Upstash-Delay", "1d");
        assert_eq!(read(put_off).await.0, 201, "{destination}");
    }
}

#[tokio::test]
async fn callers_without_the_token() {
    let running = start(fast()).await;
    let settings = QstashSettings { token: "mine".to_owned(), ..fast() };
    let request = |running: &Running| running.post(&format!("/v2/publish/{URL}"));
    refused(request(&running), 401, "token").await;
    refused(request(&running).bearer_auth("other"), 401, "token").await;
    refused(request(&running).header("Authorization", TOKEN), 401, "token").await;
    refused(request(&running).basic_auth("", Some(TOKEN)), 401, "token").await;
    refused(running.get("/v2/keys"), 401, "token").await;
    running.sandbox.qstash().configure(settings);
    refused(request(&running).bearer_auth(TOKEN), 401, "token").await;
    assert_eq!(read(request(&running).bearer_auth("mine")).await.0, 201);
    assert_eq!(report(&running).refused, 6);
}

#[tokio::test]
async fn paths_that_are_not_played() {
    let running = start(fast()).await;
    refused(get(&running, &format!("/v2/publish/{URL}")), 404, "no such path").await;
    refused(get(&running, "/v2/schedules"), 404, "no such path").await;
    refused(running.post("/v2/keys").bearer_auth(TOKEN), 404, "no such path").await;
    assert_eq!(running.report().unknown_paths["GET /v2/schedules"], 1);
}

#[tokio::test]
async fn a_service_that_is_down_still_delivers() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    assert_eq!(read(publish(&running, &receiver.url("/")).header("Upstash-Delay", "1m")).await.0, 201);
    running.sandbox.qstash().configure(QstashSettings { down: true, ..fast() });
    refused(publish(&running, &receiver.url("/")), 503, "unavailable").await;
    receiver.wait_for(1).await;
}
