//! Platforms that ask to slow down.

use platform_sandbox::Settings;

use crate::harness::{Ground, Outcome, SMALL_BATCHES, ids, many, until};

/// A storm of refusals until each platform has given so many of them, and calm afterwards.
async fn storm(settings: Settings, refusals: u64) {
    let ground = Ground::start(SMALL_BATCHES).await;
    ground.platforms.all(&settings);
    let program = ground.serve().await;
    let events = many("e", 300);
    for part in events.chunks(50) {
        program.api.report(part).await;
    }
    for platform in ground.platforms.told {
        let sink = platform.name();
        until(&format!("{refusals} refusals by {sink}"), async || {
            let report = ground.platforms.of(*platform);
            let refused = report.by_outcome.iter().filter(|(outcome, _)| outcome.starts_with("429"));
            let refused: u64 = refused.map(|(_, count)| count).sum();
            if refused >= refusals { Ok(()) } else { Err(format!("{report:?}")) }
        })
        .await;
    }
    for sink in ground.platforms.sinks() {
        let counts = program.api.counts(sink).await;
        assert_eq!((counts.failed, counts.skipped), (0, 0), "{sink}");
    }
    ground.platforms.all(&Settings::default());
    ground.assert_outcome(program, &Outcome { delivered: ids(&events), ..Outcome::default() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_429_with_retry_after() {
    // Four may be in flight when the first is refused: more than four are two waits.
    storm(Settings { p_429: 0.9, retry_after_s: Some(1), ..Settings::default() }, 6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_429_without_a_word_how_long() {
    storm(Settings { p_429: 1.0, ..Settings::default() }, 1).await;
}
