//! Events and settings that a platform refuses.

use std::collections::BTreeSet;

use platform_sandbox::Settings;

use crate::harness::{Counts, DATA_MANAGER, GOOGLE, Ground, META, Outcome, TIKTOK, ids, many};

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
