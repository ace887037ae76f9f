//! The operator's rules: repeated and canceled conversions, and old events.

use std::time::Duration;

use platform_sandbox::Settings;
use serde_json::{Value, json};

use crate::harness::{Counts, GOOGLE, SPEC_EVENT, Setup, TIKTOK, booked, event};

fn rescheduled(id: &str, conversion_id: &str) -> Value {
    let mut event = event("TRIAL_RESCHEDULED", id);
    event["conversionId"] = conversion_id.into();
    event
}

fn canceled(id: &str, conversion_id: &str) -> Value {
    let mut event = event("TRIAL_CANCELED", id);
    event["conversionId"] = conversion_id.into();
    event
}

#[tokio::test]
async fn a_conversion_can_be_sent_once_however_often_it_moves() {
    let world = Setup::new().file("[[sinks]]\nkind = 'tiktok'\nreschedules = 'once'").start().await;
    world.report(&[booked("first")]).await;
    assert_eq!(world.settled("tiktok", "first").await["status"], "DELIVERED");
    world.report(&[rescheduled("moved", "first"), rescheduled("other", "another")]).await;
    let moved = world.settled("tiktok", "moved").await;
    assert_eq!((&moved["status"], &moved["reason"]), (&json!("SKIPPED"), &json!("already_counted")));
    assert_eq!(moved["message"], "The conversion was already delivered as TRIAL_BOOKED");
    assert_eq!(
        world.settled("tiktok", "other").await["status"],
        "DELIVERED",
        "that one is a conversion of its own"
    );
    assert_eq!(world.platforms.of(TIKTOK).received, 2);
}

#[tokio::test]
async fn while_the_first_is_under_way_the_second_waits() {
    let world = Setup::new().file("[[sinks]]\nkind = 'tiktok'\nreschedules = 'once'").start().await;
    world.report(&[booked("first"), rescheduled("moved", "first")]).await;
    world.until_counts("tiktok", Counts { delivered: 1, pending: 1, ..Counts::default() }).await;
    assert_eq!(world.delivery("tiktok", "moved").await["reason"], "waiting_for_earlier");
    world.advance(Duration::from_secs(60)).await;
    assert_eq!(world.settled("tiktok", "moved").await["reason"], "already_counted");
    assert_eq!(world.platforms.of(TIKTOK).received, 1);
}

#[tokio::test]
async fn what_is_canceled_before_google_was_told_is_not_reported() {
    let world = Setup::new().with("GOOGLE_ADS_RETRACT_ON", "TRIAL_CANCELED").start().await;
    world.report(&[booked("first"), canceled("canceled", "first"), event("TRIAL_CANCELED", "unknown")]).await;
    assert_eq!(world.settled("google-ads", "first").await["reason"], "canceled_before_sent");
    assert_eq!(world.settled("google-ads", "unknown").await["reason"], "original_not_delivered");
    // It may have found the booking still leased, and waited.
    world.advance(Duration::from_secs(60)).await;
    assert_eq!(world.settled("google-ads", "canceled").await["reason"], "original_not_delivered");
    assert_eq!(world.platforms.of(GOOGLE).received, 0);
    assert_eq!(world.settled("tiktok", "first").await["status"], "DELIVERED", "TikTok takes nothing back");
}

/// Google is told, and told that it was wrong: the two events came in the wrong order.
#[tokio::test]
async fn a_cancellation_that_comes_before_its_booking_takes_it_back() {
    let world = Setup::new().with("GOOGLE_ADS_RETRACT_ON", "TRIAL_CANCELED").start().await;
    world.platforms.sandbox.configure(GOOGLE, Settings { p_401: 1.0, ..Settings::default() });
    world.report(&[booked("holds-it")]).await;
    world.until_state("google-ads", "HELD").await;
    let mut first = booked("first");
    first["eventTime"] = world.time_in(Duration::ZERO).into();
    world.report(&[canceled("canceled", "first"), first]).await;
    world.platforms.sandbox.configure(GOOGLE, Settings::default());
    world.resume("google-ads").await;
    assert_eq!(world.settled("google-ads", "first").await["status"], "DELIVERED");
    // The cancellation may have looked at it before.
    world.advance(Duration::from_secs(60)).await;
    let canceled = world.settled("google-ads", "canceled").await;
    assert_eq!(canceled["status"], "DELIVERED", "{canceled}");
    assert!(canceled["requestBody"].as_str().unwrap().contains("RETRACTION"), "{canceled}");
}

/// It says nothing of the person; without it the conversion would stay counted.
#[tokio::test]
async fn a_conversion_is_taken_back_whatever_consent_and_however_late() {
    let file = "[[sinks]]\nkind = 'google-ads'\nretract_on = ['TRIAL_CANCELED']\nmax_event_age = '2d'";
    let world = Setup::new().file(file).start().await;
    let now = world.clock.now().as_second();
    let mut events = Vec::new();
    for id in ["first", "second"] {
        let mut event = booked(id);
        event["eventTime"] = (now - 86_400).into();
        events.push(event);
    }
    world.report(&events).await;
    world.until_counts("google-ads", Counts::delivered(2)).await;
    world.advance(Duration::from_secs(10 * 86_400)).await;
    let mut refused = canceled("refused", "first");
    refused["eventTime"] = world.clock.now().as_second().into();
    refused["consent"] = json!({ "adUserData": "DENIED" });
    let mut late = canceled("late", "second");
    late["eventTime"] = now.into();
    world.report(&[refused, late]).await;
    for id in ["refused", "late"] {
        let delivery = world.settled("google-ads", id).await;
        assert_eq!(delivery["status"], "DELIVERED", "{delivery}");
        let body = delivery["requestBody"].as_str().unwrap();
        assert!(body.contains("RETRACTION") && !body.contains('@'), "{body}");
    }
}

#[tokio::test]
async fn events_older_than_allowed_are_skipped_but_may_be_tested() {
    let file = "[[sinks]]\nkind = 'tiktok'\nmax_event_age = '28d'";
    let world = Setup::new().file(file).with("TIKTOK_TEST_SECRET", "secret").start().await;
    let now = world.clock.now().as_second();
    let day = 86_400;
    let mut events = Vec::new();
    for (id, days) in [("young", 27), ("old", 29)] {
        let mut event = booked(id);
        event["eventTime"] = (now - days * day).into();
        events.push(event);
    }
    world.report(&events).await;
    assert_eq!(world.settled("tiktok", "young").await["status"], "DELIVERED");
    let old = world.settled("tiktok", "old").await;
    assert_eq!((&old["status"], &old["reason"]), (&json!("SKIPPED"), &json!("event_too_old")));
    assert_eq!(old["message"], "The event is older than 28 days");

    // The specification's event is months old.
    let reply = world.with_key("secret").post("/api/test/tiktok", SPEC_EVENT).await;
    assert_eq!(reply.json["ok"], true, "{}", reply.text);
}
