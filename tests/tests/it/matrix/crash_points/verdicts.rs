//! From a later verdict's first question to what is written of it.

use conversion_store::crash::{Point, Room};
use platform_sandbox::Settings;
use serde_json::{Value, json};

use super::{ANYWHERE, commits, crash, restart};
use crate::harness::{Api, DATA_MANAGER, Ground, many, until};

const SINK: &str = "google-data-manager";
const FILE: &str = "[[sinks]]\nkind = 'google-data-manager'\nmax_batch = 5\nconfirm_after = '1h'\n";
/// Longer than what was taken, or not yet judged, rests.
const LATER: i64 = 3 * 3600;

pub(super) fn points() -> Vec<Point> {
    let rooms = [Room::ReceiptTaken, Room::Judged].map(Point::At);
    commits(&["take receipts", "postpone a receipt", "write verdicts"]).into_iter().chain(rooms).collect()
}

async fn until_verdicts(api: &Api, expected: Value) {
    until(&format!("verdicts to be {expected}"), async || {
        let verdicts = api.audit().await["sinks"][SINK]["verdicts"].clone();
        if verdicts == expected { Ok(()) } else { Err(verdicts.to_string()) }
    })
    .await;
}

async fn on_the_way(point: Point) {
    let mut ground = Ground::telling(&[DATA_MANAGER], FILE).await;
    let faults = ground.faults();
    let judged = Settings {
        processing_s: 0,
        late_verdicts: [("sb-e-3".to_owned(), "CLICK_NOT_FOUND".to_owned())].into(),
        ..Settings::default()
    };
    // It is asked again only of what is not judged yet.
    let is_asked_again = point.name().starts_with("postpone a receipt");
    let at_first = if is_asked_again { Settings::default() } else { judged.clone() };
    ground.platforms.sandbox.configure(DATA_MANAGER, at_first);
    let mut program = ground.serve().await;
    let events = many("e", 20);
    program.api.report(&events).await;
    until_verdicts(&program.api, json!({"awaited": 20, "confirmed": 0, "refused": 0, "unconfirmed": 0}))
        .await;
    program.kill();

    faults.set_clock_ahead(LATER);
    crash(&ground, ANYWHERE, (point, 1), async |_| ()).await;
    ground.platforms.sandbox.configure(DATA_MANAGER, judged);
    faults.set_clock_ahead(2 * LATER);
    let program = restart(&ground, ANYWHERE).await;
    let name = point.name();
    until_verdicts(&program.api, json!({"awaited": 0, "confirmed": 19, "refused": 1, "unconfirmed": 0}))
        .await;
    let refused = program.api.deliveries("confirmation=refused").await;
    let refused: Vec<_> =
        refused.iter().map(|delivery| (&delivery["eventId"], &delivery["status"])).collect();
    assert_eq!(refused, [(&json!("e-3"), &json!("FAILED"))], "{name}");
    let report = ground.platforms.of(DATA_MANAGER);
    assert_eq!((report.received, report.counted_twice), (20, 0), "{name}: nothing is sent again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_question_to_its_verdict() {
    for point in points() {
        on_the_way(point).await;
    }
}
