//! Whom QStash tells about attempts and failures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::receiver::{Delivery, Receiver};
use super::{dead_letters, fast, publish, published, settled, start};

fn decoded(value: &Value) -> String {
    String::from_utf8(STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap()
}

fn by_attempt(mut callbacks: Vec<Delivery>) -> Vec<Delivery> {
    callbacks.sort_by_key(|callback| callback.json()["retried"].as_u64());
    callbacks
}

#[tokio::test]
async fn every_attempt_and_the_failure_are_told() {
    let receiver = Receiver::start(|delivery, _| match delivery.path.as_str() {
        "/deliver" => (Some(503), vec![("X-Reason", "busy")]),
        _ => (Some(200), Vec::new()),
    });
    let (running, receiver) = (start(fast()).await, receiver.await);
    let request = publish(&running, &receiver.url("/deliver"))
        .header("Content-Type", "application/json")
        .header("Upstash-Retries", "1")
        .header("Upstash-Callback", receiver.url("/callback"))
        .header("Upstash-Failure-Callback", receiver.url("/failed"))
        .header("Upstash-Failure-Callback-Forward-X-Order", "7");
    let id = published(request.body(r#"{"delivery_id":"d1"}"#)).await;
    let report = settled(&running).await;
    assert_eq!([report.attempts, report.dead, report.callbacks, report.callbacks_delivered], [2, 1, 3, 3]);

    let callbacks = by_attempt(receiver.at("/callback"));
    assert_eq!(callbacks.len(), 2);
    for (retried, callback) in callbacks.iter().enumerate() {
        let told = callback.json();
        assert_eq!([&told["retried"], &told["status"]], [&json!(retried), &json!(503)]);
        assert!(told.get("dlqId").is_none());
        assert_eq!(callback.header("x-order"), "");
    }

    let failed = receiver.at("/failed");
    assert_eq!(failed.len(), 1);
    let (told, letter) = (failed[0].json(), &dead_letters(&running).await[0]);
    assert_eq!((failed[0].method.as_str(), failed[0].header("content-type")), ("POST", "application/json"));
    assert_eq!((failed[0].header("x-order"), failed[0].header("upstash-retried")), ("7", "0"));
    assert_ne!(failed[0].header("upstash-message-id"), id);
    assert_eq!(failed[0].header("upstash-signature").split('.').count(), 3);
    let expected = json!({
        "status": 503, "retried": 1, "maxRetries": 1, "sourceMessageId": id, "topicName": "", "endpointName": "",
        "url": receiver.url("/deliver"), "method": "POST", "notBefore": letter["notBefore"],
        "createdAt": letter["createdAt"], "scheduleId": "", "callerIP": "", "dlqId": letter["dlqId"],
        "sourceHeader": {"content-type": ["application/json"]},
        "body": told["body"], "sourceBody": told["sourceBody"], "header": told["header"],
    });
    assert_eq!(told, expected);
    assert_eq!(decoded(&told["body"]), "answer");
    assert_eq!(decoded(&told["sourceBody"]), r#"{"delivery_id":"d1"}"#);
    assert_eq!(told["header"]["x-reason"], json!(["busy"]));
}

#[tokio::test]
async fn a_success_is_told_but_is_no_failure() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    let request = publish(&running, &receiver.url("/deliver"))
        .header("Upstash-Callback", receiver.url("/callback"))
        .header("Upstash-Failure-Callback", receiver.url("/failed"));
    published(request).await;
    settled(&running).await;
    assert_eq!((receiver.at("/callback").len(), receiver.at("/failed").len()), (1, 0));
    assert_eq!(receiver.at("/callback")[0].json()["status"], 200);
}

#[tokio::test]
async fn an_error_that_is_not_to_be_retried_is_told_at_once() {
    let receiver = Receiver::start(|delivery, _| match delivery.path.as_str() {
        "/deliver" => (Some(489), vec![("Upstash-NonRetryable-Error", "true")]),
        _ => (Some(200), Vec::new()),
    });
    let (running, receiver) = (start(fast()).await, receiver.await);
    let request = publish(&running, &receiver.url("/deliver"));
    published(request.header("Upstash-Failure-Callback", receiver.url("/failed"))).await;
    settled(&running).await;
    let told = receiver.at("/failed")[0].json();
    assert_eq!([&told["status"], &told["retried"], &told["maxRetries"]], [&json!(489), &json!(0), &json!(3)]);
}

#[tokio::test]
async fn a_callback_has_retries_of_its_own() {
    let (running, receiver) = (start(fast()).await, Receiver::always(500).await);
    let request = publish(&running, &receiver.url("/deliver"))
        .header("Upstash-Retries", "0")
        .header("Upstash-Callback", receiver.url("/callback"))
        .header("Upstash-Callback-Method", "PUT")
        .header("Upstash-Callback-Retries", "2")
        .header("Upstash-Callback-Retry-Delay", "1")
        .header("Upstash-Callback-Timeout", "10s")
        .header("Upstash-Failure-Callback", receiver.url("/failed"))
        .header("Upstash-Failure-Callback-Retries", "1");
    published(request).await;
    let report = settled(&running).await;
    let callbacks = receiver.at("/callback");
    let retried: Vec<&str> = callbacks.iter().map(|callback| callback.header("upstash-retried")).collect();
    assert_eq!((retried, receiver.at("/failed").len()), (vec!["0", "1", "2"], 2));
    assert!(callbacks.iter().all(|callback| callback.method == "PUT"));
    let id = callbacks[0].header("upstash-message-id");
    assert!(callbacks.iter().all(|callback| callback.header("upstash-message-id") == id));
    // A callback that fails is no dead letter of its own, nor does it count as a message.
    assert_eq!([report.callbacks, report.callbacks_delivered, report.callbacks_failed], [2, 0, 2]);
    assert_eq!([report.published, report.attempts, report.dead], [1, 1, 1]);
    assert_eq!(dead_letters(&running).await.len(), 1);
}
