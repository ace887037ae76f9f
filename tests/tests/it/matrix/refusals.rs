//! Events and settings that a platform refuses.

use std::collections::BTreeSet;

use std::time::Duration;

use platform_sandbox::Settings;
use serde_json::json;

use crate::harness::{Counts, DATA_MANAGER, GOOGLE, Ground, META, Outcome, Setup, TIKTOK, ids, many};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poison_event_in_a_full_batch_fails_alone() {
    let ground = Ground::start("").await;
    let bad = BTreeSet::from(["e-57".to_owned()]);
    ground.refuse(&bad, &Settings::default());
    let program = ground.serve().await;
    let events = many("e", 100);
    program.api.report(&events).await;
    let expected = Counts { delivered: 99, failed: 1, ..Counts::default() };
    for sink in ground.platforms.sinks() {
        program.api.until_counts(sink, expected).await;
        assert_eq!(program.api.sink(sink).await["state"], "ACTIVE");
    }
    // TikTok and Meta refuse the whole request and name nobody: at most 2·log2(100) + 2 requests find it. Google Ads names
    // it and takes the others, Data Manager names it and takes none: they go once more.
    let requests =
        [TIKTOK, META, GOOGLE, DATA_MANAGER].map(|platform| ground.platforms.of(platform).requests);
    assert!(requests[0] <= 15 && requests[1] <= 15 && requests[2..] == [1, 2], "{requests:?}");
    assert_eq!(ground.platforms.of(TIKTOK).max_batch, 100, "they shared a request");
    let delivered = ids(&events).difference(&bad).cloned().collect();
    ground.assert_outcome(program, &Outcome { delivered, failed: bad, resends: 0 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_pixel_that_is_called_a_parameter_error_holds_and_fails_nothing() {
    let mut ground = Ground::start("").await;
    let pixels = vec!["DXXX".to_owned()];
    let settings = Settings { pixels, wrong_pixel_as_parameter_error: true, ..Settings::default() };
    ground.platforms.sandbox.configure(TIKTOK, settings);
    let mut program = ground.serve().await;
    let events = many("e", 150);
    program.api.report(&events).await;
    let held = program.api.until_state("tiktok", "HELD").await;
    assert_eq!(held["holdReason"], "unauthorized", "{held}");
    program.api.until_counts("tiktok", Counts::pending(150)).await;
    program.api.until_counts("google-ads", Counts::delivered(150)).await;
    let report = ground.platforms.of(TIKTOK);
    assert!(report.requests <= 4, "no more than were in flight: {report:?}");
    program.kill();
    let resends = ground.may_be_resent().await;
    ground.set("TIKTOK_PIXEL_ID", "DXXX");
    let program = ground.serve().await;
    ground.assert_outcome(program, &Outcome { delivered: ids(&events), resends, ..Outcome::default() }).await;
}

/// One event of more than seven days refuses its whole request at Meta, and Meta does not name it.
#[tokio::test]
async fn an_event_that_meta_finds_too_old_costs_no_neighbour() {
    let world = Setup::new().telling(&[META]).start().await;
    // One is old when it is reported, the others grow old while the token is wrong.
    let mut events = many("e", 20);
    events[7]["eventTime"] = "2026-01-10T12:00:00Z".into();
    let wrong = Settings { tokens: vec!["another".to_owned()], ..Settings::default() };
    world.platforms.sandbox.configure(META, wrong);
    world.report(&events).await;
    world.until_state("meta", "HELD").await;
    world.until_counts("meta", Counts { skipped: 1, pending: 19, ..Counts::default() }).await;
    assert_eq!(world.delivery("meta", "e-7").await["reason"], "event_too_old");

    let week = Duration::from_secs(7 * 24 * 3600);
    world.advance(week).await;
    let clock_offset_s = week.as_secs().cast_signed();
    world.platforms.sandbox.configure(META, Settings { clock_offset_s, ..Settings::default() });
    let mut fresh = many("fresh", 20);
    for event in &mut fresh {
        event["eventTime"] = world.time_in(Duration::ZERO).into();
    }
    world.report(&fresh).await;
    world.resume("meta").await;
    world.until_counts("meta", Counts { delivered: 20, skipped: 20, ..Counts::default() }).await;
    assert_eq!(world.deliveries("status=SKIPPED&reason=event_too_old").await.len(), 20);
    assert_eq!(world.platforms.ids(META), ids(&fresh));
    world.audit().await;
}

#[tokio::test]
async fn a_token_of_another_scope_holds_data_manager_and_says_which_is_wanted() {
    let world = Setup::new().telling(&[DATA_MANAGER]).start().await;
    let settings = Settings { adwords_scope_only: true, ..Settings::default() };
    world.platforms.sandbox.configure(DATA_MANAGER, settings);
    let (sink, events) = ("google-data-manager", many("e", 20));
    world.report(&events).await;
    let held = world.until_state(sink, "HELD").await;
    assert_eq!(held["holdReason"], json!("unauthorized"), "{held}");
    assert!(held["holdMessage"].as_str().unwrap().contains("auth/datamanager"), "{held}");
    world.until_counts(sink, Counts::pending(20)).await;
    world.platforms.sandbox.configure(DATA_MANAGER, Settings::default());
    world.resume(sink).await;
    world.until_counts(sink, Counts::delivered(20)).await;
    assert_eq!(world.platforms.of(DATA_MANAGER).counted_twice, 0);
}
