//! A platform that is slow to the end of time costs the other nothing.

use platform_sandbox::Settings;
use serde_json::Value;

use crate::harness::{Counts, GOOGLE, Setup, TIKTOK, booked, many};

/// More than a worker has room for in memory: the rest waits in the store.
const ROUNDS: u64 = 11;
const EVENTS: u64 = 1_000;

#[tokio::test]
async fn google_finishes_while_tiktok_hangs_with_more_waiting_than_memory_has_room_for() {
    // One request, which is under way from the first event to the last: it is neither answered nor given up.
    let file = "[[sinks]]\nkind = 'tiktok'\nmax_in_flight = 1\nmax_batch = 10\ntimeout_seconds = 60\n\
        [[sinks]]\nkind = 'google-ads'";
    let world = Setup::new().file(file).start().await;
    world.platforms.sandbox.configure(TIKTOK, Settings { hang: true, ..Settings::default() });
    let mut reported = 0;
    for round in 0..ROUNDS {
        let events: Vec<Value> = many(&format!("e-{round}"), usize::try_from(EVENTS).unwrap());
        world.report(&events).await;
        reported += EVENTS;
        world.until_counts("google-ads", Counts::delivered(reported)).await;
        let waiting = world.counts("tiktok").await;
        assert_eq!(waiting, Counts::pending(reported), "round {round}");
    }
    let (google, tiktok) = (world.platforms.of(GOOGLE), world.platforms.of(TIKTOK));
    assert_eq!((google.received, google.unique), (reported, reported), "{google:?}");
    assert_eq!(tiktok.received, 0, "{tiktok:?}");
    // What comes last finds no queue at Google, and is refused nowhere.
    world.report(&[booked("last")]).await;
    assert_eq!(world.settled("google-ads", "last").await["status"], "DELIVERED");
    assert_eq!(world.delivery("tiktok", "last").await["status"], "PENDING");
    world.audit().await;
}
