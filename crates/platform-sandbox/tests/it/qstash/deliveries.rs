//! What arrives at a destination.

use std::time::{Duration, Instant};

use platform_sandbox::{QstashReport, QstashSettings, Sandbox};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::receiver::Receiver;
use super::{TOKEN, dead_letters, delete, fast, get, publish, published, report, settled, start, until};
use crate::harness::read;

#[tokio::test]
async fn a_message_arrives_as_it_was_published() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    let body = [0_u8, 255, 10, 123];
    let request = publish(&running, &receiver.url("/deliver//here?a=1&b=%20"))
        .header("Content-Type", "application/x-odd")
        .header("Upstash-Method", "PUT")
        .header("Upstash-Forward-X-Order", "7")
        .header("Upstash-Forward-Authorization", "Bearer theirs")
        .header("X-Not-Forwarded", "1")
        .body(body.to_vec());
    let id = published(request).await;
    let delivery = &receiver.wait_for(1).await[0];
    assert_eq!((delivery.method.as_str(), delivery.path.as_str()), ("PUT", "/deliver//here?a=1&b=%20"));
    assert_eq!(delivery.body, body.as_slice());
    let expected = [
        ("user-agent", "Upstash-QStash"),
        ("content-type", "application/x-odd"),
        ("x-order", "7"),
        ("authorization", "Bearer theirs"),
        ("x-not-forwarded", ""),
        ("upstash-message-id", &id),
        ("upstash-retried", "0"),
    ];
    for (name, value) in expected {
        assert_eq!(delivery.header(name), value, "{name}");
    }
    let report = settled(&running).await;
    assert_eq!([report.published, report.attempts, report.delivered, report.failed_attempts], [1, 1, 1, 0]);
}

#[tokio::test]
async fn the_method_is_post_and_the_body_may_be_empty() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    published(publish(&running, &receiver.url("/"))).await;
    let delivery = &receiver.wait_for(1).await[0];
    assert_eq!((delivery.method.as_str(), delivery.body.len()), ("POST", 0));
    assert_eq!(delivery.header("content-type"), "");
}

#[tokio::test]
async fn a_delay_and_a_time_put_delivery_off() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    let begun = Instant::now();
    let id = published(publish(&running, &receiver.url("/now")).header("Upstash-Delay", "1d")).await;
    let (_, message) = read(get(&running, &format!("/v2/messages/{id}"))).await;
    let now_s = message["createdAt"].as_u64().unwrap() / 1000;
    let cases = [
        ("/delay", "Upstash-Delay", "5m".to_owned(), 300),
        ("/not-before", "Upstash-Not-Before", (now_s + 400).to_string(), 398),
        ("/past", "Upstash-Not-Before", (now_s - 400).to_string(), 0),
    ];
    for (path, name, value, _) in &cases {
        published(publish(&running, &receiver.url(path)).header(*name, value)).await;
    }
    // The time wins over the delay.
    let both = publish(&running, &receiver.url("/both")).header("Upstash-Not-Before", "1");
    published(both.header("Upstash-Delay", "7d")).await;
    receiver.wait_for(4).await;
    for (path, _, _, at_least_ms) in &cases {
        let waited = receiver.at(path)[0].at.duration_since(begun);
        assert!(waited >= Duration::from_millis(*at_least_ms), "{path} {waited:?}");
    }
}

#[tokio::test]
async fn not_more_at_once_than_told() {
    let settings = QstashSettings { concurrency: 3, ..fast() };
    let (running, receiver) = (start(settings).await, Receiver::start(|_, _| (None, Vec::new())).await);
    for _ in 0..10 {
        let request = publish(&running, &receiver.url("/")).header("Upstash-Timeout", "10m");
        published(request.header("Upstash-Retries", "0")).await;
    }
    receiver.wait_for(3).await;
    assert_eq!((receiver.deliveries().len(), report(&running).max_in_flight), (3, 3));
    // Room for more is used at once.
    running.sandbox.qstash().configure(QstashSettings { concurrency: 10, ..fast() });
    receiver.wait_for(10).await;
    assert_eq!(report(&running).max_in_flight, 10);
}

#[tokio::test]
async fn messages_of_one_flow_control_key_share_its_parallelism() {
    let answer = |_: &_, number| (if number < 2 { None } else { Some(200) }, Vec::new());
    let (running, receiver) = (start(fast()).await, Receiver::start(answer).await);
    let controlled = |key| {
        let request = publish(&running, &receiver.url("/")).header("Upstash-Flow-Control-Key", key);
        request.header("Upstash-Flow-Control-Value", "parallelism=2").header("Upstash-Timeout", "1s")
    };
    for _ in 0..2 {
        published(controlled("full").header("Upstash-Retries", "0")).await;
    }
    receiver.wait_for(2).await;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(published(controlled("full")).await);
    }
    // Another key has room of its own.
    published(controlled("free")).await;
    published(publish(&running, &receiver.url("/"))).await;
    until(|| report(&running).delivered == 2).await;
    assert_eq!(receiver.deliveries().len(), 4);
    let cancelled = delete(&running, &format!("/v2/messages/{}", waiting[0]));
    assert_eq!(cancelled.send().await.unwrap().status(), 202);
    // Both calls are given up after a second, and make room.
    let report = settled(&running).await;
    assert_eq!((report.delivered, report.dead, report.cancelled), (4, 2, 1), "{report:?}");
}

#[tokio::test]
async fn deliveries_stop_with_the_sandbox_and_go_on_with_it() {
    let receiver =
        Receiver::start(|_, number| (if number == 0 { None } else { Some(200) }, Vec::new())).await;
    let sandbox = Sandbox::new(7);
    let base = serve(&sandbox).await;
    let client = reqwest::Client::new();
    let request = client.post(format!("{}/v2/publish/{}", base.0, receiver.url("/"))).bearer_auth(TOKEN);
    published(request.body(json!({"a": 1}).to_string())).await;
    receiver.wait_for(1).await;
    drop(base);
    let _again = serve(&sandbox).await;
    let deliveries = receiver.wait_for(2).await;
    assert_eq!(deliveries[0].header("upstash-message-id"), deliveries[1].header("upstash-message-id"));
    until(|| sandbox.qstash().report().waiting == 0).await;
    assert_eq!(sandbox.qstash().report().delivered, 1);
}

async fn serve(sandbox: &Sandbox) -> (String, JoinSet<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let serving = sandbox.clone();
    let mut server = JoinSet::new();
    server.spawn(async move { serving.serve(listener, std::future::pending()).await });
    (base, server)
}

#[tokio::test]
async fn a_reset_drops_the_messages_and_keeps_the_keys() {
    let (running, receiver) = (start(QstashSettings::default()).await, Receiver::always(400).await);
    let put_off = || publish(&running, &receiver.url("/put-off")).header("Upstash-Delay", "1h");
    published(put_off().header("Upstash-Deduplication-Id", "1")).await;
    published(publish(&running, &receiver.url("/")).header("Upstash-Retries", "0")).await;
    until(|| report(&running).dead == 1).await;
    let keys = running.sandbox.qstash().rotate();
    running.sandbox.reset();
    assert_eq!(report(&running), QstashReport::default());
    assert_eq!(dead_letters(&running).await.len(), 0);
    assert_eq!(running.sandbox.qstash().keys(), keys);
    published(put_off().header("Upstash-Deduplication-Id", "1")).await;
}
