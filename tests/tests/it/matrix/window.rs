//! A platform that forgets what it has received while the sink is held. On a clock that the test puts forward: in real
//! time it takes two days.

use std::time::Duration;

use platform_sandbox::{Platform, Settings};

use crate::harness::{Counts, META, Setup, TIKTOK, ids, many, until};

const TWO_DAYS: Duration = Duration::from_secs(49 * 3600);

#[tokio::test]
async fn the_platform_forgets_while_the_sink_is_held() {
    forgotten(TIKTOK, &[TIKTOK]).await;
    forgotten(META, &[META]).await;
}

async fn forgotten(platform: Platform, told: &'static [Platform]) {
    let sink = platform.name();
    let world = Setup::new().telling(told).start().await;
    world.platforms.sandbox.configure(platform, Settings { p_lost_reply: 1.0, ..Settings::default() });
    let perhaps = many("perhaps", 20);
    world.report(&perhaps).await;
    until("the answer to be lost", async || {
        let waiting = world.deliveries("status=PENDING&reason=interrupted").await.len();
        if waiting == 20 { Ok(()) } else { Err(format!("{waiting} wait")) }
    })
    .await;
    assert_eq!(world.platforms.of(platform).received, 20);

    // A wrong token holds the sink before they are sent again.
    let wrong = Settings { tokens: vec!["another".to_owned()], ..Settings::default() };
    world.platforms.sandbox.configure(platform, wrong);
    let never = many("never", 20);
    world.report(&never).await;
    world.until_state(sink, "HELD").await;
    world.until_counts(sink, Counts::pending(40)).await;

    world.advance(TWO_DAYS).await;
    world.platforms.sandbox.configure(platform, Settings { forget: true, ..Settings::default() });
    world.resume(sink).await;
    // What was never received is delivered; what perhaps was would be counted twice, and is left to a human.
    world.until_counts(sink, Counts { delivered: 20, failed: 20, ..Counts::default() }).await;
    let given_up = world.deliveries("status=FAILED&reason=dedup_window_over").await;
    assert_eq!(given_up.len(), 20);
    let report = world.platforms.of(platform);
    assert_eq!((report.received, report.deduplicated, report.counted_twice), (40, 0, 0), "{report:?}");
    assert_eq!(world.platforms.ids(platform), ids(&[perhaps, never].concat()));
    world.audit().await;
}
