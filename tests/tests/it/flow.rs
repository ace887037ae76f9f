//! The spec's whole flow: a visit, a booking, its events, their deliveries, and what GraphQL shows of them.

use std::time::Duration;

use conversion_core::Timestamp;
use platform_sandbox::{AcuitySettings, QstashSettings, Settings};
use serde_json::{Value, json};

use crate::harness::{
    BROWSER, FIELD, GOOGLE, HASHED_VISITOR, SITE_SETTINGS, SPEC_QUERY, Setup, TIKTOK, VISITOR, World, trial,
    until,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
// printf %s ada@example.com | sha256sum
const HASHED_EMAIL: &str = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72";
// printf %s ada | sha256sum
const HASHED_NAME: &str = "fdee430d40bd57deeac186cd9790033d0f06f909a8806e7ce6e717ab7c7d5029";
const CONVERSIONS: &str = "customers/1234567890/conversionActions/111";
// Reason and sentence.
const UNMAPPED: [&str; 2] = ["no_event_mapping", "No TikTok event mapping for: TRIAL_CANCELED"];
const CANCELED: [&str; 2] = ["canceled_before_sent", "Canceled before the conversion was sent"];

/// A site, its booking system and both platforms, which take cancellations as far as they can.
async fn world(setup: Setup) -> World {
    let source = format!("[[sources]]\nkind = 'acuity'\nfields = {{ attributionId = {FIELD} }}");
    setup
        .file(SITE_SETTINGS)
        .file(&source)
        .with("ACUITY_CURRENCY", "EUR")
        .with("GOOGLE_ADS_RETRACT_ON", "TRIAL_CANCELED")
        .start_with_acuity(AcuitySettings::default())
        .await
}

/// Somebody comes by an ad of each platform.
async fn visit(world: &World) {
    let visit = json!({
        "id": VISITOR, "ttclid": "E.C.P.abc", "gclid": "Cj0abc", "pageReferrer": "https://www.tiktok.com/",
        "pageUrl": "https://academy.example/?ttclid=E.C.P.abc&gclid=Cj0abc",
    });
    world.visited(visit).await;
}

/// Ada books a trial by a link that says who visited; returns its id and the conversion's.
async fn book(world: &World) -> (u64, String) {
    let mut booking = trial("ada", world.time_in(DAY));
    booking.datetime_created = Some(world.time_in(Duration::ZERO));
    booking.fields = [(FIELD, VISITOR.to_owned())].into();
    let id = world.acuity().book(booking).unwrap();
    world.until_told(1).await;
    (id, format!("appt-{id}"))
}

/// Returns the delivery at Google once it waits for this reason.
async fn waiting_at_google(world: &World, event_id: &str, reason: &str) -> Value {
    until(&format!("{event_id} to wait: {reason}"), async || {
        let delivery = world.delivery("google-ads", event_id).await;
        let is_waiting = delivery["status"] == "PENDING" && delivery["reason"] == reason;
        if is_waiting { Ok(delivery) } else { Err(delivery.to_string()) }
    })
    .await
}

async fn a_visit_ends_at_both_platforms(setup: Setup) -> World {
    let world = world(setup).await;
    visit(&world).await;
    let visited_at = world.clock.now();
    world.advance(MINUTE).await;
    let booked_at = world.clock.now();
    let (id, conversion) = book(&world).await;

    let tiktok = world.sent("tiktok", &conversion).await;
    let event = json!({
        "event": "SubmitForm",
        "event_time": booked_at.as_second(),
        "event_id": conversion,
        "user": {
            "ttclid": "E.C.P.abc", "email": HASHED_EMAIL, "first_name": HASHED_NAME, "external_id": HASHED_VISITOR, "ip": "8.8.8.8",
            "user_agent": BROWSER,
        },
        "page": {
            "url": "https://academy.example/?ttclid=E.C.P.abc&gclid=Cj0abc", "referrer": "https://www.tiktok.com/",
        },
        "properties": { "value": 49.00, "currency": "EUR" },
    });
    assert_eq!(tiktok["data"], json!([event]));

    let due = waiting_at_google(&world, &conversion, "click_too_recent").await["nextAttemptAt"].clone();
    let due: Timestamp = due.as_str().unwrap().parse().unwrap();
    let minutes = due.duration_since(visited_at).as_mins();
    assert!((360..=370).contains(&minutes), "six hours and ten minutes at most: {minutes}");
    world.advance(due.duration_since(booked_at).unsigned_abs() - Duration::from_millis(1)).await;
    assert_eq!(world.platforms.of(GOOGLE).requests, 0);
    world.advance(Duration::from_millis(1)).await;
    let google = world.sent("google-ads", &conversion).await;
    let settled = world.delivery("google-ads", &conversion).await;
    assert_eq!((&settled["attempts"], &settled["settledAt"]), (&json!(1), &json!(due.to_string())));
    let time = booked_at.strftime("%Y-%m-%d %H:%M:%S+00:00").to_string();
    let row = json!({
        "gclid": "Cj0abc", "conversionAction": CONVERSIONS, "conversionDateTime": time, "conversionValue": 49.00,
        "currencyCode": "EUR", "orderId": conversion, "userIdentifiers": [{ "hashedEmail": HASHED_EMAIL }],
    });
    assert_eq!(google["conversions"], json!([row]));

    let shown = world.ask(SPEC_QUERY).await;
    let [appointment] = shown["appointments"].as_array().unwrap().as_slice() else { panic!("{shown}") };
    assert_eq!(
        [&appointment["id"], &appointment["email"], &appointment["ttclid"]],
        [id.to_string().as_str(), "ada@example.com", "E.C.P.abc"]
    );
    let [booked] = appointment["canonicalEvents"].as_array().unwrap().as_slice() else { panic!("{shown}") };
    assert_eq!([&booked["name"], &booked["eventTime"]], ["TRIAL_BOOKED", booked_at.to_string().as_str()]);
    let deliveries = booked["deliveries"].as_array().unwrap();
    assert_eq!(deliveries.len(), 2, "{shown}");
    for (delivery, platform, told, (place, answer)) in [
        (&deliveries[0], "TIKTOK", tiktok, ("/message", "OK")),
        (&deliveries[1], "GOOGLE_ADS", google, ("/results/0/gclid", "Cj0abc")),
    ] {
        assert_eq!([&delivery["platform"], &delivery["status"]], [platform, "DELIVERED"]);
        assert_eq!(delivery["responseCode"], 200);
        let body = |name: &str| -> Value { serde_json::from_str(delivery[name].as_str().unwrap()).unwrap() };
        assert_eq!(body("requestBody"), told);
        assert_eq!(body("responseBody").pointer(place), Some(&json!(answer)));
    }
    world.audit().await;
    world
}

#[tokio::test]
async fn a_visit_and_a_booking_end_at_both_platforms_and_in_the_specs_query() {
    let world = a_visit_ends_at_both_platforms(Setup::new()).await;
    assert_eq!(world.platforms.sandbox.qstash().report().published, 0);
}

#[tokio::test]
async fn the_same_with_qstash() {
    let world = a_visit_ends_at_both_platforms(Setup::queued()).await;
    // QStash may still read the answer to its last call.
    let report = until("QStash to be at rest", async || {
        let report = world.platforms.sandbox.qstash().report();
        if report.waiting == 0 { Ok(report) } else { Err(format!("{report:?}")) }
    })
    .await;
    // One for TikTok; one for Google that came too early, and one when it was time.
    assert_eq!((report.published, report.delivered, report.failed_attempts), (3, 3, 0), "{report:?}");
}

/// What was counted of one booking, however often it was told.
fn assert_counted(world: &World, conversion: &str, [tiktok, google, retracted]: [u64; 3]) {
    for (platform, told) in [(TIKTOK, tiktok), (GOOGLE, google)] {
        let report = world.platforms.of(platform);
        assert_eq!(
            (report.received, report.unique, report.counted_twice),
            (told, told.min(1), 0),
            "{report:?}"
        );
        assert_eq!(
            world.platforms.ids(platform),
            (0..report.unique).map(|_| conversion.to_owned()).collect()
        );
    }
    let report = world.platforms.of(GOOGLE);
    assert_eq!((report.adjusted, report.retracted), (retracted, retracted), "{report:?}");
}

/// The cancellation's row at Google.
async fn retraction(world: &World, conversion: &str, event_id: &str) -> Value {
    let mut sent = world.sent("google-ads", event_id).await;
    let rows = sent["conversionAdjustments"].as_array_mut().unwrap();
    assert_eq!(rows.len(), 1);
    let row = rows.remove(0);
    assert_eq!(
        [&row["adjustmentType"], &row["conversionAction"], &row["orderId"]],
        ["RETRACTION", CONVERSIONS, conversion]
    );
    row["adjustmentDateTime"].clone()
}

async fn is_skipped(world: &World, sink: &str, event_id: &str, [reason, message]: [&str; 2]) {
    let delivery = world.settled(sink, event_id).await;
    assert_eq!(
        [&delivery["status"], &delivery["reason"], &delivery["message"]],
        ["SKIPPED", reason, message],
        "{event_id} at {sink}"
    );
}

/// Ada cancels; Acuity tells it, its last webhook of so many, as it tells any other change.
async fn cancel(world: &World, id: u64, webhooks: u64) {
    world.acuity_is(AcuitySettings { only_changed: true, ..AcuitySettings::default() });
    world.acuity().cancel(id).unwrap();
    world.until_told(webhooks).await;
}

async fn a_booking_is_moved_and_canceled(setup: Setup) -> World {
    let world = world(setup).await;
    let (id, conversion) = book(&world).await;
    for sink in ["tiktok", "google-ads"] {
        world.sent(sink, &conversion).await;
    }
    world.advance(MINUTE).await;
    world.acuity().reschedule(id, &world.time_in(2 * DAY)).unwrap();
    world.until_told(2).await;
    let moved = format!("{conversion}-1");
    assert_eq!(world.sent("tiktok", &moved).await["data"][0]["event_id"], conversion);
    assert_eq!(world.sent("google-ads", &moved).await["conversions"][0]["orderId"], conversion);
    let message = world.delivery("google-ads", &moved).await["message"].to_string();
    assert!(message.contains("ORDER_ID_ALREADY_IN_USE"), "{message}");
    assert_counted(&world, &conversion, [2, 2, 0]);

    world.advance(MINUTE).await;
    cancel(&world, id, 3).await;
    let canceled = format!("{conversion}-2");
    is_skipped(&world, "tiktok", &canceled, UNMAPPED).await;
    let time = world.clock.now().strftime("%Y-%m-%d %H:%M:%S+00:00").to_string();
    assert_eq!(retraction(&world, &conversion, &canceled).await, time);
    assert_counted(&world, &conversion, [2, 2, 1]);
    let names = ["TRIAL_BOOKED", "TRIAL_RESCHEDULED", "TRIAL_CANCELED"];
    let ids = [&conversion, &moved, &canceled];
    let expected: Vec<[String; 3]> = names
        .iter()
        .zip(ids)
        .map(|(name, id)| [(*name).to_owned(), id.clone(), conversion.clone()])
        .collect();
    assert_eq!(world.told("google-ads").await, expected);
    world.audit().await;
    world
}

#[tokio::test]
async fn a_booking_is_counted_once_when_moved_and_taken_back_when_canceled() {
    a_booking_is_moved_and_canceled(Setup::new()).await;
}

#[tokio::test]
async fn a_booking_is_counted_once_and_taken_back_with_qstash() {
    let world = a_booking_is_moved_and_canceled(Setup::queued()).await;
    // Each of three events at each of two sinks: nothing had to wait.
    assert_eq!(world.platforms.sandbox.qstash().report().published, 6);
}

#[tokio::test]
async fn what_is_canceled_before_it_was_sent_never_comes_to_google() {
    for setup in [Setup::new(), Setup::queued()] {
        let world = world(setup).await;
        visit(&world).await;
        let (id, conversion) = book(&world).await;
        world.sent("tiktok", &conversion).await;
        waiting_at_google(&world, &conversion, "click_too_recent").await;
        world.advance(MINUTE).await;
        cancel(&world, id, 2).await;
        let canceled = format!("{conversion}-1");
        is_skipped(&world, "tiktok", &canceled, UNMAPPED).await;
        is_skipped(&world, "google-ads", &canceled, CANCELED).await;
        // Six hours, ten minutes at most, and what a look more takes.
        world.advance(7 * HOUR).await;
        is_skipped(&world, "google-ads", &conversion, CANCELED).await;
        assert_counted(&world, &conversion, [1, 0, 0]);
        assert_eq!(world.platforms.of(GOOGLE).requests, 0);
        world.audit().await;
    }
}

#[tokio::test]
async fn what_google_perhaps_has_is_made_certain_before_it_is_taken_back() {
    for setup in [Setup::new(), Setup::queued()] {
        let world = world(setup).await;
        // QStash tries again after 4.9 seconds of its own clock, and the service after 4 of its own at most.
        world
            .platforms
            .sandbox
            .qstash()
            .configure(QstashSettings { time_scale: 0.4, ..QstashSettings::default() });
        world.platforms.sandbox.configure(GOOGLE, Settings { p_lost_reply: 1.0, ..Settings::default() });
        let (id, conversion) = book(&world).await;
        waiting_at_google(&world, &conversion, "interrupted").await;
        world.platforms.sandbox.configure(GOOGLE, Settings::default());
        assert_counted(&world, &conversion, [1, 1, 0]);
        cancel(&world, id, 2).await;
        let canceled = format!("{conversion}-1");
        waiting_at_google(&world, &canceled, "waiting_for_earlier").await;

        world.advance(MINUTE).await;
        world.sent("google-ads", &conversion).await;
        let original = world.delivery("google-ads", &conversion).await;
        assert_eq!(original["attempts"], 2);
        assert!(original["message"].to_string().contains("ORDER_ID_ALREADY_IN_USE"), "{original}");
        // Looked at together with the original, the cancellation waited once more.
        world.advance(MINUTE).await;
        retraction(&world, &conversion, &canceled).await;
        assert_counted(&world, &conversion, [1, 2, 1]);
        assert_eq!(world.platforms.of(GOOGLE).deduplicated, 1);
        world.audit().await;
    }
}
