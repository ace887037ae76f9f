//! Answers that get lost on their way.

use platform_sandbox::{PlatformReport, Settings};
use serde_json::Value;

use crate::harness::{Counts, Ground, Outcome, SMALL_BATCHES, figure, ids, is_long, many, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_percent_of_answers_are_lost() {
    let enough = if is_long() { 100 } else { 3 };
    let ground = Ground::start(SMALL_BATCHES).await;
    ground.platforms.all(&Settings { p_lost_reply: 0.02, ..Settings::default() });
    let program = ground.serve().await;
    let lost = |report: &PlatformReport| report.by_outcome.get("lost_reply").copied().unwrap_or(0);
    let mut events: Vec<Value> = Vec::new();
    // As many events as it takes for the fault to strike each platform often enough.
    until("answers to be lost at all of them", async || {
        let struck = ground.platforms.each(lost).into_iter().min();
        if struck >= Some(enough) {
            return Ok(());
        }
        // No faster than they are taken: the fault is to strike under load, not a backlog.
        let told = ground.platforms.told.len() as u64;
        if ground.sum(|report| report.received) + 200 * told < told * events.len() as u64 {
            return Err(format!("{struck:?}"));
        }
        let more = many(&format!("load-{}", events.len()), 100);
        program.api.report(&more).await;
        events.extend(more);
        Err(format!("{struck:?}"))
    })
    .await;
    let delivered = ids(&events);
    for sink in ground.platforms.sinks() {
        program.api.until_counts(sink, Counts::delivered(delivered.len() as u64)).await;
    }
    // A batch of five for each answer that was lost.
    let lost = ground.sum(lost);
    let outcome = Outcome { delivered, resends: 5 * lost, ..Outcome::default() };
    ground.assert_outcome(program, &outcome).await;
    figure("answers lost after the platform took the batch", lost);
    figure("deliveries sent again after lost answers", ground.resent());
}
