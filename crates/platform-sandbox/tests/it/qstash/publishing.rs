//! Queues, batches, and what the API shows of messages that wait.

use serde_json::{Value, json};

use super::receiver::Receiver;
use super::{TOKEN, fast, publish, published, report, settled, start};
use crate::harness::{Running, read};

async fn batch(running: &Running, messages: &Value) -> (u16, Value) {
    let request = running.post("/v2/batch").bearer_auth(TOKEN).header("Content-Type", "application/json");
    read(request.body(messages.to_string())).await
}

#[tokio::test]
async fn a_queue_delivers_too() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    let request = running.post(&format!("/v2/enqueue/my-queue.1/{}", receiver.url("/a/b?c")));
    let id = published(request.bearer_auth(TOKEN).body("body")).await;
    let delivery = &receiver.wait_for(1).await[0];
    assert_eq!((delivery.path.as_str(), delivery.header("upstash-message-id")), ("/a/b?c", id.as_str()));
    let wrong = running.post(&format!("/v2/enqueue/my%20queue/{}", receiver.url("/")));
    assert_eq!(read(wrong.bearer_auth(TOKEN)).await.0, 400);
    assert_eq!(read(running.post("/v2/enqueue/queue").bearer_auth(TOKEN)).await.0, 400);
}

#[tokio::test]
async fn a_batch_is_answered_in_its_order() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    let messages = json!([
        {"destination": receiver.url("/1"), "body": "one",
            "headers": {"Content-Type": "text/plain", "upstash-forward-x-order": "7"}},
        {"destination": receiver.url("/2"), "headers": {"Upstash-Deduplication-Id": "d"}, "queue": "q"},
        {"destination": receiver.url("/3"), "headers": {"Upstash-Deduplication-Id": "d"}},
    ]);
    let (status, answer) = batch(&running, &messages).await;
    assert_eq!((status, answer.as_array().unwrap().len()), (201, 3), "{answer}");
    assert_eq!(answer[2], json!({"messageId": answer[1]["messageId"], "deduplicated": true}));
    receiver.wait_for(2).await;
    for (index, path) in [(0, "/1"), (1, "/2")] {
        let delivery = &receiver.at(path)[0];
        assert_eq!(answer[index], json!({"messageId": delivery.header("upstash-message-id")}));
    }
    let first = &receiver.at("/1")[0];
    assert_eq!((first.header("content-type"), first.header("x-order")), ("text/plain", "7"));
    assert_eq!(first.body, "one");
    let report = settled(&running).await;
    assert_eq!([report.published, report.deduplicated, report.delivered], [2, 1, 2]);
}

#[tokio::test]
async fn a_batch_with_a_fault_is_refused_whole() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    let good = json!({"destination": receiver.url("/"), "body": "b"});
    let cases = [
        (json!([good, {"destination": "no-url"}]), "message 1: the destination must be"),
        (
            json!([{"destination": receiver.url("/"), "headers": {"Upstash-Retries": "-1"}}]),
            "upstash-retries must",
        ),
        (
            json!([{"destination": receiver.url("/"), "headers": {"not a name": "1"}}]),
            "message 0: not a name",
        ),
        (json!([{"destination": receiver.url("/"), "body": {"a": 1}}]), "a batch is an array"),
        (json!([{"destination": receiver.url("/"), "delay": 1}]), "unknown field `delay`"),
        (json!([{"destination": receiver.url("/"), "queue": ""}]), "a queue's name"),
        (json!({"destination": receiver.url("/")}), "a batch is an array"),
        (json!([]), "1 to 1000 messages"),
        (Value::from(vec![good.clone(); 1001]), "1 to 1000 messages"),
    ];
    for (messages, words) in cases {
        let (status, answer) = batch(&running, &messages).await;
        let error = answer["error"].as_str().unwrap();
        assert!(status == 400 && error.contains(words), "{status} {error} | {words}");
    }
    assert_eq!([report(&running).published, report(&running).refused], [0, 9]);
    assert_eq!(batch(&running, &Value::from(vec![good; 1000])).await.0, 201);
    assert_eq!(settled(&running).await.delivered, 1000);
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    let most = 1 << 20;
    let (status, answer) = read(publish(&running, &receiver.url("/")).body("x".repeat(most + 1))).await;
    assert_eq!((status, answer["error"].as_str()), (400, Some("a message holds at most 1048576 bytes")));
    published(publish(&running, &receiver.url("/")).body("x".repeat(most))).await;
    assert_eq!(receiver.wait_for(1).await[0].body.len(), most);
}
