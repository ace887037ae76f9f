//! What is said of a reason: the same wherever it is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use platform_sandbox::Settings;
use serde_json::{Value, json};

use crate::harness::{TIKTOK, World, booked, event, signalbox, until};

/// The entry of a name in a place.
async fn entry(world: &World, place: &str, name: &str) -> Value {
    let reasons = world.read("/api/reasons").await;
    let mut items = reasons["items"].as_array().unwrap().iter();
    let is_meant =
        |item: &&Value| item["name"] == name && item["places"].as_array().unwrap().contains(&json!(place));
    items.find(is_meant).unwrap_or_else(|| panic!("{place} {name}")).clone()
}

fn printed(world: &World, arguments: &[&str]) -> String {
    let output =
        signalbox(&[arguments, &["--store", world.store()]].concat(), &BTreeMap::new()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn every_door_shows_what_to_do_about_a_delivery() {
    let world = World::start().await;
    world.report(&[booked("sent"), event("TRIAL_CANCELED", "canceled")]).await;
    let skipped = world.settled("tiktok", "canceled").await;
    let known = entry(&world, "SKIPPED", "no_event_mapping").await;
    assert_eq!(known["sentence"], "No {platform} event mapping for: {event}");
    assert_eq!(known["actor"], "OPERATOR");
    let fix = "map the event's name in [sinks.events], if it should be sent";
    assert_eq!(known["fix"], fix);

    let detail = world.detail(&skipped, "").await;
    let query = "{ deliveries(sink: \"tiktok\", eventId: \"canceled\") { items { fix actor } } }";
    let asked = world.ask(query).await;
    for shown in [&skipped, &detail, &asked["deliveries"]["items"][0]] {
        assert_eq!((&shown["fix"], &shown["actor"]), (&json!(fix), &json!("OPERATOR")), "{shown}");
    }
    let delivered = world.settled("tiktok", "sent").await;
    assert_eq!((&delivered["fix"], &delivered["actor"]), (&Value::Null, &Value::Null));

    let listed = printed(&world, &["deliveries"]);
    assert_eq!(listed.matches(fix).count(), 1, "once, however many deliveries it is about: {listed}");
    assert!(!printed(&world, &["deliveries", "--status", "delivered"]).contains("what to do"));
    let told = signalbox(&["reasons", "no_event_mapping"], &BTreeMap::new()).output().unwrap();
    assert!(String::from_utf8(told.stdout).unwrap().contains(&format!("OPERATOR: {fix}")));
    let unknown = signalbox(&["reasons", "no_such"], &BTreeMap::new()).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
}

#[tokio::test]
async fn a_hold_and_what_waits_for_it_say_what_to_mend() {
    let world = World::start().await;
    let refused = Settings { tokens: vec!["another".to_owned()], ..Settings::default() };
    world.platforms.sandbox.configure(TIKTOK, refused);
    world.report(&[booked("waits")]).await;
    let sink = world.until_state("tiktok", "HELD").await;
    let known = entry(&world, "HELD", "unauthorized").await;
    let query = "{ sinks { name holdFix holdActor } }";
    let asked = world.ask(query).await;
    let asked = asked["sinks"].as_array().unwrap().iter().find(|sink| sink["name"] == "tiktok").unwrap();
    for shown in [&sink, asked] {
        assert_eq!((&shown["holdFix"], &shown["holdActor"]), (&known["fix"], &known["actor"]), "{shown}");
    }
    let waits = until("the delivery to wait for the hold", async || {
        let delivery = world.delivery("tiktok", "waits").await;
        if delivery["reason"] == "unauthorized" { Ok(delivery) } else { Err(delivery.to_string()) }
    })
    .await;
    assert_eq!((&waits["fix"], &waits["actor"]), (&known["fix"], &known["actor"]));
}

#[tokio::test]
async fn a_reason_of_another_version_is_shown_as_it_stands() {
    let world = World::start().await;
    world.report(&[event("TRIAL_CANCELED", "canceled")]).await;
    world.settled("tiktok", "canceled").await;
    let path = world.store().strip_prefix("sqlite://").unwrap();
    let file = rusqlite::Connection::open(path).unwrap();
    file.busy_timeout(Duration::from_secs(30)).unwrap();
    file.execute("UPDATE delivery SET reason = 'of_another_version'", []).unwrap();
    let shown = world.delivery("tiktok", "canceled").await;
    assert_eq!((&shown["reason"], &shown["status"]), (&json!("of_another_version"), &json!("SKIPPED")));
    assert_eq!((&shown["fix"], &shown["actor"]), (&Value::Null, &Value::Null));
    assert_eq!(shown["message"], "No TikTok event mapping for: TRIAL_CANCELED");
}
