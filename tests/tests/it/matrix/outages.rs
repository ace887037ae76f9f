//! Platforms that are down, hang, or say one thing and mean another.

use std::time::Duration;

use platform_sandbox::{PlatformReport, Settings, Verdict};

use crate::harness::{
    ALL, BOTH, Counts, GOOGLE, Ground, Outcome, SMALL_BATCHES, Setup, TIKTOK, ids, many, until,
};

/// On a clock that the test puts forward: in real time it takes an hour.
#[tokio::test]
async fn down_for_longer_than_the_longest_wait() {
    /// No hold for an outage lasts longer.
    const CAP: Duration = Duration::from_secs(300);
    let world = Setup::new().telling(ALL).file(SMALL_BATCHES).start().await;
    world.platforms.all(&Settings { down: true, ..Settings::default() });
    let events = many("e", 100);
    world.report(&events).await;
    for sink in world.platforms.sinks() {
        until(&format!("{sink} to wait for the longest"), async || {
            let held = world.sink(sink).await["heldUntil"].clone();
            let seconds = |time: &str| time.parse::<conversion_core::Timestamp>().unwrap().as_second();
            let waits = held.as_str().map_or(0, |until| seconds(until) - world.clock.now().as_second());
            if waits == CAP.as_secs().cast_signed() {
                return Ok(());
            }
            world.advance(Duration::from_secs(5)).await;
            Err(format!("a wait of {waits} s"))
        })
        .await;
    }
    // An hour more.
    for _ in 0..12 {
        world.advance(CAP).await;
    }
    for sink in world.platforms.sinks() {
        world.until_counts(sink, Counts::pending(100)).await;
    }
    world.platforms.all(&Settings::default());
    until("all to be delivered", async || {
        world.advance(Duration::from_secs(20)).await;
        for sink in world.platforms.sinks() {
            let counts = world.counts(sink).await;
            if counts != Counts::delivered(100) {
                return Err(format!("{sink}: {counts:?}"));
            }
        }
        Ok(())
    })
    .await;
    world.platforms.assert_counted_once(&ids(&events));
    assert!(world.platforms.each(|report| report.deduplicated).iter().all(|count| *count == 0));
    world.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connection_is_cut_after_the_platform_has_taken_the_batch() {
    let ground = Ground::start(SMALL_BATCHES).await;
    ground.platforms.all(&Settings { p_lost_reply: 1.0, ..Settings::default() });
    let program = ground.serve().await;
    let events = many("e", 100);
    program.api.report(&events).await;
    until("all to have taken some and answered nothing", async || {
        let received = ground.platforms.each(|report| report.received);
        if received.contains(&0) { Err(format!("{received:?}")) } else { Ok(()) }
    })
    .await;
    for sink in ground.platforms.sinks() {
        assert_eq!(program.api.counts(sink).await.delivered, 0, "nobody has said that it was taken");
    }
    ground.platforms.all(&Settings::default());
    let lost = |report: &PlatformReport| report.by_outcome.get("lost_reply").copied().unwrap_or(0);
    let delivered = Counts::delivered(100);
    for sink in ground.platforms.sinks() {
        program.api.until_counts(sink, delivered).await;
    }
    // A batch of five for each answer that was lost.
    let resends = 5 * ground.sum(lost);
    ground.assert_outcome(program, &Outcome { delivered: ids(&events), resends, ..Outcome::default() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_under_http_200_is_an_error() {
    let ground = Ground::start(SMALL_BATCHES).await;
    // TikTok: an internal error of all the request. Google: a passing error of single rows, among rows that it takes.
    let codes = [(50000, 1.0)].into();
    ground.platforms.sandbox.configure(TIKTOK, Settings { codes, ..Settings::default() });
    let passing = |number: usize| {
        let (family, code) = ("internalError".to_owned(), "TRANSIENT_ERROR".to_owned());
        let verdict = Verdict::GoogleAds { family, code, message: None, times: Some(1) };
        (format!("e-{}", number * 7), verdict)
    };
    let verdicts = (0..10).map(passing).collect();
    ground.platforms.sandbox.configure(GOOGLE, Settings { verdicts, ..Settings::default() });
    let program = ground.serve().await;
    let events = many("e", 100);
    program.api.report(&events).await;
    until("TikTok to refuse under HTTP 200", async || {
        let report = ground.platforms.of(TIKTOK);
        if report.by_outcome.contains_key("200/50000") { Ok(()) } else { Err(format!("{report:?}")) }
    })
    .await;
    let counts = program.api.counts("tiktok").await;
    assert_eq!((counts.delivered, counts.failed), (0, 0), "{counts:?}");
    program.api.until_counts("google-ads", Counts::delivered(100)).await;
    assert_eq!(ground.platforms.of(GOOGLE).rejected, 10);
    ground.platforms.sandbox.configure(TIKTOK, Settings::default());
    ground.assert_outcome(program, &Outcome { delivered: ids(&events), ..Outcome::default() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_that_takes_connections_and_never_answers() {
    let file =
        "[[sinks]]\nkind = 'tiktok'\nmax_batch = 5\ntimeout_seconds = 1\n[[sinks]]\nkind = 'google-ads'\n";
    let ground = Ground::telling(BOTH, file).await;
    ground.platforms.sandbox.configure(TIKTOK, Settings { hang: true, ..Settings::default() });
    let program = ground.serve().await;
    let events = many("e", 300);
    program.api.report(&events).await;
    program.api.until_counts("google-ads", Counts::delivered(300)).await;
    let held = program.api.until_state("tiktok", "HELD").await;
    assert_eq!(held["holdReason"], "interrupted", "{held}");
    program.api.until_counts("tiktok", Counts::pending(300)).await;
    ground.platforms.sandbox.configure(TIKTOK, Settings::default());
    ground.assert_outcome(program, &Outcome { delivered: ids(&events), ..Outcome::default() }).await;
}
