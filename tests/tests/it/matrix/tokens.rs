//! Credentials that die while the service is at work.

use platform_sandbox::Settings;
use serde_json::json;

use crate::harness::{Counts, GOOGLE, Ground, META, Outcome, SMALL_BATCHES, TIKTOK, ids, many, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_token_that_expires_mid_run_is_renewed() {
    let ground = Ground::start(SMALL_BATCHES).await;
    let slow = Settings { latency_ms: 20, ..Settings::default() };
    ground.platforms.all(&slow);
    let program = ground.serve().await;
    let events = many("e", 400);
    let (before, after) = events.split_at(200);
    program.api.report(before).await;
    until("Google to have some", async || match ground.platforms.of(GOOGLE).received {
        0 => Err("none".to_owned()),
        _ => Ok(()),
    })
    .await;
    ground.platforms.sandbox.configure(GOOGLE, Settings { revoke: true, ..slow });
    program.api.report(after).await;
    let outcome = Outcome { delivered: ids(&events), ..Outcome::default() };
    program.api.until_counts("google-ads", Counts::delivered(400)).await;
    let report = ground.platforms.of(GOOGLE);
    let refused = report.by_outcome.iter().filter(|(outcome, _)| outcome.starts_with("401"));
    let refused: u64 = refused.map(|(_, count)| count).sum();
    // As many as may be in flight had the old token; one renewal serves them all.
    assert!((1..=4).contains(&refused), "{report:?}");
    // Data Manager's died with it, and is renewed once, too.
    assert_eq!(ground.platforms.sandbox.report().token_requests, 4);
    assert_eq!(program.api.sink("google-ads").await["state"], "ACTIVE");
    ground.assert_outcome(program, &outcome).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_revoked_mid_run_holds_and_is_mended_by_a_restart() {
    let mut ground = Ground::start(SMALL_BATCHES).await;
    let slow = Settings { latency_ms: 20, ..Settings::default() };
    ground.platforms.all(&slow);
    let mut program = ground.serve().await;
    let events = many("e", 400);
    let (before, after) = events.split_at(200);
    program.api.report(before).await;
    until("all to have some", async || {
        let received = ground.platforms.each(|report| report.received);
        if received.contains(&0) { Err(format!("{received:?}")) } else { Ok(()) }
    })
    .await;
    let another = vec!["another".to_owned()];
    ground.platforms.sandbox.configure(TIKTOK, Settings { tokens: another.clone(), ..slow.clone() });
    ground.platforms.sandbox.configure(META, Settings { tokens: another.clone(), ..slow.clone() });
    let revoked = Settings { refresh_tokens: another, revoke: true, ..slow };
    ground.platforms.sandbox.configure(GOOGLE, revoked);
    program.api.report(after).await;
    for (sink, said) in [
        ("tiktok", "40105"),
        ("google-ads", "invalid_grant"),
        ("google-data-manager", "invalid_grant"),
        ("meta", "190"),
    ] {
        let held = program.api.until_state(sink, "HELD").await;
        assert_eq!(held["holdReason"], "unauthorized");
        assert!(held["holdMessage"].as_str().unwrap().contains(said), "{held}");
        let counts = program.api.counts(sink).await;
        assert_eq!((counts.failed, counts.skipped), (0, 0), "a token's death costs no event");
        assert!(counts.pending >= 200, "{sink}: {counts:?}");
    }
    program.kill();
    let resends = ground.may_be_resent().await;
    ground.set("TIKTOK_ACCESS_TOKEN", "another");
    ground.set("META_ACCESS_TOKEN", "another");
    ground.set("GOOGLE_ADS_REFRESH_TOKEN", "another");
    ground.set("GOOGLE_DATA_MANAGER_REFRESH_TOKEN", "another");
    let program = ground.serve().await;
    assert_eq!(program.api.sink("tiktok").await["holdReason"], json!(null));
    ground.assert_outcome(program, &Outcome { delivered: ids(&events), resends, ..Outcome::default() }).await;
}
