//! From a request with events to their results.

use std::collections::BTreeSet;

use conversion_store::crash::{Point, Room};
use platform_sandbox::Settings;
use serde_json::Value;

use super::{ANYWHERE, commits, crash, restart};
use crate::harness::{Api, Ground, Outcome, SMALL_BATCHES, ids, many};

/// Where each pass tells something of its own.
const ROOMS: [Room; 9] = [
    Room::RequestRead,
    Room::HandedOver,
    Room::BeforeAnswer,
    Room::TakenUp,
    Room::Prepared,
    Room::BeforeSend,
    Room::AfterSend,
    Room::Learned,
    Room::ResultsGathered,
];

pub(super) fn points() -> Vec<Point> {
    let rooms = ROOMS.into_iter().chain([Room::BetweenParts]).map(Point::At);
    commits(&["accept events", "write results"]).into_iter().chain(rooms).collect()
}

/// Reports in requests of ten; gives the ids that were accepted.
async fn report(api: &Api, events: &[Value]) -> BTreeSet<String> {
    let mut accepted = BTreeSet::new();
    for part in events.chunks(10) {
        if let Ok(reply) = api.try_post("/api/events", Value::from(part).to_string()).await {
            assert_eq!(reply.status, 202, "{}", reply.text);
            accepted.extend(ids(part));
        }
    }
    accepted
}

async fn on_the_way(point: Point, nth: u32) {
    let ground = Ground::start(SMALL_BATCHES).await;
    // One is refused for good, so that its batch is taken apart.
    let failed = BTreeSet::from(["e-12".to_owned()]);
    ground.refuse(&failed, &Settings { latency_ms: 5, ..Settings::default() });
    let events = many("e", 60);
    let mut accepted = BTreeSet::new();
    let act = async |api: &Api| accepted = report(api, &events).await;
    let resends = crash(&ground, ANYWHERE, (point, nth), act).await;

    let program = restart(&ground, ANYWHERE).await;
    for part in events.chunks(10) {
        let reply = program.api.post("/api/events", Value::from(part).to_string()).await;
        assert_eq!(reply.status, 202, "{}", reply.text);
        for result in reply.json["results"].as_array().unwrap() {
            let was_accepted = accepted.contains(result["eventId"].as_str().unwrap());
            assert!(!was_accepted || result["status"] == "duplicate", "{}: lost {result}", point.name());
        }
    }
    let delivered = ids(&events).difference(&failed).cloned().collect();
    ground.assert_outcome(program, &Outcome { delivered, failed, resends }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_request_to_its_results() {
    for point in points() {
        // The first and a later pass: the second part of a batch, and what goes on beside others.
        for nth in [1, 2] {
            on_the_way(point, nth).await;
        }
    }
}
