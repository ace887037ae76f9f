//! Several sinks, sinks that come and go, and how hard each may knock.

use platform_sandbox::Settings;
use serde_json::{Value, json};

use crate::harness::{Counts, GOOGLE, Setup, TIKTOK, ids, many};

#[tokio::test]
async fn two_sinks_of_one_platform_have_their_own_settings_and_account() {
    let file = "
        [[sinks]]
        kind = 'tiktok'
        [[sinks]]
        kind = 'tiktok'
        name = 'tiktok-eu'
        pixel_id = 'EUXX'
        access_token = '${EU_TOKEN}'
        base_url = '${TIKTOK_EU_URL:-}'
        [sinks.events]
        TRIAL_BOOKED = 'CompleteRegistration'
    ";
    // The file's own reference: the specification's variables speak to the sink named tiktok alone.
    let world = Setup::new().file(file).with("EU_TOKEN", "eu-token").with("SIGNALBOX_PHONE_COUNTRY", "49");
    let world =
        world.start_with(|platforms| vec![("TIKTOK_EU_URL".to_owned(), platforms.base.clone())]).await;
    world.report(&many("e", 3)).await;
    for (sink, pixel, name) in
        [("tiktok", "CXXX", "SubmitForm"), ("tiktok-eu", "EUXX", "CompleteRegistration")]
    {
        world.until_counts(sink, Counts::delivered(3)).await;
        let delivery = world.delivery(sink, "e-0").await;
        assert_eq!((&delivery["platform"], &delivery["status"]), (&json!("TIKTOK"), &json!("DELIVERED")));
        let request: Value = serde_json::from_str(delivery["requestBody"].as_str().unwrap()).unwrap();
        assert_eq!(
            (&request["event_source_id"], &request["data"][0]["event"]),
            (&json!(pixel), &json!(name))
        );
    }
    let report = world.platforms.of(TIKTOK);
    assert_eq!((report.received, report.unique, report.counted_twice), (6, 6, 0));
    assert_eq!(world.audit().await["sinks"].as_object().unwrap().len(), 2);
}

/// What belongs to a sink that is no longer configured is neither lost nor forgotten.
#[tokio::test]
async fn a_sink_that_is_taken_out_keeps_its_account_and_takes_up_its_work_when_it_is_back() {
    let world = Setup::new().start().await;
    world.platforms.sandbox.configure(GOOGLE, Settings { down: true, ..Settings::default() });
    world.report(&many("e", 5)).await;
    world.until_counts("tiktok", Counts::delivered(5)).await;

    let world = world.restart(&[("SIGNALBOX_SINKS", "tiktok")]).await;
    world.report(&many("later", 2)).await;
    world.until_counts("tiktok", Counts::delivered(7)).await;
    let out = world.sink("google-ads").await;
    let seen = (&out["state"], &out["holdReason"], &out["pending"]);
    assert_eq!(seen, (&json!("HELD"), &json!("not_configured"), &json!(5)));
    let audit = world.audit().await;
    assert_eq!((&audit["accepted"], &audit["sinks"]["google-ads"]["routed"]), (&json!(7), &json!(5)));

    world.platforms.sandbox.configure(GOOGLE, Settings::default());
    let world = world.restart(&[("SIGNALBOX_SINKS", "")]).await;
    world.advance(std::time::Duration::from_secs(4)).await;
    world.until_counts("google-ads", Counts::delivered(5)).await;
    assert_eq!(world.platforms.ids(GOOGLE), ids(&many("e", 5)), "what came meanwhile was never routed to it");
}

#[tokio::test]
async fn no_more_requests_at_once_than_allowed() {
    for most in [1, 3] {
        let file = format!("[[sinks]]\nkind = 'tiktok'\nmax_batch = 1\nmax_in_flight = {most}");
        let world = Setup::new().file(&file).start().await;
        world.platforms.sandbox.configure(TIKTOK, Settings { latency_ms: 20, ..Settings::default() });
        world.report(&many("e", 20)).await;
        world.until_counts("tiktok", Counts::delivered(20)).await;
        let report = world.platforms.of(TIKTOK);
        assert_eq!((report.requests, report.max_batch, report.max_in_flight), (20, 1, most));
    }
}

#[tokio::test]
async fn no_more_requests_in_a_second_than_allowed() {
    let file = "[[sinks]]\nkind = 'tiktok'\nmax_batch = 1\nrequests_per_second = 20";
    let world = Setup::new().file(file).start().await;
    // A request a twentieth of a second: twenty-one at most begin within one second.
    world.platforms.sandbox.configure(TIKTOK, Settings { max_rps: 21, ..Settings::default() });
    world.report(&many("e", 45)).await;
    world.until_counts("tiktok", Counts::delivered(45)).await;
    let report = world.platforms.of(TIKTOK);
    assert_eq!(report.requests, 45, "none was refused for coming too fast: {report:?}");
}
