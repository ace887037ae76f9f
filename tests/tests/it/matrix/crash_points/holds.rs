//! Holds, their ends, and deliveries that a human wants sent again.

use std::collections::BTreeSet;

use conversion_store::crash::{Point, Room};
use platform_sandbox::Settings;
use serde_json::Value;

use super::{ANYWHERE, commits, crash, restart};
use crate::harness::{Api, Ground, Outcome, SMALL_BATCHES, TIKTOK, ids, many};

pub(super) fn points() -> Vec<Point> {
    [held(), vec![Point::At(Room::Parked)], commits(&["resume a sink"]), commits(&["retry a delivery"])]
        .concat()
}

fn held() -> Vec<Point> {
    let rooms = [Room::HoldDecided, Room::HandingBack].map(Point::At);
    commits(&["hold a sink"]).into_iter().chain(rooms).collect()
}

fn wrong_token() -> Settings {
    Settings { tokens: vec!["another".to_owned()], ..Settings::default() }
}

/// Asks for something that the service may not live to answer.
async fn ask(api: &Api, path: &str) {
    if let Ok(reply) = api.try_post(path, "").await {
        assert!(reply.status < 300, "{path}: {}", reply.text);
    }
}

async fn report(api: &Api, events: &[Value]) {
    let reply = api.try_post("/api/events", Value::from(events).to_string()).await;
    assert!(reply.is_err() || reply.is_ok_and(|reply| reply.status == 202));
}

async fn assert_delivered(ground: &Ground, program: crate::harness::Program, events: &[Value], resends: u64) {
    let delivered = ids(events);
    ground.assert_outcome(program, &Outcome { delivered, resends, ..Outcome::default() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hold() {
    for point in held() {
        let ground = Ground::start(SMALL_BATCHES).await;
        ground.platforms.sandbox.configure(TIKTOK, wrong_token());
        let events = many("e", 40);
        let resends = crash(&ground, ANYWHERE, (point, 1), async |api| report(api, &events).await).await;
        let program = restart(&ground, ANYWHERE).await;
        // What was accepted before stays; what was not is reported now.
        report(&program.api, &events).await;
        program.api.until_state("tiktok", "HELD").await;
        let counts = program.api.counts("tiktok").await;
        assert_eq!((counts.pending, counts.failed), (40, 0), "{}", point.name());
        ground.platforms.sandbox.configure(TIKTOK, Settings::default());
        ask(&program.api, "/api/sinks/tiktok/resume").await;
        assert_delivered(&ground, program, &events, resends).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hold_because_all_is_refused_alike() {
    let ground = Ground::start("").await;
    let codes = [(40002, 1.0)].into();
    ground.platforms.sandbox.configure(TIKTOK, Settings { codes, ..Settings::default() });
    let events = many("e", 20);
    let parked = (Point::At(Room::Parked), 1);
    let resends = crash(&ground, ANYWHERE, parked, async |api| report(api, &events).await).await;
    ground.platforms.sandbox.configure(TIKTOK, Settings::default());
    let program = restart(&ground, ANYWHERE).await;
    // They wait for a hold that never came to be: a quarter of an hour, unless a human is faster.
    let waiting = program.api.deliveries("sink=tiktok&status=PENDING&reason=held").await;
    assert_eq!(waiting.len(), 20, "none was failed for a setting");
    for delivery in waiting {
        ask(&program.api, &format!("/api/deliveries/{}/retry", delivery["id"].as_str().unwrap())).await;
    }
    assert_delivered(&ground, program, &events, resends).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_resume() {
    for point in commits(&["resume a sink"]) {
        let ground = Ground::start(SMALL_BATCHES).await;
        ground.platforms.sandbox.configure(TIKTOK, wrong_token());
        let mut program = ground.serve().await;
        let events = many("e", 40);
        program.api.report(&events).await;
        program.api.until_state("tiktok", "HELD").await;
        program.kill();
        ground.platforms.sandbox.configure(TIKTOK, Settings::default());
        let resume = "/api/sinks/tiktok/resume";
        let resends = crash(&ground, ANYWHERE, (point, 1), async |api| ask(api, resume).await).await;
        let program = restart(&ground, ANYWHERE).await;
        // Where it was not committed the human has had no answer, and asks again.
        if matches!(point, Point::Written(_)) {
            assert_eq!(program.api.sink("tiktok").await["state"], "HELD");
            ask(&program.api, resume).await;
        }
        assert_delivered(&ground, program, &events, resends).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_retry_by_hand() {
    for point in commits(&["retry a delivery"]) {
        let ground = Ground::start(SMALL_BATCHES).await;
        let bad = BTreeSet::from(["e-3".to_owned()]);
        ground.refuse(&bad, &Settings::default());
        let mut program = ground.serve().await;
        let events = many("e", 10);
        program.api.report(&events).await;
        let mut failed = Vec::new();
        for sink in ground.platforms.sinks() {
            let delivery = program.api.settled(sink, "e-3").await;
            assert_eq!(delivery["status"], "FAILED");
            failed.push(format!("/api/deliveries/{}/retry", delivery["id"].as_str().unwrap()));
        }
        program.kill();
        ground.platforms.all(&Settings::default());
        let resends = crash(&ground, ANYWHERE, (point, 1), async |api| ask(api, &failed[0]).await).await;
        let program = restart(&ground, ANYWHERE).await;
        for (sink, path) in ground.platforms.sinks().zip(&failed) {
            if program.api.delivery(sink, "e-3").await["status"] == "FAILED" {
                ask(&program.api, path).await;
            }
        }
        assert_delivered(&ground, program, &events, resends).await;
    }
}
