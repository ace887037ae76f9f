//! Holds for what a human must mend: nothing fails, nothing is lost, and the mend ends them.

use std::time::Duration;

use platform_sandbox::Settings;
use serde_json::{Value, json};

use crate::harness::{Counts, GOOGLE, Setup, TIKTOK, World, booked, event, ids, many, until};

const MINUTE: Duration = Duration::from_secs(60);
/// A held sink is probed this often.
const PROBE_EVERY: Duration = Duration::from_secs(15 * 60);
const THREE_DAYS: Duration = Duration::from_secs(72 * 3600);

/// TikTok knows another token than ours.
fn wrong_token() -> Settings {
    Settings { tokens: vec!["another".to_owned()], ..Settings::default() }
}

/// A world whose TikTok token is wrong, with `count` events that wait because of it.
async fn held(setup: Setup, count: usize) -> World {
    let world = setup.start().await;
    world.platforms.sandbox.configure(TIKTOK, wrong_token());
    world.report(&many("e", count)).await;
    world.until_state("tiktok", "HELD").await;
    world.until_counts("tiktok", Counts::pending(count as u64)).await;
    world
}

#[tokio::test]
async fn a_wrong_token_holds_the_sink_and_three_days_later_all_is_delivered() {
    let world = held(Setup::new(), 150).await;
    world.report(&many("later", 50)).await;
    let sink = world.sink("tiktok").await;
    assert_eq!(sink["holdReason"], "unauthorized");
    assert!(sink["holdMessage"].as_str().unwrap().contains("40105"), "{sink}");
    assert_eq!(sink["heldUntil"], world.time_in(PROBE_EVERY));
    // What one platform refuses costs the other nothing.
    world.until_counts("google-ads", Counts::delivered(200)).await;
    world.until_counts("tiktok", Counts::pending(200)).await;

    world.advance(THREE_DAYS).await;
    until("the probe to be refused, too", async || {
        let held = world.sink("tiktok").await["heldUntil"].clone();
        if held != sink["heldUntil"] { Ok(()) } else { Err(held.to_string()) }
    })
    .await;
    world.until_counts("tiktok", Counts::pending(200)).await;

    world.platforms.sandbox.configure(TIKTOK, Settings::default());
    world.resume("tiktok").await;
    world.until_counts("tiktok", Counts::delivered(200)).await;
    assert_eq!(world.sink("tiktok").await["state"], "ACTIVE");
    let all = many("e", 150).into_iter().chain(many("later", 50)).collect::<Vec<_>>();
    world.platforms.assert_counted_once(&ids(&all));
    assert_eq!(
        world.platforms.of(TIKTOK).deduplicated,
        0,
        "a refused token is no doubt about what was received"
    );
    let audit = world.audit().await;
    let account =
        json!({ "routed": 200, "delivered": 200, "skipped": 0, "failed": 0, "pending": 0, "purged": 0 });
    assert_eq!(audit["sinks"], json!({ "tiktok": account, "google-ads": account }));
}

/// Deliveries are tried for fourteen days, and a hold is not trying.
#[tokio::test]
async fn three_weeks_of_hold_cost_nothing_either() {
    let world = held(Setup::new(), 5).await;
    world.advance(7 * THREE_DAYS).await;
    world.platforms.sandbox.configure(TIKTOK, Settings::default());
    world.resume("tiktok").await;
    world.until_counts("tiktok", Counts::delivered(5)).await;
}

#[tokio::test]
async fn a_probe_of_one_delivery_every_fifteen_minutes_ends_the_hold_by_itself() {
    let world = held(Setup::new(), 20).await;
    let refused = world.platforms.of(TIKTOK).requests;
    for probes in 1..=2 {
        world.advance(PROBE_EVERY).await;
        until("a probe", async || {
            let until = world.sink("tiktok").await["heldUntil"].clone();
            if until == world.time_in(PROBE_EVERY) { Ok(()) } else { Err(until.to_string()) }
        })
        .await;
        assert_eq!(world.platforms.of(TIKTOK).requests, refused + probes, "one request each time");
    }
    world.platforms.sandbox.configure(TIKTOK, Settings::default());
    world.advance(PROBE_EVERY - MINUTE).await;
    world.until_counts("tiktok", Counts::pending(20)).await;
    world.advance(MINUTE).await;
    world.until_counts("tiktok", Counts::delivered(20)).await;
    // The probe carried one, the next request the rest.
    let report = world.platforms.of(TIKTOK);
    assert_eq!((report.requests, report.max_batch), (refused + 4, 19));
    assert_eq!(world.sink("tiktok").await["state"], "ACTIVE");
}

#[tokio::test]
async fn a_hold_survives_a_restart_and_new_settings_end_it() {
    let world = held(Setup::new(), 10).await;
    let before = world.sink("tiktok").await;
    let refused = world.platforms.of(TIKTOK).requests;
    world.advance(MINUTE).await;
    let world = world.restart(&[]).await;
    world.report(&[booked("after")]).await;
    world.until_counts("google-ads", Counts::delivered(11)).await;
    world.until_counts("tiktok", Counts::pending(11)).await;
    let after = world.sink("tiktok").await;
    for member in ["state", "holdReason", "holdMessage", "heldUntil"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    assert_eq!(world.platforms.of(TIKTOK).requests, refused, "nothing was sent before the probe is due");

    // The right token is another setting: whatever was wrong with the old one says nothing of it.
    let world = world.restart(&[("TIKTOK_ACCESS_TOKEN", "another")]).await;
    world.until_counts("tiktok", Counts::delivered(11)).await;
    assert_eq!(world.sink("tiktok").await["state"], "ACTIVE");
}

#[tokio::test]
async fn a_wrong_pixel_holds_whatever_words_tiktok_has_for_it() {
    for as_parameter_error in [false, true] {
        let world = World::start().await;
        let pixels = vec!["DXXX".to_owned()];
        let settings =
            Settings { pixels, wrong_pixel_as_parameter_error: as_parameter_error, ..Settings::default() };
        world.platforms.sandbox.configure(TIKTOK, settings);
        world.report(&many("e", 5)).await;
        let sink = world.until_state("tiktok", "HELD").await;
        assert_eq!(sink["holdReason"], "unauthorized", "{sink}");
        world.until_counts("tiktok", Counts::pending(5)).await;
        let world = world.restart(&[("TIKTOK_PIXEL_ID", "DXXX")]).await;
        world.until_counts("tiktok", Counts::delivered(5)).await;
    }
}

#[tokio::test]
async fn missing_credentials_can_hold_instead_of_skip() {
    let file = "[[sinks]]\nkind = 'tiktok'\non_missing_credentials = 'hold'";
    let world = Setup::new().file(file).with("TIKTOK_ACCESS_TOKEN", "").start().await;
    world.report(&many("e", 5)).await;
    let sink = world.until_state("tiktok", "HELD").await;
    assert_eq!(sink["holdReason"], "missing_credentials");
    assert_eq!(sink["holdMessage"], "Missing env: TIKTOK_ACCESS_TOKEN");
    world.until_counts("tiktok", Counts::pending(5)).await;
    let world = world.restart(&[("TIKTOK_ACCESS_TOKEN", "tiktok-token")]).await;
    world.until_counts("tiktok", Counts::delivered(5)).await;
}

#[tokio::test]
async fn a_wrong_conversion_action_holds_its_event_name_alone() {
    let world =
        Setup::new().with("GOOGLE_ADS_CONVERSION_ACTIONS", "TRIAL_BOOKED=111,LESSON_PAID=222").start().await;
    let only_the_first = Settings { conversion_actions: vec!["111".to_owned()], ..Settings::default() };
    world.platforms.sandbox.configure(GOOGLE, only_the_first);
    let paid: Vec<Value> = ["p1", "p2", "p3"].iter().map(|id| event("LESSON_PAID", id)).collect();
    world.report(&[many("b", 3), paid].concat()).await;
    world.until_counts("google-ads", Counts { delivered: 3, pending: 3, ..Counts::default() }).await;
    let sink = world.sink("google-ads").await;
    assert_eq!((&sink["state"], &sink["holdReason"]), (&json!("ACTIVE"), &Value::Null));
    let held = &sink["heldEvents"][0];
    assert_eq!((&held["eventName"], &held["reason"]), (&json!("LESSON_PAID"), &json!("unauthorized")));
    assert!(held["message"].as_str().unwrap().contains("NO_CONVERSION_ACTION_FOUND"), "{held}");
    world.report(&[booked("b-later"), event("LESSON_PAID", "p-later")]).await;
    world.until_counts("google-ads", Counts { delivered: 4, pending: 4, ..Counts::default() }).await;

    world.platforms.sandbox.configure(GOOGLE, Settings::default());
    world.resume("google-ads").await;
    world.until_counts("google-ads", Counts::delivered(8)).await;
    assert_eq!(world.sink("google-ads").await["heldEvents"], json!([]));
}

#[tokio::test]
async fn a_name_that_is_held_is_probed_as_well() {
    let world = Setup::new().with("GOOGLE_ADS_CONVERSION_ACTIONS", "LESSON_PAID=222").start().await;
    let none = Settings { conversion_actions: vec!["111".to_owned()], ..Settings::default() };
    world.platforms.sandbox.configure(GOOGLE, none);
    let paid: Vec<Value> = ["p1", "p2", "p3"].iter().map(|id| event("LESSON_PAID", id)).collect();
    world.report(&paid).await;
    until("the name to be held", async || {
        let held = world.sink("google-ads").await["heldEvents"].clone();
        if held[0]["eventName"] == "LESSON_PAID" { Ok(()) } else { Err(held.to_string()) }
    })
    .await;
    world.platforms.sandbox.configure(GOOGLE, Settings::default());
    world.until_counts("google-ads", Counts::pending(3)).await;
    world.advance(PROBE_EVERY).await;
    world.until_counts("google-ads", Counts::delivered(3)).await;
}

const ID: &str = "0123456789abcdef0123456789abcdef";

/// An event that is sent at once, or once its visit is known, when its click is old enough.
fn visitors(name: &str, id: &str) -> Value {
    json!({
        "eventId": id, "eventName": name, "eventTime": "2026-01-10T12:00:00Z", "attributionId": ID,
        "email": "ada@example.com",
    })
}

async fn visit(world: &World) {
    let visit = json!({ "id": ID, "gclid": "Cj0fresh" });
    assert_eq!(world.post("/api/attributions", visit.to_string()).await.status, 204);
}

#[tokio::test]
async fn what_has_to_wait_is_no_probe_of_its_name() {
    let world = Setup::new().with("GOOGLE_ADS_CONVERSION_ACTIONS", "LESSON_PAID=222").start().await;
    let none = Settings { conversion_actions: vec!["111".to_owned()], ..Settings::default() };
    world.platforms.sandbox.configure(GOOGLE, none);
    for event in [visitors("LESSON_PAID", "waits"), event("LESSON_PAID", "probe")] {
        let id = event["eventId"].as_str().unwrap().to_owned();
        world.report(&[event]).await;
        until("it to be held", async || {
            let delivery = world.delivery("google-ads", &id).await;
            if delivery["reason"] == "held" { Ok(()) } else { Err(delivery.to_string()) }
        })
        .await;
    }
    world.platforms.sandbox.configure(GOOGLE, Settings::default());
    visit(&world).await;
    world.advance(PROBE_EVERY).await;
    assert_eq!(world.settled("google-ads", "probe").await["status"], "DELIVERED");
}

#[tokio::test]
async fn however_many_have_to_wait_the_probe_is_found() {
    let world = World::start().await;
    world.platforms.sandbox.configure(GOOGLE, Settings { p_401: 1.0, ..Settings::default() });
    world.report(&[visitors("TRIAL_BOOKED", "first")]).await;
    world.until_state("google-ads", "HELD").await;
    world.platforms.sandbox.configure(GOOGLE, Settings::default());
    visit(&world).await;
    let waiting: Vec<Value> = (0..120).map(|n| visitors("TRIAL_BOOKED", &format!("waits-{n}"))).collect();
    world.report(&waiting).await;
    world.report(&[booked("last")]).await;
    world.until_counts("google-ads", Counts::pending(122)).await;
    world.advance(PROBE_EVERY).await;
    world.until_state("google-ads", "ACTIVE").await;
    assert_eq!(world.settled("google-ads", "last").await["status"], "DELIVERED");
}

#[tokio::test]
async fn a_revoked_refresh_token_holds_google_alone() {
    let world = World::start().await;
    let settings = Settings { refresh_tokens: vec!["another".to_owned()], ..Settings::default() };
    world.platforms.sandbox.configure(GOOGLE, settings);
    world.report(&many("e", 10)).await;
    let sink = world.until_state("google-ads", "HELD").await;
    assert_eq!(sink["holdReason"], "unauthorized");
    assert!(sink["holdMessage"].as_str().unwrap().contains("invalid_grant"), "{sink}");
    world.until_counts("tiktok", Counts::delivered(10)).await;
    world.until_counts("google-ads", Counts::pending(10)).await;
    let world = world.restart(&[("GOOGLE_ADS_REFRESH_TOKEN", "another")]).await;
    world.until_counts("google-ads", Counts::delivered(10)).await;
}

#[tokio::test]
async fn an_expired_access_token_is_renewed_without_anyone_noticing() {
    let world = World::start().await;
    world.report(&[booked("first")]).await;
    world.settled("google-ads", "first").await;
    world.platforms.sandbox.configure(GOOGLE, Settings { revoke: true, ..Settings::default() });
    world.report(&[booked("second")]).await;
    let delivery = world.settled("google-ads", "second").await;
    assert_eq!(delivery["status"], "DELIVERED");
    let detail = world.detail(&delivery, "").await;
    let exchanges = detail["exchanges"].as_array().unwrap();
    let seen: Vec<_> = exchanges
        .iter()
        .map(|e| (e["result"].as_str().unwrap(), e["responseCode"].as_u64().unwrap()))
        .collect();
    assert_eq!(seen, [("unauthorized", 401), ("delivered", 200)]);
    assert_eq!(world.platforms.sandbox.report().token_requests, 2);
    assert_eq!(world.sink("google-ads").await["state"], "ACTIVE");
}

#[tokio::test]
async fn an_access_token_that_is_refused_even_when_fresh_holds() {
    let world = World::start().await;
    world.platforms.all(&Settings { p_401: 1.0, ..Settings::default() });
    world.report(&many("e", 10)).await;
    for (sink, said) in [("tiktok", "40102"), ("google-ads", "OAUTH_TOKEN_EXPIRED")] {
        let held = world.until_state(sink, "HELD").await;
        assert_eq!(held["holdReason"], "unauthorized");
        assert!(held["holdMessage"].as_str().unwrap().contains(said), "{held}");
        world.until_counts(sink, Counts::pending(10)).await;
    }
    // Google's was renewed once, and once more only; TikTok's cannot be renewed.
    let report = world.platforms.sandbox.report();
    assert_eq!(
        (report.sinks.tiktok.requests, report.sinks.google_ads.requests, report.token_requests),
        (1, 2, 2)
    );
    world.platforms.all(&Settings::default());
    for sink in ["tiktok", "google-ads"] {
        world.resume(sink).await;
        world.until_counts(sink, Counts::delivered(10)).await;
    }
}

#[tokio::test]
async fn only_configured_sinks_can_be_resumed() {
    let world = World::start().await;
    assert_eq!(world.post("/api/sinks/nobody/resume", "").await.status, 404);
    world.resume("tiktok").await;
    assert_eq!(world.sink("tiktok").await["state"], "ACTIVE");
}
