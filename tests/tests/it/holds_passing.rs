//! Holds for what passes by itself: rate limits and outages. And what an outage may cost, so that nothing is counted
//! twice.

use std::time::Duration;

use platform_sandbox::Settings;
use serde_json::json;

use crate::harness::{Counts, GOOGLE, TIKTOK, World, booked, ids, many, until};

const SECOND: Duration = Duration::from_secs(1);

fn too_fast(retry_after_s: Option<u64>) -> Settings {
    Settings { p_429: 1.0, retry_after_s, ..Settings::default() }
}

fn down() -> Settings {
    Settings { down: true, ..Settings::default() }
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_as_long_as_the_platform_says() {
    for (platform, sink) in [(TIKTOK, "tiktok"), (GOOGLE, "google-ads")] {
        let world = World::start().await;
        world.platforms.sandbox.configure(platform, too_fast(Some(30)));
        world.report(&many("e", 10)).await;
        let held = world.until_state(sink, "HELD").await;
        assert_eq!(held["holdReason"], "rate_limited");
        assert_eq!(held["heldUntil"], world.time_in(30 * SECOND));
        world.until_counts(sink, Counts::pending(10)).await;
        let requests = world.platforms.of(platform).requests;

        world.platforms.sandbox.configure(platform, Settings::default());
        world.advance(29 * SECOND).await;
        world.report(&[booked("meanwhile")]).await;
        world.until_counts(sink, Counts::pending(11)).await;
        assert_eq!(world.platforms.of(platform).requests, requests, "not a second early");
        world.advance(SECOND).await;
        world.until_counts(sink, Counts::delivered(11)).await;
        assert_eq!(world.sink(sink).await["state"], "ACTIVE");
    }
}

#[tokio::test]
async fn without_a_word_from_the_platform_the_wait_doubles() {
    let world = World::start().await;
    world.platforms.sandbox.configure(TIKTOK, too_fast(None));
    world.report(&many("e", 3)).await;
    for seconds in [5, 10, 20, 40, 80] {
        until(&format!("a wait of {seconds} s"), async || {
            let held = world.sink("tiktok").await;
            let right = held["heldUntil"] == world.time_in(seconds * SECOND);
            if right { Ok(()) } else { Err(held.to_string()) }
        })
        .await;
        if seconds == 80 {
            world.platforms.sandbox.configure(TIKTOK, Settings::default());
        }
        world.advance(seconds * SECOND).await;
    }
    world.until_counts("tiktok", Counts::delivered(3)).await;
}

#[tokio::test]
async fn five_outages_in_a_row_hold_the_sink() {
    let world = World::start().await;
    world.platforms.sandbox.configure(TIKTOK, down());
    for number in 1..=5 {
        assert_eq!(world.sink("tiktok").await["state"], "ACTIVE", "before outage {number}");
        let id = format!("e-{number}");
        world.report(&[booked(&id)]).await;
        until(&format!("{id} to have been tried"), async || {
            let delivery = world.delivery("tiktok", &id).await;
            if delivery["attempts"] == 1 { Ok(()) } else { Err(delivery.to_string()) }
        })
        .await;
    }
    let held = world.until_state("tiktok", "HELD").await;
    assert_eq!(held["holdReason"], "unavailable");
    assert_eq!(held["heldUntil"], world.time_in(5 * SECOND));
    // Four seconds at most are between the first try of a delivery and its next.
    for waiting in world.deliveries("sink=tiktok").await {
        let wait = (&waiting["status"], &waiting["reason"], &waiting["responseCode"]);
        assert_eq!(wait, (&json!("PENDING"), &json!("unavailable"), &json!(503)));
        assert!(
            waiting["nextAttemptAt"].as_str().unwrap() <= world.time_in(4 * SECOND).as_str(),
            "{waiting}"
        );
    }
    world.platforms.sandbox.configure(TIKTOK, Settings::default());
    world.advance(5 * SECOND).await;
    world.until_counts("tiktok", Counts::delivered(5)).await;
    assert_eq!(world.sink("tiktok").await["state"], "ACTIVE");
}

#[tokio::test]
async fn a_dead_platform_costs_the_other_nothing() {
    let world = World::start().await;
    world.platforms.sandbox.configure(TIKTOK, Settings { hang: true, ..Settings::default() });
    let events = many("e", 300);
    world.report(&events).await;
    world.until_counts("google-ads", Counts::delivered(300)).await;
    assert_eq!(world.counts("tiktok").await, Counts::pending(300));
}

/// The platform may have the event, and recognises it for 48 hours: after that, sending it again could count it twice.
#[tokio::test]
async fn what_was_perhaps_received_is_given_up_when_the_platform_no_longer_recognises_it() {
    let world = World::start().await;
    // TikTok takes the event and is never heard; Google is merely down, and would recognise an order id for ever.
    world.platforms.sandbox.configure(TIKTOK, Settings { p_lost_reply: 1.0, ..Settings::default() });
    world.platforms.sandbox.configure(GOOGLE, down());
    world.report(&[booked("lost")]).await;
    for sink in ["tiktok", "google-ads"] {
        until("the first try", async || {
            let delivery = world.delivery(sink, "lost").await;
            if delivery["attempts"] == 1 && delivery["reason"] != json!(null) {
                Ok(())
            } else {
                Err(delivery.to_string())
            }
        })
        .await;
    }
    assert_eq!(world.platforms.of(TIKTOK).received, 1);
    world.platforms.all(&Settings::default());
    world.advance(Duration::from_secs(49 * 3600)).await;
    let given_up = world.settled("tiktok", "lost").await;
    let seen = (&given_up["status"], &given_up["reason"], &given_up["attempts"]);
    assert_eq!(seen, (&json!("FAILED"), &json!("dedup_window_over"), &json!(1)));
    assert_eq!(world.settled("google-ads", "lost").await["status"], "DELIVERED");
    world.platforms.assert_counted_once(&ids(&[booked("lost")]));
}
