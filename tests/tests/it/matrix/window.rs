//! A platform that forgets what it has received while the sink is held. On a clock that the test puts forward: in real
//! time it takes two days.

use std::time::Duration;

use platform_sandbox::Settings;

use crate::harness::{Counts, Setup, TIKTOK, ids, many, until};

const TWO_DAYS: Duration = Duration::from_secs(49 * 3600);

#[tokio::test]
async fn the_platform_forgets_while_the_sink_is_held() {
    let world = Setup::new().with("SIGNALBOX_SINKS", "tiktok").start().await;
    world.platforms.sandbox.configure(TIKTOK, Settings { p_lost_reply: 1.0, ..Settings::default() });
    let perhaps = many("perhaps", 20);
    world.report(&perhaps).await;
    until("the answer to be lost", async || {
        let waiting = world.deliveries("status=PENDING&reason=interrupted").await.len();
        if waiting == 20 { Ok(()) } else { Err(format!("{waiting} wait")) }
    })
    .await;
    assert_eq!(world.platforms.of(TIKTOK).received, 20);

    // A wrong token holds the sink before they are sent again.
    let wrong = Settings { tokens: vec!["another".to_owned()], ..Settings::default() };
    world.platforms.sandbox.configure(TIKTOK, wrong);
    let never = many("never", 20);
    world.report(&never).await;
    world.until_state("tiktok", "HELD").await;
    world.until_counts("tiktok", Counts::pending(40)).await;

    world.advance(TWO_DAYS).await;
    world.platforms.sandbox.configure(TIKTOK, Settings { forget: true, ..Settings::default() });
    world.resume("tiktok").await;
    // What was never received is delivered; what perhaps was would be counted twice, and is left to a human.
    world.until_counts("tiktok", Counts { delivered: 20, failed: 20, ..Counts::default() }).await;
    let given_up = world.deliveries("status=FAILED&reason=dedup_window_over").await;
    assert_eq!(given_up.len(), 20);
    let report = world.platforms.of(TIKTOK);
    assert_eq!((report.received, report.deduplicated, report.counted_twice), (40, 0, 0), "{report:?}");
    assert_eq!(world.platforms.ids(TIKTOK), ids(&[perhaps, never].concat()));
    world.audit().await;
}
