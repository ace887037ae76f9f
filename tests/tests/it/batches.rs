//! Batches: one bad event among many, and what each delivery shows of what it shared a request with.

use platform_sandbox::{Settings, Verdict};
use serde_json::{Value, json};

use crate::harness::{
    Counts, DATA_MANAGER, GOOGLE, Setup, TIKTOK, World, data_manager_verdict, google_verdict, ids, many,
    tiktok_verdict,
};

#[tokio::test]
async fn one_bad_event_in_a_hundred_fails_alone() {
    // TikTok refuses the whole request. With the event's index in the message one more request does; without it the
    // batch is halved: at most 2·log2(100) + 2 = 15 requests.
    for (name_index, bad, most_requests) in
        [(true, 57, 2), (true, 0, 2), (true, 99, 2), (false, 57, 15), (false, 0, 15), (false, 99, 15)]
    {
        let world = World::start().await;
        let bad = format!("e-{bad}");
        let verdicts = [tiktok_verdict(&bad, 40002, "not a valid event")].into();
        world.platforms.sandbox.configure(TIKTOK, Settings { verdicts, name_index, ..Settings::default() });
        let events = many("e", 100);
        world.report(&events).await;
        world.until_counts("tiktok", Counts { delivered: 99, failed: 1, ..Counts::default() }).await;
        world.until_counts("google-ads", Counts::delivered(100)).await;

        let failed = world.delivery("tiktok", &bad).await;
        assert_eq!((&failed["status"], &failed["reason"]), (&json!("FAILED"), &json!("rejected")));
        let message = failed["message"].as_str().unwrap();
        assert!(message.contains("TikTok 40002") && message.contains("not a valid event"), "{message}");
        let report = world.platforms.of(TIKTOK);
        assert_eq!(report.max_batch, 100, "they shared a request");
        assert!(
            report.requests <= most_requests,
            "{bad}, index named: {name_index}: {} requests",
            report.requests
        );
        assert_eq!((report.received, report.deduplicated, report.counted_twice), (99, 0, 0));
        let mut others = ids(&events);
        others.remove(&bad);
        assert_eq!(world.platforms.ids(TIKTOK), others);
        assert_eq!(world.sink("tiktok").await["state"], "ACTIVE", "one bad event is no reason to hold");
        world.audit().await;
    }
}

#[tokio::test]
async fn several_bad_events_fail_alone_too() {
    let world = World::start().await;
    let bad = ["e-3", "e-4", "e-50", "e-88", "e-99"];
    let verdicts = bad.iter().map(|id| tiktok_verdict(id, 40002, "not a valid event")).collect();
    world
        .platforms
        .sandbox
        .configure(TIKTOK, Settings { verdicts, name_index: false, ..Settings::default() });
    world.report(&many("e", 100)).await;
    world.until_counts("tiktok", Counts { delivered: 95, failed: 5, ..Counts::default() }).await;
    let failed = world.deliveries("status=FAILED").await;
    let mut failed: Vec<&str> = failed.iter().map(|delivery| delivery["eventId"].as_str().unwrap()).collect();
    failed.sort_unstable();
    assert_eq!(failed, bad);
    assert_eq!(world.platforms.of(TIKTOK).counted_twice, 0);
}

#[tokio::test]
async fn a_batch_has_a_hundred_at_most_by_default() {
    let world = World::start().await;
    world.report(&many("e", 250)).await;
    world.until_counts("tiktok", Counts::delivered(250)).await;
    world.until_counts("google-ads", Counts::delivered(250)).await;
    for platform in [TIKTOK, GOOGLE] {
        let report = world.platforms.of(platform);
        assert_eq!((report.max_batch, report.requests), (100, 3), "{report:?}");
    }
}

#[tokio::test]
async fn a_request_that_is_too_large_is_halved() {
    let world = World::start().await;
    // 40061: invalid batch size, said once.
    let message = Some("The batch is too large.".to_owned());
    let once = Verdict::TikTok { code: 40061, message, times: Some(1) };
    let verdicts = [("e-0".to_owned(), once)].into();
    world.platforms.sandbox.configure(TIKTOK, Settings { verdicts, ..Settings::default() });
    world.report(&many("e", 8)).await;
    world.until_counts("tiktok", Counts::delivered(8)).await;
    let report = world.platforms.of(TIKTOK);
    // All eight, and both halves.
    assert_eq!((report.requests, report.max_batch), (3, 8), "{report:?}");
    assert_eq!((report.received, report.deduplicated, report.counted_twice), (8, 0, 0), "{report:?}");
}

#[tokio::test]
async fn when_every_event_is_refused_alike_a_setting_is_to_blame() {
    // A parameter error, and a size that is wrong however small the request.
    for code in [40002, 40061] {
        refused_alike(code).await;
    }
}

async fn refused_alike(code: u32) {
    let world = World::start().await;
    let codes = [(code, 1.0)].into();
    world.platforms.sandbox.configure(TIKTOK, Settings { codes, ..Settings::default() });
    world.report(&many("e", 20)).await;
    let held = held_for_all(&world, "tiktok", 20).await;
    assert!(held["holdMessage"].as_str().unwrap().contains(&code.to_string()), "{held}");
    all_go_after_the_mend(&world, "tiktok", 20).await;
    assert_eq!(world.platforms.of(TIKTOK).counted_twice, 0);
}

/// Parked before the sink was held: a resume finds them all.
async fn held_for_all(world: &World, sink: &str, events: usize) -> Value {
    let held = world.until_state(sink, "HELD").await;
    assert_eq!(held["holdReason"], "all_refused");
    let parked = world.deliveries(&format!("sink={sink}&status=PENDING&reason=held")).await;
    assert_eq!(parked.len(), events);
    held
}

async fn all_go_after_the_mend(world: &World, sink: &str, events: u64) {
    for platform in [TIKTOK, DATA_MANAGER] {
        world.platforms.sandbox.configure(platform, Settings::default());
    }
    world.resume(sink).await;
    world.until_counts(sink, Counts::delivered(events)).await;
}

#[tokio::test]
async fn a_batch_in_which_everything_is_refused_is_not_asked_about_item_by_item() {
    for name_index in [true, false] {
        let world = World::start().await;
        let events = many("e", 100);
        let verdicts = ids(&events).iter().map(|id| tiktok_verdict(id, 40002, "not a valid event")).collect();
        world.platforms.sandbox.configure(TIKTOK, Settings { verdicts, name_index, ..Settings::default() });
        world.report(&events).await;
        held_for_all(&world, "tiktok", 100).await;
        // 2·log2(100) + 2, and one more from the other end.
        let requests = world.platforms.of(TIKTOK).requests;
        assert!(requests <= 15, "index named: {name_index}: {requests}");
        all_go_after_the_mend(&world, "tiktok", 100).await;
    }
}

#[tokio::test]
async fn bad_events_that_stand_side_by_side_are_no_setting() {
    for name_index in [true, false] {
        let world = World::start().await;
        let bad = ids(&many("e", 20));
        let verdicts = bad.iter().map(|id| tiktok_verdict(id, 40002, "not a valid event")).collect();
        world.platforms.sandbox.configure(TIKTOK, Settings { verdicts, name_index, ..Settings::default() });
        world.report(&many("e", 100)).await;
        world.until_counts("tiktok", Counts { delivered: 80, failed: 20, ..Counts::default() }).await;
        assert_eq!(world.sink("tiktok").await["state"], "ACTIVE", "index named: {name_index}");
        let report = world.platforms.of(TIKTOK);
        assert_eq!((report.received, report.counted_twice), (80, 0), "{report:?}");
    }
}

/// Several batches are on their way when the first of them brings the hold.
#[tokio::test]
async fn nobody_fails_while_a_setting_is_found_out() {
    let world = World::start().await;
    let codes = [(40002, 1.0)].into();
    // Out of step, so that one is still on its way to a finding when another has come to it.
    let settings = Settings { codes, latency_ms: 1, jitter_ms: 20, ..Settings::default() };
    world.platforms.sandbox.configure(TIKTOK, settings);
    world.report(&many("e", 1000)).await;
    world.until_state("tiktok", "HELD").await;
    all_go_after_the_mend(&world, "tiktok", 1000).await;
}

#[tokio::test]
async fn the_bad_events_that_are_named_at_once_fail_alone() {
    let world = Setup::new().telling(&[DATA_MANAGER]).start().await;
    let bad = ["e-3", "e-50", "e-99"];
    let verdicts = bad.map(|id| data_manager_verdict(id, "INVALID_EVENT", "It is odd.")).into();
    world.platforms.sandbox.configure(DATA_MANAGER, Settings { verdicts, ..Settings::default() });
    world.report(&many("e", 100)).await;
    let sink = "google-data-manager";
    world.until_counts(sink, Counts { delivered: 97, failed: 3, ..Counts::default() }).await;
    for id in bad {
        let failed = world.delivery(sink, id).await;
        assert_eq!((&failed["status"], &failed["reason"]), (&json!("FAILED"), &json!("rejected")));
        assert!(failed["message"].as_str().unwrap().contains("INVALID_EVENT"), "{failed}");
    }
    let report = world.platforms.of(DATA_MANAGER);
    assert_eq!((report.requests, report.received, report.counted_twice), (2, 97, 0), "{report:?}");
    let sound = world.delivery(sink, "e-4").await;
    assert_eq!(sound["attempts"], 2, "{sound}");
}

#[tokio::test]
async fn when_every_event_is_named_alike_a_setting_is_to_blame() {
    let world = Setup::new().telling(&[DATA_MANAGER]).start().await;
    let events = many("e", 20);
    let ids = ids(&events);
    let verdicts = ids.iter().map(|id| data_manager_verdict(id, "INVALID_EVENT", "It is odd.")).collect();
    world.platforms.sandbox.configure(DATA_MANAGER, Settings { verdicts, ..Settings::default() });
    world.report(&events).await;
    held_for_all(&world, "google-data-manager", 20).await;
    assert_eq!(world.platforms.of(DATA_MANAGER).requests, 1);
    all_go_after_the_mend(&world, "google-data-manager", 20).await;
}

#[tokio::test]
async fn a_delivery_shows_its_own_item_and_no_neighbour() {
    let world = World::start().await;
    // An error for one row each, so that the answers have something to tell of neighbours, too.
    let verdicts =
        [google_verdict("e-1", "UNPARSEABLE_GCLID", "The gclid of order e-1 cannot be read.")].into();
    world.platforms.sandbox.configure(GOOGLE, Settings { verdicts, ..Settings::default() });
    world.report(&many("e", 4)).await;
    world.until_counts("tiktok", Counts::delivered(4)).await;
    world.until_counts("google-ads", Counts { delivered: 3, failed: 1, ..Counts::default() }).await;
    assert_eq!((world.platforms.of(TIKTOK).requests, world.platforms.of(GOOGLE).requests), (1, 1));

    for sink in ["tiktok", "google-ads"] {
        for own in 0..4 {
            let listed = world.delivery(sink, &format!("e-{own}")).await;
            let narrow = world.detail(&listed, "").await;
            for shown in [&listed, &narrow, &narrow["exchanges"][0]] {
                let bodies = [&shown["requestBody"], &shown["responseBody"]].map(Value::to_string).concat();
                for other in (0..4).filter(|other| *other != own) {
                    assert!(
                        !bodies.contains(&format!("e-{other}")),
                        "{sink} e-{own} shows e-{other}: {bodies}"
                    );
                }
                assert!(bodies.contains(&format!("clid-e-{own}")), "{sink} e-{own}: {bodies}");
            }
            let whole = world.detail(&listed, "?whole=true").await["exchanges"][0]["requestBody"].to_string();
            assert!((0..4).all(|id| whole.contains(&format!("clid-e-{id}"))), "{whole}");
        }
    }
    let refused = world.delivery("google-ads", "e-1").await["responseBody"].to_string();
    assert!(refused.contains("UNPARSEABLE_GCLID"), "{refused}");
    let sound = world.delivery("google-ads", "e-2").await["responseBody"].to_string();
    assert!(!sound.contains("UNPARSEABLE_GCLID"), "{sound}");
}

/// No platform names a size; a megabyte is what senders keep to.
#[tokio::test]
async fn a_request_holds_a_megabyte_at_most() {
    let world = World::start().await;
    let contents: Vec<Value> =
        (0..100).map(|n| json!({ "id": format!("{n:0>200}"), "quantity": 1 })).collect();
    let mut events = many("e", 100);
    for event in &mut events {
        event["contents"] = contents.clone().into();
    }
    // More than two megabytes in all.
    world.report(&events).await;
    world.until_counts("tiktok", Counts::delivered(100)).await;
    assert!(world.platforms.of(TIKTOK).max_batch > 1, "they are not sent singly for that");
    for delivery in world.deliveries("sink=tiktok").await {
        let whole = world.detail(&delivery, "?whole=true").await;
        let length = whole["exchanges"][0]["requestBody"].as_str().unwrap().len();
        assert!(length <= 1_000_000, "{length}");
    }
}

/// A long answer is recorded in part, but read whole.
#[tokio::test]
async fn a_long_answer_is_cut_in_the_record_alone() {
    let world = World::start().await;
    let mut events = many("e", 100);
    for (number, event) in events.iter_mut().enumerate() {
        // Google repeats the click with each row.
        event["gclid"] = format!("{number:0>1000}").into();
    }
    world.report(&events).await;
    world.until_counts("google-ads", Counts::delivered(100)).await;
    assert_eq!(world.platforms.of(GOOGLE).requests, 1);
    let delivery = world.delivery("google-ads", "e-99").await;
    let whole = world.detail(&delivery, "?whole=true").await;
    let exchange = &whole["exchanges"][0];
    assert_eq!(exchange["responseTruncated"], true);
    assert_eq!(exchange["responseBody"].as_str().unwrap().len(), 64 * 1024);
}
