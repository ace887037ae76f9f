//! A platform that judges later than it answers: what it took is asked for until it is confirmed, refused, or nobody
//! can tell.

use std::time::Duration;

use platform_sandbox::{Settings, Verdict};
use serde_json::{Value, json};

use crate::harness::{Counts, DATA_MANAGER, Setup, World, many, signalbox, until};

const SINK: &str = "google-data-manager";
const FILE: &str = "[[sinks]]\nkind = 'google-data-manager'\nmax_batch = 500\n";
const TWO_HOURS: Duration = Duration::from_secs(2 * 3600);

/// A bad row in a batch of 500, and 19 rows of those taken that are refused later, for two reasons.
fn settings() -> Settings {
    let reason = "INVALID_EVENT".to_owned();
    let bad = Verdict::GoogleDataManager { reason, message: Some("It is odd.".to_owned()), times: None };
    let late = (1..=19).map(|number| {
        let reason = if number <= 12 { "CLICK_NOT_FOUND" } else { "CONVERSION_PRECEDES_CLICK" };
        (format!("sb-e-{}", number * 20), reason.to_owned())
    });
    let (verdicts, late_verdicts) = ([("sb-e-7".to_owned(), bad)].into(), late.collect());
    Settings { verdicts, late_verdicts, ..Settings::default() }
}

/// Half a thousand events in one request, taken but for one.
async fn taken(settings: &Settings) -> World {
    let world = Setup::new().telling(&[DATA_MANAGER]).file(FILE).start().await;
    world.platforms.sandbox.configure(DATA_MANAGER, settings.clone());
    world.report(&many("e", 500)).await;
    world.until_counts(SINK, Counts { delivered: 499, failed: 1, ..Counts::default() }).await;
    assert_eq!(world.platforms.of(DATA_MANAGER).max_batch, 500, "they shared a request");
    world
}

async fn pass_two_hours(world: &World, settings: &Settings) {
    let moved = Settings { clock_offset_s: TWO_HOURS.as_secs().cast_signed(), ..settings.clone() };
    world.platforms.sandbox.configure(DATA_MANAGER, moved);
    world.advance(TWO_HOURS).await;
}

async fn until_verdicts(world: &World, expected: Value) {
    until(&format!("verdicts to be {expected}"), async || {
        let verdicts = world.audit().await["sinks"][SINK]["verdicts"].clone();
        if verdicts == expected { Ok(()) } else { Err(verdicts.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn what_was_taken_is_confirmed_or_refused_later() {
    let settings = settings();
    let world = taken(&settings).await;
    let bad = world.delivery(SINK, "e-7").await;
    assert_eq!((&bad["status"], &bad["confirmation"]), (&json!("FAILED"), &Value::Null), "{bad}");
    assert!(bad["message"].as_str().unwrap().contains("INVALID_EVENT"), "{bad}");
    until_verdicts(&world, json!({"awaited": 499, "confirmed": 0, "refused": 0, "unconfirmed": 0})).await;

    // What is awaited outlives the process that awaits it.
    let world = world.restart(&[]).await;
    until_verdicts(&world, json!({"awaited": 499, "confirmed": 0, "refused": 0, "unconfirmed": 0})).await;
    assert_eq!(world.deliveries("confirmation=awaited").await.len(), 499);

    pass_two_hours(&world, &settings).await;
    until_verdicts(&world, json!({"awaited": 0, "confirmed": 480, "refused": 19, "unconfirmed": 0})).await;
    assert_eq!(
        world.counts(SINK).await,
        Counts { delivered: 480, failed: 20, ..Counts::default() },
        "what is refused has failed"
    );
    assert_eq!(world.deliveries("confirmation=confirmed&status=DELIVERED").await.len(), 480);
    let refused = world.deliveries("confirmation=refused&status=FAILED").await;
    assert_eq!(refused.len(), 19);
    for (reason, count) in [("CLICK_NOT_FOUND", 12), ("CONVERSION_PRECEDES_CLICK", 7)] {
        let named = |delivery: &&Value| delivery["message"].as_str().unwrap().contains(reason);
        assert_eq!(refused.iter().filter(named).count(), count, "{reason}: {:?}", refused[0]);
    }

    let audit = signalbox(&["audit"], &world.environment()).output().unwrap();
    assert_eq!(audit.status.code(), Some(0));
    let audit = String::from_utf8(audit.stdout).unwrap();
    let words: Vec<&str> = audit.split_whitespace().collect();
    let table = "later verdicts awaited confirmed refused unconfirmed google-data-manager 0 480 19 0";
    assert!(words.join(" ").contains(table), "{audit}");
    let report = world.platforms.of(DATA_MANAGER);
    assert_eq!((report.received, report.counted_twice), (499, 0), "nothing was sent again");
}

#[tokio::test]
async fn rows_that_nobody_names_stay_unconfirmed_with_the_count() {
    let settings = Settings { row_positions: false, ..settings() };
    let world = taken(&settings).await;
    pass_two_hours(&world, &settings).await;
    until_verdicts(&world, json!({"awaited": 0, "confirmed": 0, "refused": 0, "unconfirmed": 499})).await;
    assert_eq!(world.counts(SINK).await, Counts { delivered: 499, failed: 1, ..Counts::default() });
    let unconfirmed = world.deliveries("confirmation=unconfirmed").await;
    assert_eq!(unconfirmed.len(), 499);
    let message = unconfirmed[0]["message"].as_str().unwrap();
    assert!(message.contains("CLICK_NOT_FOUND") && message.contains("12"), "{message}");
}
