//! Answers that get lost on their way.

use platform_sandbox::{Platform, Settings};
use serde_json::Value;

use crate::harness::{Counts, Ground, Outcome, SMALL_BATCHES, figure, ids, is_long, many, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_percent_of_answers_are_lost() {
    let enough = if is_long() { 100 } else { 3 };
    let ground = Ground::start(SMALL_BATCHES).await;
    ground.platforms.both(&Settings { p_lost_reply: 0.02, ..Settings::default() });
    let program = ground.serve().await;
    let lost = |platform| ground.platforms.of(platform).by_outcome.get("lost_reply").copied().unwrap_or(0);
    let mut events: Vec<Value> = Vec::new();
    // As many events as it takes for the fault to strike both platforms often enough.
    until("answers to be lost at both", async || {
        let struck = Platform::ALL.iter().map(|platform| lost(*platform)).min();
        if struck >= Some(enough) {
            return Ok(());
        }
        // No faster than they are taken: the fault is to strike under load, not a backlog.
        if ground.sum(|report| report.received) + 400 < 2 * events.len() as u64 {
            return Err(format!("{struck:?}"));
        }
        let more = many(&format!("load-{}", events.len()), 100);
        program.api.report(&more).await;
        events.extend(more);
        Err(format!("{struck:?}"))
    })
    .await;
    let delivered = ids(&events);
    for sink in ["tiktok", "google-ads"] {
        program.api.until_counts(sink, Counts::delivered(delivered.len() as u64)).await;
    }
    // A batch of five for each answer that was lost.
    let lost: u64 = Platform::ALL.iter().map(|platform| lost(*platform)).sum();
    let outcome = Outcome { delivered, resends: 5 * lost, ..Outcome::default() };
    ground.assert_outcome(program, &outcome).await;
    figure("answers lost after the platform took the batch", lost);
    figure("deliveries sent again after lost answers", ground.resent());
}
