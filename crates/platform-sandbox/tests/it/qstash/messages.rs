//! Messages that wait: looked up and cancelled.

use serde_json::json;

use super::receiver::Receiver;
use super::{TOKEN, delete, fast, get, publish, published, report, settled, start};
use crate::harness::read;

#[tokio::test]
async fn a_message_can_be_looked_up_while_it_waits() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    let url = receiver.url("/there");
    let request = running.post(&format!("/v2/enqueue/queue/{url}")).bearer_auth(TOKEN).body("body");
    let request = request
        .header("Content-Type", "text/plain")
        .header("Upstash-Delay", "7d")
        .header("Upstash-Retries", "5")
        .header("Upstash-Retry-Delay", "1000 * retried")
        .header("Upstash-Label", "orders")
        .header("Upstash-Forward-X-Order", "7")
        .header("Upstash-Callback", receiver.url("/callback"))
        .header("Upstash-Failure-Callback", receiver.url("/failed"));
    let id = published(request).await;
    let path = format!("/v2/messages/{id}");
    let (status, message) = read(get(&running, &path)).await;
    let created_ms = message["createdAt"].as_u64().unwrap();
    let expected = json!({
        "messageId": id, "url": url, "method": "POST", "body": "body", "queueName": "queue",
        "header": {"content-type": ["text/plain"], "x-order": ["7"]},
        "maxRetries": 5, "retryDelayExpression": "1000 * retried", "label": "orders",
        "createdAt": created_ms, "notBefore": created_ms + 604_800_000,
        "callback": receiver.url("/callback"), "failureCallback": receiver.url("/failed"),
    });
    assert_eq!((status, message), (200, expected));
    assert_eq!(read(get(&running, "/v2/messages/msg_other")).await.0, 404);
}

#[tokio::test]
async fn a_delivered_message_is_gone() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    let id = published(publish(&running, &receiver.url("/"))).await;
    settled(&running).await;
    let (status, answer) = read(get(&running, &format!("/v2/messages/{id}"))).await;
    assert!(status == 404 && answer["error"].is_string(), "{status} {answer}");
    assert_eq!(read(delete(&running, &format!("/v2/messages/{id}"))).await.0, 404);
}

#[tokio::test]
async fn a_cancelled_message_is_not_delivered() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    let id = published(publish(&running, &receiver.url("/")).header("Upstash-Delay", "25m")).await;
    let path = format!("/v2/messages/{id}");
    assert_eq!(read(delete(&running, &path)).await.0, 202);
    assert_eq!(read(delete(&running, &path)).await.0, 404);
    published(publish(&running, &receiver.url("/later")).header("Upstash-Delay", "26m")).await;
    receiver.wait_for(1).await;
    assert_eq!(receiver.deliveries()[0].path, "/later");
    let report = settled(&running).await;
    assert_eq!([report.cancelled, report.delivered, report.attempts], [1, 1, 1]);
}

#[tokio::test]
async fn cancelling_ends_the_retries() {
    let (running, receiver) = (start(fast()).await, Receiver::always(500).await);
    let request = publish(&running, &receiver.url("/")).header("Upstash-Retry-Delay", "86400000");
    let id = published(request).await;
    receiver.wait_for(1).await;
    super::until(|| report(&running).failed_attempts == 1).await;
    assert_eq!(read(delete(&running, &format!("/v2/messages/{id}"))).await.0, 202);
    let report = settled(&running).await;
    assert_eq!([report.cancelled, report.attempts, report.dead], [1, 1, 0]);
}
