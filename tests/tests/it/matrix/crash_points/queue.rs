//! Deliveries that an external queue drives.

use conversion_store::crash::{Point, Room};
use platform_sandbox::{QstashSettings, Settings};

use super::{commits, crash, restart};
use crate::harness::{Api, Ground, Outcome, SMALL_BATCHES, TIKTOK, ids, many};

pub(super) fn points() -> Vec<Point> {
    [called(), commits(&["leave a delivery to the queue", "give up a delivery"])].concat()
}

fn called() -> Vec<Point> {
    let rooms = [Room::BeforePublishing, Room::Published, Room::CallWorkedOff].map(Point::At);
    let writes = commits(&["write what the queue has", "lease a delivery to the queue"]);
    writes.into_iter().chain(rooms).collect()
}

/// Deliveries driven by the sandbox's QStash, which tries again so often, and where it calls. It waits 0.2, 3 and 36
/// seconds between calls, so that at least one finds the service back.
async fn queued(retries: u32) -> (Ground, String) {
    let mut ground = Ground::start(&format!("[qstash]\nretries = {retries}\n{SMALL_BATCHES}")).await;
    let address = Ground::free_address();
    ground.set("SIGNALBOX_QUEUE", "qstash");
    ground.set("SIGNALBOX_PUBLIC_URL", &format!("http://{address}"));
    let settings = QstashSettings { time_scale: 0.02, ..QstashSettings::default() };
    ground.platforms.sandbox.qstash().configure(settings);
    (ground, address)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_delivery_that_the_queue_calls_for() {
    for point in called() {
        let (ground, address) = queued(3).await;
        let events = many("e", 5);
        let act = async |api: &Api| {
            let body = serde_json::Value::from(events.as_slice()).to_string();
            // It may have crashed before it could answer.
            drop(api.try_post("/api/events", body).await);
        };
        let resends = crash(&ground, &address, (point, 1), act).await;
        let program = restart(&ground, &address).await;
        ground
            .assert_outcome(program, &Outcome { delivered: ids(&events), resends, ..Outcome::default() })
            .await;
    }
}

/// TikTok fails until QStash has given up; then a human retries.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_delivery_that_the_queue_gives_up() {
    for point in commits(&["leave a delivery to the queue", "give up a delivery"]) {
        let (ground, address) = queued(1).await;
        ground.platforms.sandbox.configure(TIKTOK, Settings { down: true, ..Settings::default() });
        let events = many("e", 1);
        let act = async |api: &Api| {
            let body = serde_json::Value::from(events.as_slice()).to_string();
            drop(api.try_post("/api/events", body).await);
        };
        let resends = crash(&ground, &address, (point, 1), act).await;
        let program = restart(&ground, &address).await;
        let given_up = program.api.settled("tiktok", "e-0").await;
        assert_eq!(given_up["reason"], "queue_gave_up", "{given_up}");
        ground.platforms.sandbox.configure(TIKTOK, Settings::default());
        let retry = format!("/api/deliveries/{}/retry", given_up["id"].as_str().unwrap());
        assert_eq!(program.api.post(&retry, "").await.status, 202);
        ground
            .assert_outcome(program, &Outcome { delivered: ids(&events), resends, ..Outcome::default() })
            .await;
    }
}
