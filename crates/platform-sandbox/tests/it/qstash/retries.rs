//! When a delivery is tried again, and when not.

use std::time::{Duration, Instant};

use super::receiver::Receiver;
use super::{dead_letters, fast, publish, published, report, settled, start};

/// Waits between the deliveries.
async fn gaps(receiver: &Receiver, count: usize) -> Vec<Duration> {
    let deliveries = receiver.wait_for(count).await;
    deliveries.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at)).collect()
}

#[tokio::test]
async fn three_retries_then_a_dead_letter() {
    let (running, receiver) = (start(fast()).await, Receiver::always(500).await);
    let request = publish(&running, &receiver.url("/")).header("Upstash-Retry-Delay", "1");
    let id = published(request.body("body")).await;
    let report = settled(&running).await;
    let deliveries = receiver.deliveries();
    let numbers: Vec<&str> = deliveries.iter().map(|delivery| delivery.header("upstash-retried")).collect();
    assert_eq!(numbers, ["0", "1", "2", "3"]);
    assert!(deliveries.iter().all(|delivery| delivery.header("upstash-message-id") == id));
    assert!(deliveries.iter().all(|delivery| delivery.body == "body"));
    assert_eq!([report.attempts, report.failed_attempts, report.delivered, report.dead], [4, 4, 0, 1]);
}

#[tokio::test]
async fn a_retry_can_succeed() {
    let answer = |_: &_, number| (Some(if number < 2 { 503 } else { 204 }), Vec::new());
    let (running, receiver) = (start(fast()).await, Receiver::start(answer).await);
    let request = publish(&running, &receiver.url("/")).header("Upstash-Retries", "2");
    published(request).await;
    let report = settled(&running).await;
    assert_eq!([report.attempts, report.failed_attempts, report.delivered, report.dead], [3, 2, 1, 0]);
}

#[tokio::test]
async fn the_usual_backoff() {
    let (running, receiver) = (start(fast()).await, Receiver::always(500).await);
    let begun = Instant::now();
    published(publish(&running, &receiver.url("/")).header("Upstash-Retries", "2")).await;
    let gaps = gaps(&receiver, 3).await;
    assert!(gaps[0] >= Duration::from_millis(12) && gaps[1] >= Duration::from_millis(148), "{gaps:?}");
    // A thousandth of QStash's 160 seconds.
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn a_delay_of_the_publishers_own() {
    let (running, receiver) = (start(fast()).await, Receiver::always(500).await);
    let request = publish(&running, &receiver.url("/")).header("Upstash-Retries", "2");
    published(request.header("Upstash-Retry-Delay", "pow(2, retried) * 50000")).await;
    let gaps = gaps(&receiver, 3).await;
    assert!(gaps[0] >= Duration::from_millis(50) && gaps[1] >= Duration::from_millis(100), "{gaps:?}");
}

#[tokio::test]
async fn an_answer_can_name_the_time() {
    for (name, value) in [("Retry-After", "90"), ("X-RateLimit-Reset-Tokens", "1m30s")] {
        let answer = move |_: &_, _| (Some(429), vec![(name, value)]);
        let (running, receiver) = (start(fast()).await, Receiver::start(answer).await);
        let request = publish(&running, &receiver.url("/")).header("Upstash-Retries", "1");
        published(request.header("Upstash-Retry-Delay", "1")).await;
        let gaps = gaps(&receiver, 2).await;
        assert!(gaps[0] >= Duration::from_millis(90), "{name} {gaps:?}");
    }
}

#[tokio::test]
async fn an_error_that_is_not_to_be_retried() {
    let marked = vec![("Upstash-NonRetryable-Error", "true")];
    let cases = [
        (Some(489), marked.clone(), 1),
        (Some(489), Vec::new(), 2),
        (Some(489), vec![("Upstash-NonRetryable-Error", "false")], 2),
        (Some(400), marked.clone(), 2),
        (Some(200), marked, 1),
    ];
    for (status, headers, attempts) in cases {
        let answer = headers.clone();
        let receiver = Receiver::start(move |_, _| (status, answer.clone())).await;
        let running = start(fast()).await;
        published(publish(&running, &receiver.url("/")).header("Upstash-Retries", "1")).await;
        let report = settled(&running).await;
        let dead = u64::from(status != Some(200));
        assert_eq!([report.attempts, report.dead], [attempts, dead], "{status:?} {headers:?}");
    }
}

#[tokio::test]
async fn everything_else_is_retried() {
    let redirect = Receiver::start(|delivery, _| {
        let status = if delivery.path == "/" { 307 } else { 200 };
        (Some(status), vec![("Location", "/elsewhere")])
    });
    let silent = Receiver::start(|_, _| (None, Vec::new()));
    let (redirect, silent) = (redirect.await, silent.await);
    let cases = [
        (redirect.url("/"), 307, "answer"),
        (silent.url("/"), 0, "no answer within the timeout"),
        // Nothing listens there.
        ("http://127.0.0.1:1/".to_owned(), 0, "the request failed"),
        // The sandbox calls by plain HTTP.
        (redirect.url("/").replace("http:", "https:"), 0, "the request failed"),
    ];
    for (url, status, words) in cases {
        let running = start(fast()).await;
        let request = publish(&running, &url).header("Upstash-Timeout", "1s").header("Upstash-Retries", "1");
        published(request).await;
        settled(&running).await;
        assert_eq!([report(&running).attempts, report(&running).dead], [2, 1], "{url}");
        let letter = &dead_letters(&running).await[0];
        assert_eq!(letter["responseStatus"], status, "{letter}");
        assert!(letter["responseBody"].as_str().unwrap().contains(words), "{letter}");
    }
    assert_eq!(redirect.at("/elsewhere").len(), 0);
}
