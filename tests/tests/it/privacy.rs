//! What must never be written down in the clear.

use std::collections::BTreeMap;

use platform_sandbox::Settings;
use serde_json::json;

use crate::harness::{Counts, Platforms, Program, TIKTOK, booked};

/// Logs at their most talkative, with things going wrong.
#[tokio::test]
async fn logs_hold_neither_personal_data_nor_credentials() {
    let platforms = Platforms::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut environment = platforms.environment();
    let store = folder.path().join("signalbox.db");
    let variables: BTreeMap<&str, String> = [
        ("SIGNALBOX_STORE", format!("sqlite://{}", store.display())),
        ("SIGNALBOX_LOG", "trace".to_owned()),
        ("SIGNALBOX_API_KEY", "api-key-1".to_owned()),
        ("TIKTOK_TEST_SECRET", "test-secret-1".to_owned()),
    ]
    .into();
    environment.extend(variables.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let mut program = Program::serve(&environment).await;
    let api = program.api.with_key("api-key-1");
    let event = |id: &str| {
        json!({
            "eventId": id, "eventName": "TRIAL_BOOKED", "eventTime": 1_768_046_400,
            "email": "ada@private.example", "phone": "+14155550199", "firstName": "Augusta", "lastName": "Lovelace",
            "address": { "street": "12 Square" }, "externalId": "visitor-77", "ttclid": "click-of-ada",
            "pageUrl": "https://virtu.academy/?mail=ada@private.example",
        })
    };
    api.report(&[event("good")]).await;
    api.until_counts("google-ads", Counts::delivered(1)).await;
    platforms
        .sandbox
        .configure(TIKTOK, Settings { tokens: vec!["another".to_owned()], ..Settings::default() });
    api.report(&[event("held")]).await;
    api.until_state("tiktok", "HELD").await;
    let mut broken = event("broken");
    broken["email"] = json!({ "ada@private.example": "Augusta" });
    assert_eq!(api.post("/api/events", broken.to_string()).await.status, 422);
    assert_eq!(
        api.with_key("test-secret-1").post("/api/test/tiktok", event("test").to_string()).await.status,
        200
    );
    assert_eq!(program.api.with_key("guess-77").get("/api/sinks").await.status, 401);

    let log = program.whole_log().await;
    assert!(log.contains("40105"), "it tells what is wrong: {log}");
    for private in [
        "ada@private.example",
        "4155550199",
        "Augusta",
        "Lovelace",
        "12 Square",
        "visitor-77",
        "api-key-1",
        "guess-77",
        "test-secret-1",
        "tiktok-token",
        "google-secret",
        "google-refresh",
        "ya29.",
    ] {
        assert!(!log.contains(private), "{private} is in the log:\n{log}");
    }
}

/// The store holds what the events held: whoever else has an account on the machine does not get to read it.
#[cfg(unix)]
#[tokio::test]
async fn the_store_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let platforms = Platforms::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut environment = platforms.environment();
    let store = folder.path().join("signalbox.db");
    environment.insert("SIGNALBOX_STORE".to_owned(), format!("sqlite://{}", store.display()));
    let program = Program::serve(&environment).await;
    program.api.report(&[booked("e")]).await;
    program.api.until_counts("tiktok", Counts::delivered(1)).await;
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
    assert!(files.len() >= 2, "the database and its log at least: {files:?}");
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{file:?}");
    }
}
