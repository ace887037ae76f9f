//! What became of each telling, as `/api/deliveries` and its neighbours show it.

use std::collections::BTreeSet;

use platform_sandbox::Platform;
use serde_json::{Value, json};

use crate::harness::{Counts, GOOGLE, SPEC_EVENT, Setup, TIKTOK, World, booked, event, many};

/// The specification's event with a click of each platform.
fn spec_event() -> Value {
    let mut event: Value = serde_json::from_str(SPEC_EVENT).unwrap();
    event["gclid"] = "EAIaIQobChMI-spec".into();
    event
}

#[tokio::test]
async fn one_event_in_and_both_platforms_told() {
    let world = World::start().await;
    let reply = world.post("/api/events", spec_event().to_string()).await;
    assert_eq!(reply.status, 202);
    let accepted = json!({
        "index": 0, "eventId": "test-123", "eventName": "TRIAL_BOOKED", "status": "accepted", "errors": [],
    });
    assert_eq!(reply.json, json!({ "results": [accepted] }));

    for (sink, platform, request_path, answer_path, answer) in [
        ("tiktok", "TIKTOK", "/data/0/event_id", "/code", json!(0)),
        (
            "google-ads",
            "GOOGLE_ADS",
            "/conversions/0/orderId",
            "/results/0/gclid",
            json!("EAIaIQobChMI-spec"),
        ),
    ] {
        let delivery = world.settled(sink, "test-123").await;
        for (member, expected) in [
            ("eventId", json!("test-123")),
            ("eventName", json!("TRIAL_BOOKED")),
            ("conversionId", json!("test-123")),
            ("sink", json!(sink)),
            ("platform", json!(platform)),
            ("status", json!("DELIVERED")),
            ("reason", Value::Null),
            ("message", Value::Null),
            ("attempts", json!(1)),
            ("nextAttemptAt", Value::Null),
            ("responseCode", json!(200)),
        ] {
            assert_eq!(delivery.get(member), Some(&expected), "{sink} {member}");
        }
        let json = |member: &str| serde_json::from_str::<Value>(delivery[member].as_str().unwrap()).unwrap();
        assert_eq!(json("requestBody").pointer(request_path), Some(&json!("test-123")));
        assert_eq!(json("responseBody").pointer(answer_path), Some(&answer));
    }
}

#[tokio::test]
async fn an_exchange_is_shown_without_credentials() {
    let world = Setup::new().with("GOOGLE_ADS_DEVELOPER_TOKEN", "developer-token-1").start().await;
    world.report(&[spec_event()]).await;
    for (sink, path, secret_headers) in [
        ("tiktok", "/open_api/v1.3/event/track/", vec!["access-token"]),
        (
            "google-ads",
            "/v26/customers/1234567890:uploadClickConversions",
            vec!["authorization", "developer-token"],
        ),
    ] {
        let delivery = world.settled(sink, "test-123").await;
        let detail = world.detail(&delivery, "?whole=true").await;
        let exchanges = detail["exchanges"].as_array().unwrap();
        assert_eq!(exchanges.len(), 1);
        let exchange = &exchanges[0];
        assert_eq!(exchange["url"], format!("{}{path}", world.platforms.base));
        assert_eq!((&exchange["number"], &exchange["result"]), (&json!(1), &json!("delivered")));
        let headers = exchange["headers"].as_array().unwrap();
        for secret in secret_headers {
            assert!(headers.contains(&json!([secret, "[redacted]"])), "{headers:?}");
        }
        let text = detail.to_string();
        for secret in ["tiktok-token", "google-secret", "google-refresh", "developer-token-1", "ya29."] {
            assert!(!text.contains(secret), "{sink} shows {secret}");
        }
    }
}

#[tokio::test]
async fn each_skip_says_why() {
    let anonymous = json!({
        "eventId": "anonymous", "eventName": "TRIAL_BOOKED", "eventTime": 1_768_046_400, "externalId": "visitor-1",
        "ip": "8.8.8.8", "userAgent": "Mozilla/5.0",
    });
    let no_tiktok = &[("TIKTOK_PIXEL_ID", ""), ("TIKTOK_ACCESS_TOKEN", "")][..];
    for (changed, event, sink, reason, message) in [
        (
            &[][..],
            event("TRIAL_CANCELED", "canceled"),
            "tiktok",
            "no_event_mapping",
            "No TikTok event mapping for: TRIAL_CANCELED",
        ),
        (
            &[],
            event("TRIAL_CANCELED", "canceled"),
            "google-ads",
            "no_event_mapping",
            "No Google Ads event mapping for: TRIAL_CANCELED",
        ),
        (
            &[],
            anonymous.clone(),
            "tiktok",
            "no_identifiers",
            "Missing ttclid/ttp and user identifiers (email/phone)",
        ),
        (
            &[],
            anonymous,
            "google-ads",
            "no_identifiers",
            "Missing gclid/gbraid/wbraid and user identifiers (email/phone)",
        ),
        (
            no_tiktok,
            booked("b"),
            "tiktok",
            "missing_credentials",
            "Missing env: TIKTOK_PIXEL_ID, TIKTOK_ACCESS_TOKEN",
        ),
        (
            &[("GOOGLE_ADS_CLIENT_SECRET", "")],
            booked("b"),
            "google-ads",
            "missing_credentials",
            "Missing env: GOOGLE_ADS_CLIENT_SECRET",
        ),
    ] {
        let setup = changed.iter().fold(Setup::new(), |setup, (name, value)| setup.with(name, value));
        let world = setup.start().await;
        let id = event["eventId"].as_str().unwrap().to_owned();
        world.report(&[event]).await;
        let delivery = world.settled(sink, &id).await;
        assert_eq!(delivery["status"], "SKIPPED");
        assert_eq!((&delivery["reason"], &delivery["message"]), (&json!(reason), &json!(message)));
        for absent in ["requestBody", "responseBody", "responseCode", "nextAttemptAt"] {
            assert_eq!(delivery[absent], Value::Null, "{absent} of what was not sent");
        }
        assert_eq!(delivery["attempts"], 0);
    }
}

#[tokio::test]
async fn mock_mode_keeps_the_request_and_sends_nothing() {
    let world = Setup::new().with("OUTBOUND_MODE", "mock").start().await;
    world.report(&[spec_event()]).await;
    for (sink, message, id_path) in [
        ("tiktok", "TIKTOK mock mode", "/data/0/event_id"),
        ("google-ads", "GOOGLE_ADS mock mode", "/conversions/0/orderId"),
    ] {
        let delivery = world.settled(sink, "test-123").await;
        let seen = (&delivery["status"], &delivery["reason"], &delivery["message"]);
        assert_eq!(seen, (&json!("SKIPPED"), &json!("mock_mode"), &json!(message)));
        let request: Value = serde_json::from_str(delivery["requestBody"].as_str().unwrap()).unwrap();
        assert_eq!(request.pointer(id_path), Some(&json!("test-123")));
        assert_eq!((&delivery["responseBody"], &delivery["responseCode"]), (&Value::Null, &Value::Null));
    }
    let report = world.platforms.sandbox.report();
    assert_eq!(
        (report.sinks.tiktok.requests, report.sinks.google_ads.requests, report.token_requests),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn overridden_and_added_mappings() {
    let world = Setup::new()
        .with(
            "TIKTOK_EVENT_ACTIONS",
            "TRIAL_BOOKED=CompleteRegistration,APPOINTMENT_UPDATED=Contact,LESSON_PAID=Purchase",
        )
        .start()
        .await;
    let names = ["TRIAL_BOOKED", "TRIAL_RESCHEDULED", "APPOINTMENT_UPDATED", "LESSON_PAID", "TRIAL_CANCELED"];
    let events: Vec<Value> = names.iter().map(|name| event(name, name)).collect();
    world.report(&events).await;
    world.until_counts("tiktok", Counts { delivered: 4, skipped: 1, ..Counts::default() }).await;
    let by_event = world.platforms.of(TIKTOK).by_event;
    let expected = [("CompleteRegistration", 1), ("Contact", 1), ("Purchase", 1), ("SubmitForm", 1)];
    assert_eq!(by_event.iter().map(|(name, count)| (name.as_str(), *count)).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn an_event_with_its_deliveries_the_sinks_and_the_account() {
    let world = World::start().await;
    world.report(&[spec_event(), event("TRIAL_CANCELED", "c")]).await;
    world.until_counts("tiktok", Counts { delivered: 1, skipped: 1, ..Counts::default() }).await;
    world.until_counts("google-ads", Counts { delivered: 1, skipped: 1, ..Counts::default() }).await;

    let shown = world.read("/api/events/TRIAL_BOOKED/test-123").await;
    assert_eq!(shown["event"]["email"], "test@example.com");
    assert_eq!(
        shown["event"]["clickIds"],
        json!({ "gclid": "EAIaIQobChMI-spec", "ttclid": "E.C.P.abc123xyz" })
    );
    let routed: BTreeSet<&str> =
        shown["routed"].as_array().unwrap().iter().map(|sink| sink.as_str().unwrap()).collect();
    assert_eq!(routed, ["google-ads", "tiktok"].into());
    assert_eq!(shown["deliveries"].as_array().unwrap().len(), 2);
    assert_eq!(world.get("/api/events/TRIAL_BOOKED/another").await.status, 404);

    for (sink, platform) in [("tiktok", "TIKTOK"), ("google-ads", "GOOGLE_ADS")] {
        let state = world.sink(sink).await;
        for (member, expected) in [
            ("kind", json!(sink)),
            ("platform", json!(platform)),
            ("state", json!("ACTIVE")),
            ("holdReason", Value::Null),
            ("heldUntil", Value::Null),
            ("lastDeliveredAt", json!(world.clock.now().to_string())),
        ] {
            assert_eq!(state.get(member), Some(&expected), "{sink} {member}");
        }
    }

    let account =
        json!({ "routed": 2, "delivered": 1, "skipped": 1, "failed": 0, "pending": 0, "purged": 0 });
    let audit = world.audit().await;
    assert_eq!((&audit["accepted"], &audit["balanced"]), (&json!(2), &json!(true)));
    assert_eq!(audit["sinks"], json!({ "tiktok": account, "google-ads": account }));
}

#[tokio::test]
async fn filters_narrow_and_pages_add_up() {
    let world = World::start().await;
    let early = world.clock.now().to_string();
    world.report(&many("early", 30)).await;
    world.advance(std::time::Duration::from_secs(60)).await;
    let late = world.clock.now().to_string();
    world.report(&[event("TRIAL_CANCELED", "late")]).await;
    world.until_counts("tiktok", Counts { delivered: 30, skipped: 1, ..Counts::default() }).await;
    world.until_counts("google-ads", Counts { delivered: 30, skipped: 1, ..Counts::default() }).await;

    for (query, count) in [
        (String::new(), 62),
        ("status=DELIVERED".to_owned(), 60),
        ("status=skipped".to_owned(), 2),
        ("status=FAILED".to_owned(), 0),
        ("sink=tiktok".to_owned(), 31),
        ("sink=nobody".to_owned(), 0),
        ("reason=no_event_mapping&sink=google-ads".to_owned(), 1),
        ("eventId=early-7".to_owned(), 2),
        (format!("since={early}"), 62),
        (format!("since={late}"), 2),
    ] {
        assert_eq!(world.deliveries(&query).await.len(), count, "{query}");
    }

    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = world.read(&format!("/api/deliveries?limit=20{cursor}")).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 20);
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        pages += 1;
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!((pages, seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (4, 62, 62));

    for (query, named) in [
        ("status=DONE", "status"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("since=yesterday", "since"),
        ("cursor=x", "cursor"),
        ("stauts=FAILED", "stauts"),
    ] {
        let reply = world.get(&format!("/api/deliveries?{query}")).await;
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.json["error"].as_str().unwrap().contains(named), "{query}: {}", reply.text);
    }
    for path in ["/api/deliveries/1-99", "/api/deliveries/999-1", "/api/deliveries/x"] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_rescheduled_booking_keeps_its_conversion_id() {
    let world = World::start().await;
    let first = booked("first");
    world.report(&[first]).await;
    world.settled("google-ads", "first").await;
    let mut moved = event("TRIAL_RESCHEDULED", "moved");
    moved["conversionId"] = "first".into();
    world.report(&[moved]).await;
    for sink in ["tiktok", "google-ads"] {
        let delivery = world.settled(sink, "moved").await;
        assert_eq!((&delivery["status"], &delivery["conversionId"]), (&json!("DELIVERED"), &json!("first")));
    }
    // Both platforms know the key: TikTok merges it, Google has the order id already.
    for platform in [TIKTOK, GOOGLE] {
        let report = world.platforms.of(platform);
        let account = (report.unique, report.received, report.deduplicated, report.counted_twice);
        assert_eq!(account, (1, 2, 1, 0), "{}", Platform::name(platform));
    }
}
