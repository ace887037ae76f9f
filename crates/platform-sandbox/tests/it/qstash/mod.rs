//! QStash: what it takes, what it delivers, and what it does when that fails.

use std::time::{Duration, Instant};

use platform_sandbox::{QstashReport, QstashSettings};
use serde_json::Value;

use crate::harness::{Running, read};

mod callbacks;
mod dead_letters;
mod deduplication;
mod deliveries;
mod faults;
mod messages;
mod official_client;
mod publishing;
mod receiver;
mod refusals;
mod retries;
mod signature;

const TOKEN: &str = "sandbox-qstash-token";

/// Every wait takes a thousandth of its time.
fn fast() -> QstashSettings {
    QstashSettings { time_scale: 0.001, ..QstashSettings::default() }
}

async fn start(settings: QstashSettings) -> Running {
    let running = Running::start().await;
    running.sandbox.qstash().configure(settings);
    running
}

fn publish(running: &Running, to: &str) -> reqwest::RequestBuilder {
    running.post(&format!("/v2/publish/{to}")).bearer_auth(TOKEN)
}

/// Publishes what must be taken; gives the message's id.
async fn published(request: reqwest::RequestBuilder) -> String {
    let (status, answer) = read(request).await;
    assert_eq!((status, answer.as_object().unwrap().len()), (201, 1), "{answer}");
    answer["messageId"].as_str().unwrap().to_owned()
}

fn get(running: &Running, path: &str) -> reqwest::RequestBuilder {
    running.get(path).bearer_auth(TOKEN)
}

fn delete(running: &Running, path: &str) -> reqwest::RequestBuilder {
    running.client.delete(running.url(path)).bearer_auth(TOKEN)
}

fn report(running: &Running) -> QstashReport {
    running.sandbox.qstash().report()
}

/// Waits until every message and callback has come to its end.
async fn settled(running: &Running) -> QstashReport {
    let is_settled = |report: &QstashReport| {
        report.waiting == 0 && report.callbacks == report.callbacks_delivered + report.callbacks_failed
    };
    until(|| is_settled(&report(running))).await;
    let report = report(running);
    let ended = report.delivered + report.dead + report.cancelled + report.lost;
    assert_eq!(report.published, ended, "{report:?}");
    report
}

/// Waits for what must come to pass.
async fn until(come: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !come() {
        assert!(Instant::now() < deadline, "it has not come to pass");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn dead_letters(running: &Running) -> Vec<Value> {
    let (status, answer) = read(get(running, "/v2/dlq")).await;
    assert_eq!(status, 200);
    answer["messages"].as_array().unwrap().clone()
}
