//! Messages that were given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use serde_json::{Value, json};

use super::receiver::Receiver;
use super::{TOKEN, dead_letters, delete, fast, get, publish, published, settled, start};
use crate::harness::{Running, read};

async fn give_up(running: &Running, receiver: &Receiver, path: &str) -> String {
    let request = publish(running, &receiver.url(path)).header("Upstash-Retries", "0").body("body");
    let id = published(request.header("Upstash-Deduplication-Id", path)).await;
    settled(running).await;
    id
}

#[tokio::test]
async fn a_page_at_a_time() {
    let (running, receiver) = (start(fast()).await, Receiver::always(500).await);
    let mut given_up = Vec::new();
    for number in 0..5 {
        given_up.push(give_up(&running, &receiver, &format!("/{number}")).await);
    }
    let (mut found, mut sizes, mut path) = (Vec::new(), Vec::new(), "/v2/dlq?count=2".to_owned());
    loop {
        let (status, page) = read(get(&running, &path)).await;
        assert_eq!(status, 200);
        let messages = page["messages"].as_array().unwrap();
        sizes.push(messages.len());
        found.extend(messages.iter().map(|message| message["messageId"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["cursor"].as_str() else { break };
        path = format!("/v2/dlq?count=2&cursor={cursor}");
    }
    assert_eq!((found, sizes), (given_up, vec![2, 2, 1]));
    for wrong in ["count=0", "count=101", "count=x", "label=a"] {
        assert_eq!(read(get(&running, &format!("/v2/dlq?{wrong}"))).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_dead_letter_says_what_became_of_it() {
    let (running, receiver) = (start(fast()).await, Receiver::always(502).await);
    let id = give_up(&running, &receiver, "/there").await;
    let letter = dead_letters(&running).await.remove(0);
    let expected = json!({
        "dlqId": letter["dlqId"], "messageId": id, "url": receiver.url("/there"), "method": "POST",
        "header": {}, "body": "body", "maxRetries": 0, "createdAt": letter["createdAt"],
        "notBefore": letter["createdAt"], "responseStatus": 502, "responseBody": "answer",
        "responseHeader": letter["responseHeader"],
    });
    assert_eq!(letter, expected);
    let path = format!("/v2/dlq/{}", letter["dlqId"].as_str().unwrap());
    assert_eq!(read(get(&running, &path)).await, (200, expected));
    assert_eq!(read(get(&running, &format!("/v2/messages/{id}"))).await.0, 404);
    assert_eq!(read(delete(&running, &path)).await.0, 200);
    assert_eq!(read(get(&running, &path)).await.0, 404);
    assert_eq!(read(delete(&running, &path)).await.0, 404);
    assert_eq!(dead_letters(&running).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_dead_letter_is_tried_again_as_a_new_message() {
    let is_well = Arc::new(AtomicBool::new(false));
    let answers = Arc::clone(&is_well);
    let receiver =
        Receiver::start(move |_, _| (Some(if answers.load(Relaxed) { 200 } else { 500 }), Vec::new()));
    let (running, receiver) = (start(fast()).await, receiver.await);
    let first = give_up(&running, &receiver, "/there").await;
    let retry = |dlq_id: &Value| {
        running.post(&format!("/v2/dlq/retry/{}", dlq_id.as_str().unwrap())).bearer_auth(TOKEN)
    };

    // With a wrong header it stays where it is.
    let letter = dead_letters(&running).await.remove(0);
    assert_eq!(read(retry(&letter["dlqId"]).header("Upstash-Retries", "many")).await.0, 400);
    assert_eq!(dead_letters(&running).await, std::slice::from_ref(&letter));

    let amended = retry(&letter["dlqId"]).header("Upstash-Retries", "1");
    let second = published(amended.header("Upstash-Retry-Delay", "1")).await;
    assert_eq!(settled(&running).await.dead, 2);
    assert_eq!(read(retry(&letter["dlqId"])).await.0, 404);
    let deliveries = receiver.deliveries();
    assert_eq!(deliveries.len(), 3);
    assert_ne!(first, second);
    assert!(deliveries[1..].iter().all(|delivery| delivery.header("upstash-message-id") == second));

    is_well.store(true, Relaxed);
    let letters = dead_letters(&running).await;
    assert_eq!((letters.len(), &letters[0]["maxRetries"]), (1, &json!(1)));
    let third = published(retry(&letters[0]["dlqId"])).await;
    let report = settled(&running).await;
    assert_eq!([report.published, report.dead, report.delivered], [3, 2, 1]);
    let last = receiver.deliveries().pop().unwrap();
    assert_eq!((last.header("upstash-message-id"), last.body.as_ref()), (third.as_str(), b"body".as_slice()));
    assert_eq!(dead_letters(&running).await.len(), 0);
}
