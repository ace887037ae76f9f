//! What a person refused, and what has not happened yet.

use std::time::Duration;

use platform_sandbox::Settings;
use serde_json::{Value, json};

use crate::harness::{Counts, GOOGLE, Setup, TIKTOK, World, booked};

const HOUR: Duration = Duration::from_secs(3600);

/// Everything that names a person, and a click.
fn personal(id: &str, consent: &Value) -> Value {
    json!({
        "eventId": id,
        "eventName": "TRIAL_BOOKED",
        "eventTime": "2026-01-10T12:00:00Z",
        "email": "ada@example.com",
        "phone": "+14155551234",
        "externalId": "user_123",
        "firstName": "Ada",
        "lastName": "Lovelace",
        "address": { "street": "12 St James's Square", "city": "London", "postalCode": "95110", "country": "US" },
        "ip": "8.8.8.8",
        "userAgent": "Mozilla/5.0 (iPhone)",
        "ttclid": "E.C.P.click",
        "gclid": "EAIaIQobChMI-click",
        "pageUrl": "https://virtu.academy/schedule?email=ada@example.com&utm=tiktok",
        "pageReferrer": "https://virtu.academy/?name=Ada",
        "consent": consent,
    })
}

// printf %s ada@example.com | sha256sum
const EMAIL: &str = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72";

/// What must not leave: the values, and their digests as the platforms want them (sha256sum of ada@example.com,
/// 14155551234, +14155551234, user_123, ada, lovelace and 95110).
const PERSONAL: [&str; 16] = [
    "ada@example.com",
    "4155551234",
    "user_123",
    "Ada",
    "Lovelace",
    "Square",
    "london",
    "95110",
    "8.8.8.8",
    EMAIL,
    "c6a349dfaaf5c3a368d3135014cc1bc7aebf18f654f313f9c1d0b018a897b209",
    "50389806e2857c36e22b0a1ed1e7df8606ebc0e931f6c083e73486f7a87d9a9f",
    "80fba0ae1c48e3978e43e4efc365e14e12ea0c830ba8ba5b9a2dafc7e3f2ab8b",
    "fdee430d40bd57deeac186cd9790033d0f06f909a8806e7ce6e717ab7c7d5029",
    "fb1e7ec987523d2cb9e022cec1d6ae7c99dc46edfae4fe51254025fe4bea571f",
    "383f7fffd99f3b1c3066086bcf991eae7ad543589d12bd792ecb6dc8b5acebc1",
];

async fn requests(world: &World, sink: &str, id: &str) -> (Value, String) {
    let delivery = world.settled(sink, id).await;
    let body = delivery["requestBody"].as_str().unwrap_or_default().to_owned();
    (delivery, body)
}

#[tokio::test]
async fn a_refusal_keeps_the_event_from_every_platform() {
    for when_unknown in ["send", "strip", "skip"] {
        let world = Setup::new().file(&format!("[consent]\nwhen_unknown = '{when_unknown}'")).start().await;
        world.report(&[personal("denied", &json!({ "adUserData": "DENIED" }))]).await;
        for sink in ["tiktok", "google-ads"] {
            let (delivery, body) = requests(&world, sink, "denied").await;
            let seen = (&delivery["status"], &delivery["reason"], &delivery["consent"], body.as_str());
            assert_eq!(seen, (&json!("SKIPPED"), &json!("consent_denied"), &json!("nothing"), ""));
        }
        assert_eq!((world.platforms.of(TIKTOK).requests, world.platforms.of(GOOGLE).requests), (0, 0));
    }
}

/// With the operator's word Google is told of the click and of the refusal, and of nothing else.
#[tokio::test]
async fn a_refusal_can_be_reported_with_its_click() {
    let file = "[[sinks]]\nkind = 'google-ads'\nsend_denied = true\nsend_ip = true";
    let world = Setup::new().file(file).start().await;
    world.report(&[personal("denied", &json!({ "adUserData": "DENIED" }))]).await;
    let (delivery, body) = requests(&world, "google-ads", "denied").await;
    assert_eq!((&delivery["status"], &delivery["consent"]), (&json!("DELIVERED"), &json!("stripped")));
    let row = serde_json::from_str::<Value>(&body).unwrap()["conversions"][0].clone();
    assert_eq!(
        (&row["gclid"], &row["consent"]),
        (&json!("EAIaIQobChMI-click"), &json!({ "adUserData": "DENIED" }))
    );
    for value in PERSONAL {
        assert!(!body.contains(value), "{value} left: {body}");
    }
}

#[tokio::test]
async fn where_nothing_is_known_the_operator_decides() {
    for (when_unknown, status, consent, has_email) in [
        ("send", "DELIVERED", "full", true),
        ("strip", "DELIVERED", "stripped", false),
        ("skip", "SKIPPED", "nothing", false),
    ] {
        let world = Setup::new().file(&format!("[consent]\nwhen_unknown = '{when_unknown}'")).start().await;
        world
            .report(&[
                personal("unknown", &json!({})),
                personal("granted", &json!({ "adUserData": "GRANTED" })),
            ])
            .await;
        for sink in ["tiktok", "google-ads"] {
            let (delivery, body) = requests(&world, sink, "unknown").await;
            assert_eq!(
                (&delivery["status"], &delivery["consent"]),
                (&json!(status), &json!(consent)),
                "{when_unknown}"
            );
            assert_eq!(body.contains(EMAIL), has_email, "{when_unknown} {sink}: {body}");
            if !has_email {
                for value in PERSONAL {
                    assert!(!body.contains(value), "{when_unknown}: {value} left: {body}");
                }
            }
            let (delivery, body) = requests(&world, sink, "granted").await;
            assert_eq!((&delivery["status"], &delivery["consent"]), (&json!("DELIVERED"), &json!("full")));
            assert!(body.contains(EMAIL), "{body}");
        }
    }
}

/// Also with consent no raw value leaves where a digest is wanted, nor in the address of the page.
#[tokio::test]
async fn what_is_hashed_never_leaves_raw() {
    let world = World::start().await;
    world.report(&[personal("granted", &json!({ "adUserData": "GRANTED" }))]).await;
    for sink in ["tiktok", "google-ads"] {
        let (_, body) = requests(&world, sink, "granted").await;
        for raw in
            ["ada@example.com", "4155551234", "user_123", "\"ada\"", "Ada\"", "Lovelace", "Square", "95110"]
        {
            assert!(!body.contains(raw), "{sink}: {raw} left: {body}");
        }
    }
    let (_, body) = requests(&world, "tiktok", "granted").await;
    let page = serde_json::from_str::<Value>(&body).unwrap()["data"][0]["page"].clone();
    let expected =
        json!({ "url": "https://virtu.academy/schedule?utm=tiktok", "referrer": "https://virtu.academy/" });
    assert_eq!(page, expected);
}

#[tokio::test]
async fn an_event_of_the_future_waits_for_its_time() {
    let world = World::start().await;
    let mut ahead = booked("ahead");
    ahead["eventTime"] = world.time_in(HOUR).into();
    let time = ahead["eventTime"].clone();
    world.report(&[ahead, booked("now")]).await;
    for sink in ["tiktok", "google-ads"] {
        assert_eq!(world.settled(sink, "now").await["status"], "DELIVERED");
        let waiting = world.delivery(sink, "ahead").await;
        assert_eq!((&waiting["status"], &waiting["attempts"]), (&json!("PENDING"), &json!(0)));
        assert_eq!(waiting["nextAttemptAt"], time);
    }
    let before = world.platforms.of(TIKTOK).requests;
    world.advance(HOUR - Duration::from_secs(1)).await;
    world.report(&[booked("later")]).await;
    world.until_counts("tiktok", Counts { delivered: 2, pending: 1, ..Counts::default() }).await;
    assert_eq!(world.platforms.of(TIKTOK).requests, before + 1);
    // The clock of the platforms goes along: it is their present as well.
    let clock_offset_s = 3600;
    world.platforms.all(&Settings { clock_offset_s, ..Settings::default() });
    world.advance(Duration::from_secs(2)).await;
    world.until_counts("tiktok", Counts::delivered(3)).await;
    world.until_counts("google-ads", Counts::delivered(3)).await;
}

#[tokio::test]
async fn a_day_ahead_is_as_far_as_it_goes() {
    let world = World::start().await;
    for (hours, status) in [(24, 202), (25, 422)] {
        let mut ahead = booked(&format!("in-{hours}"));
        ahead["eventTime"] = world.time_in(hours * HOUR).into();
        let reply = world.post("/api/events", ahead.to_string()).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        if status == 422 {
            let errors = json!([{ "field": "eventTime", "message": "lies more than 24 hours ahead" }]);
            assert_eq!(reply.json["results"][0]["errors"], errors);
        }
    }
}
