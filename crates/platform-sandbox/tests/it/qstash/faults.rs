//! A QStash that loses, doubles and delays.

use std::time::{Duration, Instant};

use platform_sandbox::QstashSettings;
use serde_json::{Value, json};

use super::receiver::Receiver;
use super::{fast, publish, published, report, settled, start};
use crate::harness::{Running, read};

/// Publishes so many messages, which are tried again at once.
async fn publish_many(running: &Running, receiver: &Receiver, count: usize) {
    for _ in 0..count {
        published(publish(running, &receiver.url("/")).header("Upstash-Retry-Delay", "1")).await;
    }
}

#[tokio::test]
async fn some_are_lost() {
    let settings = QstashSettings { p_lost: 0.5, ..fast() };
    let (running, receiver) = (start(settings).await, Receiver::good().await);
    publish_many(&running, &receiver, 40).await;
    let report = settled(&running).await;
    assert!((5..35).contains(&report.lost), "{report:?}");
    assert_eq!([report.delivered, report.attempts], [40 - report.lost; 2]);
    assert_eq!(receiver.deliveries().len() as u64, report.delivered);
}

#[tokio::test]
async fn the_first_attempt_fails_on_its_way() {
    let settings = QstashSettings { p_fail_once: 1.0, ..fast() };
    let (running, receiver) = (start(settings).await, Receiver::good().await);
    publish_many(&running, &receiver, 3).await;
    let report = settled(&running).await;
    assert_eq!([report.attempts, report.failed_attempts, report.delivered], [6, 3, 3]);
    let deliveries = receiver.deliveries();
    assert_eq!(deliveries.len(), 3);
    assert!(deliveries.iter().all(|delivery| delivery.header("upstash-retried") == "1"));
}

#[tokio::test]
async fn an_answer_is_lost() {
    let settings = QstashSettings { p_answer_lost: 1.0, p_fail_once: 1.0, ..fast() };
    let (running, receiver) = (start(settings).await, Receiver::good().await);
    publish_many(&running, &receiver, 1).await;
    let report = settled(&running).await;
    assert_eq!([report.attempts, report.failed_attempts, report.delivered], [3, 2, 1]);
    let deliveries = receiver.deliveries();
    let retried: Vec<&str> = deliveries.iter().map(|delivery| delivery.header("upstash-retried")).collect();
    assert_eq!(retried, ["1", "2"]);
}

#[tokio::test]
async fn a_message_comes_twice() {
    let settings = QstashSettings { p_duplicate: 1.0, ..fast() };
    let (running, receiver) = (start(settings).await, Receiver::good().await);
    publish_many(&running, &receiver, 1).await;
    let deliveries = receiver.wait_for(2).await;
    let ids: Vec<&str> = deliveries.iter().map(|delivery| delivery.header("upstash-message-id")).collect();
    assert_eq!((ids.len(), ids[0]), (2, ids[1]));
    assert!(deliveries.iter().all(|delivery| delivery.header("upstash-retried") == "0"));
    super::until(|| report(&running).duplicates == 1).await;
    let report = settled(&running).await;
    assert_eq!([report.attempts, report.delivered], [1, 1]);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults() {
    let settings = QstashSettings { p_lost: 0.5, ..fast() };
    let (running, receiver) = (start(settings).await, Receiver::good().await);
    let mut runs = Vec::new();
    for _ in 0..2 {
        running.sandbox.reset();
        let mut lost = Vec::new();
        for _ in 0..20 {
            publish_many(&running, &receiver, 1).await;
            lost.push(report(&running).lost);
        }
        runs.push(lost);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn a_slow_api() {
    let settings = QstashSettings { latency_ms: 60, ..fast() };
    let (running, receiver) = (start(settings).await, Receiver::good().await);
    let begun = Instant::now();
    publish_many(&running, &receiver, 1).await;
    assert!(begun.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn settings_over_http() {
    let (running, receiver) = (start(QstashSettings::default()).await, Receiver::good().await);
    let config = async |settings: Value| {
        let (status, answer) = read(running.post("/__config").body(settings.to_string())).await;
        (status, answer["error"].as_str().unwrap_or_default().to_owned())
    };
    let settings = json!({"qstash": {"token": "mine", "p_lost": 1.0, "current_signing_key": "sig_mine"}});
    assert_eq!(config(settings).await.0, 200);
    let request = running.post(&format!("/v2/publish/{}", receiver.url("/")));
    published(request.bearer_auth("mine")).await;
    assert_eq!(running.sandbox.qstash().keys().current, "sig_mine");
    let (_, report) = read(running.get("/__report")).await;
    assert_eq!([&report["qstash"]["published"], &report["qstash"]["lost"]], [1, 1]);

    let cases = [
        (json!({"qstash": {"p_last": 1}}), "qstash: unknown field `p_last`"),
        (json!({"qstash": {"p_lost": 2}}), "qstash: p_lost is a probability"),
        (json!({"qstash": {"time_scale": -1}}), "qstash: time_scale must be from 0 to 1"),
        (json!({"qstash": {"concurrency": 0}}), "qstash: concurrency must be at least 1"),
        (json!({"qstash": {"token": ""}}), "qstash: token must be filled"),
        (json!({"qstash": {"token": "other"}, "tiktok": {"p_429": 2}}), "tiktok: p_429"),
    ];
    for (settings, words) in cases {
        let (status, error) = config(settings).await;
        assert!(status == 400 && error.contains(words), "{error} | {words}");
    }
    let request = running.post(&format!("/v2/publish/{}", receiver.url("/")));
    published(request.bearer_auth("mine")).await;
}
