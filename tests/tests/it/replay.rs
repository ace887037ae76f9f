//! A human's mistake is recoverable: what was skipped or failed can be sent after all.

use platform_sandbox::Settings;
use serde_json::json;

use crate::harness::{Counts, Setup, TIKTOK, World, booked, tiktok_verdict};

async fn retry(world: &World, sink: &str, event_id: &str) -> u16 {
    let delivery = world.delivery(sink, event_id).await;
    world.post(&format!("/api/deliveries/{}/retry", delivery["id"].as_str().unwrap()), "").await.status
}

#[tokio::test]
async fn a_failed_delivery_is_sent_again_when_asked() {
    let world = World::start().await;
    let verdicts = [tiktok_verdict("e", 40002, "not a valid event")].into();
    world.platforms.sandbox.configure(TIKTOK, Settings { verdicts, ..Settings::default() });
    world.report(&[booked("e")]).await;
    assert_eq!(world.settled("tiktok", "e").await["status"], "FAILED");
    world.platforms.sandbox.configure(TIKTOK, Settings::default());
    assert_eq!(retry(&world, "tiktok", "e").await, 202);
    let delivery = world.settled("tiktok", "e").await;
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("DELIVERED"), &json!(2)));
    assert_eq!((&delivery["reason"], &delivery["message"]), (&json!(null), &json!(null)));
    assert_eq!(world.counts("tiktok").await, Counts::delivered(1));
    world.audit().await;
}

#[tokio::test]
async fn what_was_skipped_for_missing_credentials_is_sent_once_they_are_there() {
    let world = Setup::new().with("TIKTOK_ACCESS_TOKEN", "").start().await;
    world.report(&[booked("e")]).await;
    assert_eq!(world.settled("tiktok", "e").await["status"], "SKIPPED");
    let world = world.restart(&[("TIKTOK_ACCESS_TOKEN", "tiktok-token")]).await;
    assert_eq!(world.delivery("tiktok", "e").await["status"], "SKIPPED", "not without being asked");
    assert_eq!(retry(&world, "tiktok", "e").await, 202);
    assert_eq!(world.settled("tiktok", "e").await["status"], "DELIVERED");
}

#[tokio::test]
async fn what_was_delivered_is_never_sent_again() {
    let world = World::start().await;
    world.report(&[booked("e")]).await;
    world.settled("tiktok", "e").await;
    let delivery = world.delivery("tiktok", "e").await;
    let reply = world.post(&format!("/api/deliveries/{}/retry", delivery["id"].as_str().unwrap()), "").await;
    assert_eq!(reply.status, 409);
    assert!(reply.json["error"].as_str().unwrap().contains("never sent again"), "{}", reply.text);
    assert_eq!(world.platforms.of(TIKTOK).received, 1);
    for unknown in ["999-1", "x"] {
        assert_eq!(world.post(&format!("/api/deliveries/{unknown}/retry"), "").await.status, 404);
    }
}

/// A platform that is perhaps told twice under two keys counts twice: a changed mapping must not do that.
#[tokio::test]
async fn a_mapping_changed_after_an_uncertain_sending_fails_instead_of_counting_twice() {
    let world = World::start().await;
    world.platforms.sandbox.configure(TIKTOK, Settings { p_lost_reply: 1.0, ..Settings::default() });
    world.report(&[booked("e")]).await;
    crate::harness::until("the first try", async || {
        let delivery = world.delivery("tiktok", "e").await;
        if delivery["reason"] == "interrupted" { Ok(()) } else { Err(delivery.to_string()) }
    })
    .await;
    world.platforms.sandbox.configure(TIKTOK, Settings::default());
    let world = world.restart(&[("TIKTOK_EVENT_ACTIONS", "TRIAL_BOOKED=CompleteRegistration")]).await;
    world.advance(std::time::Duration::from_secs(4)).await;
    let delivery = world.settled("tiktok", "e").await;
    let seen = (&delivery["status"], &delivery["reason"]);
    assert_eq!(seen, (&json!("FAILED"), &json!("mapping_changed_after_send")));
    let report = world.platforms.of(TIKTOK);
    assert_eq!((report.received, report.counted_twice), (1, 0));
}
