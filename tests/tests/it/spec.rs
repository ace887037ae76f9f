//! The test endpoints, as the specification's "Manual API Testing" has them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Reply, SPEC_EVENT, Setup, TIKTOK, World, booked, until};
use platform_sandbox::Settings;

// printf %s test@example.com | sha256sum; printf %s 14155551234 | sha256sum; printf %s +14155551234 | sha256sum
const EMAIL: &str = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b";
const DIGITS: &str = "c6a349dfaaf5c3a368d3135014cc1bc7aebf18f654f313f9c1d0b018a897b209";
const PLUS: &str = "50389806e2857c36e22b0a1ed1e7df8606ebc0e931f6c083e73486f7a87d9a9f";

const SECRET: &str = "YOUR_TEST_SECRET";

fn setup() -> Setup {
    Setup::new().with("TIKTOK_TEST_SECRET", SECRET).with("GOOGLE_ADS_TEST_SECRET", SECRET)
}

async fn send(world: &World, sink: &str, event: &str) -> Reply {
    world.with_key(SECRET).post(&format!("/api/test/{sink}"), event).await
}

/// The JSON text in a member of an answer.
fn inner(reply: &Reply, member: &str) -> Value {
    serde_json::from_str(reply.json[member].as_str().unwrap()).unwrap()
}

fn with_gclid() -> Value {
    let mut event: Value = serde_json::from_str(SPEC_EVENT).unwrap();
    event["gclid"] = "EAIaIQobChMI-spec".into();
    event
}

#[tokio::test]
async fn the_specifications_curl_command() {
    for (format, phone) in [("", json!([DIGITS, PLUS])), ("digits", json!(DIGITS)), ("e164", json!(PLUS))] {
        let world = setup().with("TIKTOK_PHONE_FORMAT", format).start().await;
        let reply = send(&world, "tiktok", SPEC_EVENT).await;
        assert_eq!(reply.status, 200);
        let members: Vec<&String> = reply.json.as_object().unwrap().keys().collect();
        assert_eq!(members, ["body", "ok", "requestBody", "status"]);
        assert_eq!((&reply.json["ok"], &reply.json["status"]), (&json!(true), &json!(200)));
        let answer = inner(&reply, "body");
        assert_eq!((&answer["code"], &answer["message"]), (&json!(0), &json!("OK")));
        let expected = json!({
            "event_source": "web",
            "event_source_id": "CXXX",
            "partner_name": "VirtuAnalytics",
            "data": [{
                "event": "SubmitForm",
                "event_time": 1_768_046_400,
                "event_id": "test-123",
                "user": { "ttclid": "E.C.P.abc123xyz", "email": EMAIL, "phone": phone },
                "page": { "url": "https://virtu.academy/schedule" },
            }],
        });
        assert_eq!(inner(&reply, "requestBody"), expected, "{format}");
        assert_eq!(world.platforms.of(TIKTOK).received, 1);
    }
}

#[tokio::test]
async fn the_same_event_at_google_ads() {
    let world = setup().start().await;
    let reply = send(&world, "google-ads", &with_gclid().to_string()).await;
    assert_eq!((reply.status, &reply.json["ok"], &reply.json["status"]), (200, &json!(true), &json!(200)));
    let request = inner(&reply, "requestBody");
    let row = json!({
        "gclid": "EAIaIQobChMI-spec",
        "conversionAction": "customers/1234567890/conversionActions/111",
        "conversionDateTime": "2026-01-10 12:00:00+00:00",
        "orderId": "test-123",
        "userIdentifiers": [{ "hashedEmail": EMAIL }, { "hashedPhoneNumber": PLUS }],
    });
    assert_eq!(request["conversions"], json!([row]));
    assert_eq!(request["partialFailure"], true);
    let answer = inner(&reply, "body");
    assert_eq!(answer["results"][0]["gclid"], "EAIaIQobChMI-spec");
    assert_eq!(answer.get("partialFailureError"), None);
}

#[tokio::test]
async fn the_test_event_code_goes_with_the_request() {
    let world = setup().with("TIKTOK_TEST_EVENT_CODE", "TEST12345").start().await;
    let request = inner(&send(&world, "tiktok", SPEC_EVENT).await, "requestBody");
    assert_eq!(request["test_event_code"], "TEST12345");
    assert_eq!(request["data"][0].get("test_event_code"), None);
}

#[tokio::test]
async fn only_who_knows_the_secret_may_test() {
    let world = Setup::new().with("TIKTOK_TEST_SECRET", SECRET).start().await;
    for (sink, authorization, status) in [
        ("tiktok", None, 401),
        ("tiktok", Some("Bearer "), 401),
        ("tiktok", Some("Bearer YOUR_TEST_SECRE"), 401),
        ("tiktok", Some("Bearer YOUR_TEST_SECRETS"), 401),
        ("tiktok", Some("Basic YOUR_TEST_SECRET"), 401),
        ("tiktok", Some("YOUR_TEST_SECRET"), 401),
        ("tiktok", Some("Bearer YOUR_TEST_SECRET"), 200),
        // No secret is set for it: the endpoint is not there, whatever is shown.
        ("google-ads", Some("Bearer YOUR_TEST_SECRET"), 404),
        ("google-ads", None, 404),
        ("nobody", Some("Bearer YOUR_TEST_SECRET"), 404),
    ] {
        let request = world.request(Method::POST, &format!("/api/test/{sink}")).body(SPEC_EVENT);
        let request = match authorization {
            Some(value) => request.header("authorization", value),
            None => request,
        };
        let reply = Reply::of(request).await.unwrap();
        assert_eq!(reply.status, status, "{sink} {authorization:?}: {}", reply.text);
        assert!(!reply.text.contains(SECRET), "{}", reply.text);
    }
    assert_eq!(world.platforms.of(TIKTOK).requests, 1, "only the one with the secret was sent");
}

#[tokio::test]
async fn an_api_key_does_not_open_the_test_endpoints_and_is_not_needed_there() {
    let world = setup().with("SIGNALBOX_API_KEY", "the-key").start().await;
    assert_eq!(world.with_key("the-key").post("/api/test/tiktok", SPEC_EVENT).await.status, 401);
    assert_eq!(send(&world, "tiktok", SPEC_EVENT).await.status, 200);
}

#[tokio::test]
async fn what_is_not_sent_says_why_in_the_specifications_words() {
    let unmapped = SPEC_EVENT.replace("TRIAL_BOOKED", "TRIAL_CANCELED");
    let nobody =
        r#"{"eventId":"n","eventName":"TRIAL_BOOKED","eventTime":1768046400,"externalId":"visitor"}"#;
    let no_tiktok = &["TIKTOK_PIXEL_ID", "TIKTOK_ACCESS_TOKEN"][..];
    let no_google = &[
        "GOOGLE_ADS_CLIENT_ID",
        "GOOGLE_ADS_CLIENT_SECRET",
        "GOOGLE_ADS_REFRESH_TOKEN",
        "GOOGLE_ADS_CUSTOMER_ID",
    ][..];
    for (sink, unset, mode, event, reason) in [
        ("tiktok", no_tiktok, "", SPEC_EVENT, "Missing env: TIKTOK_PIXEL_ID, TIKTOK_ACCESS_TOKEN"),
        ("tiktok", &no_tiktok[..1], "", SPEC_EVENT, "Missing env: TIKTOK_PIXEL_ID"),
        ("tiktok", &no_tiktok[1..], "", SPEC_EVENT, "Missing env: TIKTOK_ACCESS_TOKEN"),
        ("tiktok", &[], "", &unmapped, "No TikTok event mapping for: TRIAL_CANCELED"),
        ("tiktok", &[], "", nobody, "Missing ttclid/ttp and user identifiers (email/phone)"),
        ("tiktok", &[], "mock", SPEC_EVENT, "TIKTOK mock mode"),
        // The specification's order: mock mode, credentials, mapping, identifiers.
        ("tiktok", no_tiktok, "mock", &unmapped, "TIKTOK mock mode"),
        ("tiktok", no_tiktok, "", &unmapped, "Missing env: TIKTOK_PIXEL_ID, TIKTOK_ACCESS_TOKEN"),
        (
            "google-ads",
            no_google,
            "",
            SPEC_EVENT,
            "Missing env: GOOGLE_ADS_CLIENT_ID, GOOGLE_ADS_CLIENT_SECRET, GOOGLE_ADS_REFRESH_TOKEN, \
             GOOGLE_ADS_CUSTOMER_ID",
        ),
        ("google-ads", &[], "", &unmapped, "No Google Ads event mapping for: TRIAL_CANCELED"),
        ("google-ads", &[], "", nobody, "Missing gclid/gbraid/wbraid and user identifiers (email/phone)"),
        ("google-ads", &[], "mock", SPEC_EVENT, "GOOGLE_ADS mock mode"),
    ] {
        let setup = unset.iter().fold(setup(), |setup, name| setup.with(name, ""));
        let world = setup.with("OUTBOUND_MODE", mode).start().await;
        let reply = send(&world, sink, event).await;
        assert_eq!((reply.status, &reply.json), (200, &json!({ "skipped": true, "reason": reason })));
        assert_eq!(world.platforms.of(TIKTOK).requests, 0);
        let id = if event == nobody { "n" } else { "test-123" };
        let recorded = world.settled(sink, id).await;
        let seen = (&recorded["origin"], &recorded["status"], &recorded["message"]);
        assert_eq!(seen, (&json!("test"), &json!("SKIPPED"), &json!(reason)));
    }
}

#[tokio::test]
async fn a_refusal_is_told_as_the_platform_said_it() {
    let world = setup().start().await;
    let tokens = vec!["another".to_owned()];
    world.platforms.sandbox.configure(TIKTOK, Settings { tokens, ..Settings::default() });
    let reply = send(&world, "tiktok", SPEC_EVENT).await;
    // TikTok says so with HTTP 200; its own code for an invalid token is 40105.
    assert_eq!((reply.status, &reply.json["ok"], &reply.json["status"]), (200, &json!(false), &json!(200)));
    assert_eq!(inner(&reply, "body")["code"], 40105);
    // A test is an answer, not a delivery: it neither holds the sink nor is it tried again.
    assert_eq!(world.sink("tiktok").await["state"], "ACTIVE");
    let delivery = world.settled("tiktok", "test-123").await;
    assert_eq!((&delivery["status"], &delivery["nextAttemptAt"]), (&json!("FAILED"), &Value::Null));
}

#[tokio::test]
async fn an_invalid_event_is_named_and_not_sent() {
    let world = setup().start().await;
    let reply = send(&world, "tiktok", &SPEC_EVENT.replace("\"email\"", "\"emial\"")).await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.json["errors"][0]["field"], "emial");
    assert_eq!(reply.json["errors"][0]["message"], "is not a field; did you mean `email`?");
    assert_eq!(world.platforms.of(TIKTOK).requests, 0);
}

#[tokio::test]
async fn tests_are_listed_but_not_counted() {
    let world = setup().start().await;
    for _ in 0..2 {
        // A test may be repeated with the same id; an event may not.
        assert_eq!(send(&world, "tiktok", SPEC_EVENT).await.json["ok"], true);
    }
    let listed = until("both to be recorded", async || {
        let listed = world.deliveries("status=DELIVERED").await;
        if listed.len() == 2 { Ok(listed) } else { Err(format!("{listed:?}")) }
    })
    .await;
    for delivery in &listed {
        assert_eq!((&delivery["origin"], &delivery["responseCode"]), (&json!("test"), &json!(200)));
    }
    let audit = world.audit().await;
    assert_eq!(audit["accepted"], 0);
    assert_eq!(audit["sinks"]["tiktok"]["routed"], 0);
    assert_eq!(world.sink("tiktok").await["delivered"], 0);
    world.report(&[serde_json::from_str(SPEC_EVENT).unwrap()]).await;
    let live = world.settled("google-ads", "test-123").await;
    assert_eq!(live.get("origin"), None, "a test is no earlier event of the same id");
}

#[tokio::test]
async fn a_test_passes_a_held_sink_at_once() {
    let world = setup().start().await;
    let refusing = Settings { tokens: vec!["another".to_owned()], ..Settings::default() };
    world.platforms.sandbox.configure(TIKTOK, refusing);
    world.report(&[booked("held")]).await;
    world.until_state("tiktok", "HELD").await;
    world.platforms.sandbox.configure(TIKTOK, Settings::default());
    assert_eq!(send(&world, "tiktok", SPEC_EVENT).await.json["ok"], true);
    assert_eq!(world.sink("tiktok").await["state"], "HELD", "a test decides nothing about the queue");
    assert_eq!(world.delivery("tiktok", "held").await["status"], "PENDING");
}
