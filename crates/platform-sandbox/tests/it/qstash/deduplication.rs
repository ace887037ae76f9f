//! A message that is published again.

use std::time::Duration;

use platform_sandbox::QstashSettings;
use serde_json::json;

use super::receiver::Receiver;
use super::{fast, publish, published, report, settled, start};
use crate::harness::read;

#[tokio::test]
async fn the_same_id_is_one_message() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    let request = |id: &str| publish(&running, &receiver.url("/")).header("Upstash-Deduplication-Id", id);
    let first = published(request("1")).await;
    // Even once it is delivered.
    settled(&running).await;
    let again = read(request("1").body("other")).await;
    assert_eq!(again, (202, json!({"messageId": first, "deduplicated": true})));
    assert_ne!(published(request("2")).await, first);
    let report = settled(&running).await;
    assert_eq!([report.published, report.deduplicated, report.delivered], [2, 1, 2]);
}

#[tokio::test]
async fn a_window_ends() {
    let settings = QstashSettings { dedup_window_ms: 50, ..fast() };
    let (running, receiver) = (start(settings).await, Receiver::good().await);
    let request = || publish(&running, &receiver.url("/")).header("Upstash-Deduplication-Id", "1");
    let first = published(request()).await;
    tokio::time::sleep(Duration::from_millis(51)).await;
    assert_ne!(published(request()).await, first);
}

#[tokio::test]
async fn the_same_content_is_one_message() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    let by_content = |path: &str, body: &'static str| {
        let request = publish(&running, &receiver.url(path)).body(body);
        request.header("Upstash-Content-Based-Deduplication", "true")
    };
    published(by_content("/1", "a")).await;
    assert_eq!(read(by_content("/1", "a")).await.0, 202);
    published(by_content("/2", "a")).await;
    published(by_content("/1", "b")).await;
    published(by_content("/1", "a").header("Upstash-Method", "PUT")).await;
    published(by_content("/1", "a").header("Upstash-Forward-X-Order", "7")).await;
    published(by_content("/1", "a").header("Content-Type", "text/plain")).await;
    // An id says more than the content.
    published(by_content("/1", "a").header("Upstash-Deduplication-Id", "1")).await;
    assert_eq!(report(&running).deduplicated, 1);
}
