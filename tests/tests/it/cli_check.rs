//! `signalbox check`

use std::collections::BTreeMap;

use platform_sandbox::Settings;

use crate::harness::{GOOGLE, Platforms, TIKTOK, signalbox};

fn check(arguments: &[&str], environment: &BTreeMap<String, String>) -> (Option<i32>, String) {
    let arguments = [&["check"], arguments].concat();
    let output = signalbox(&arguments, environment).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// The program talks to the sandbox in this process, which must go on answering meanwhile.
async fn check_meanwhile(environment: BTreeMap<String, String>) -> (Option<i32>, String) {
    tokio::task::spawn_blocking(move || check(&[], &environment)).await.unwrap()
}

#[tokio::test]
async fn offline_only_the_settings_are_looked_at() {
    let platforms = Platforms::start().await;
    let complete = platforms.environment();
    for (changed, code, said) in [
        (None, 0, "all good"),
        (Some(("TIKTOK_PIXEL_ID", "")), 1, "PROBLEM: Missing env: TIKTOK_PIXEL_ID"),
        (Some(("GOOGLE_ADS_CLIENT_SECRET", "")), 1, "PROBLEM: Missing env: GOOGLE_ADS_CLIENT_SECRET"),
        (Some(("GOOGLE_ADS_API_VERSION", "26")), 2, "sink google-ads: `api_version`"),
        (Some(("SIGNALBOX_SINKS", "tiktok,gogle-ads")), 2, "did you mean `google-ads`?"),
        (Some(("OUTBOUND_MODE", "mock")), 0, "nothing is sent"),
    ] {
        let mut environment = complete.clone();
        environment.extend(changed.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let (status, text) = check(&["--offline"], &environment);
        assert_eq!(status, Some(code), "{changed:?}: {text}");
        assert!(text.contains(said), "{changed:?}: {text}");
    }
    let (_, text) = check(&["--offline"], &complete);
    for mapping in [
        "TRIAL_BOOKED → SubmitForm",
        "TRIAL_CANCELED → not mapped: skipped",
        "TRIAL_BOOKED → 111",
        "APPOINTMENT_UPDATED → not mapped: skipped",
    ] {
        assert!(text.contains(mapping), "{text}");
    }
    let report = platforms.sandbox.report();
    assert_eq!((report.sinks.tiktok.requests, report.token_requests), (0, 0));
}

#[tokio::test]
async fn a_version_that_is_shut_down_is_warned_of() {
    let mut environment = Platforms::start().await.environment();
    environment.insert("GOOGLE_ADS_API_VERSION".to_owned(), "v22".to_owned());
    let (_, text) = check(&["--offline"], &environment);
    assert!(text.contains("v22") && text.contains("2026-10-07"), "{text}");
}

#[tokio::test]
async fn credentials_are_tried_without_counting_anything() {
    let platforms = Platforms::start().await;
    let (code, text) = check_meanwhile(platforms.environment()).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("all good"), "{text}");
    for platform in [TIKTOK, GOOGLE] {
        let report = platforms.of(platform);
        assert_eq!((report.requests, report.received), (1, 0), "{report:?}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_found() {
    for (platform, settings, said) in [
        (TIKTOK, Settings { tokens: vec!["another".to_owned()], ..Settings::default() }, "40105"),
        (TIKTOK, Settings { pixels: vec!["DXXX".to_owned()], ..Settings::default() }, ""),
        (
            GOOGLE,
            Settings { refresh_tokens: vec!["another".to_owned()], ..Settings::default() },
            "invalid_grant",
        ),
        (
            GOOGLE,
            Settings { conversion_actions: vec!["222".to_owned()], ..Settings::default() },
            "NO_CONVERSION_ACTION_FOUND",
        ),
        (TIKTOK, Settings { down: true, ..Settings::default() }, "503"),
    ] {
        let platforms = Platforms::start().await;
        platforms.sandbox.configure(platform, settings);
        let (code, text) = check_meanwhile(platforms.environment()).await;
        if said.is_empty() {
            // TikTok looks at the events before it looks at the pixel: without any, a wrong pixel cannot be told.
            assert_eq!(code, Some(0), "{text}");
            continue;
        }
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("PROBLEM") && text.contains(said), "{text}");
        for secret in ["tiktok-token", "google-secret", "google-refresh"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[tokio::test]
async fn the_queue_is_tried_as_well() {
    let platforms = Platforms::start().await;
    let mut complete = platforms.environment();
    let queue = [("SIGNALBOX_QUEUE", "qstash"), ("SIGNALBOX_PUBLIC_URL", "https://signalbox.example")];
    complete.extend(queue.map(|(name, value)| (name.to_owned(), value.to_owned())));
    for (changed, code, said) in [
        (None, 0, "token: accepted; the signing keys are the account's"),
        (Some(("QSTASH_TOKEN", "another")), 1, "PROBLEM: QStash answered 401"),
        (
            Some(("QSTASH_NEXT_SIGNING_KEY", "sig_another")),
            1,
            "PROBLEM: the signing keys are not the account's",
        ),
        (Some(("QSTASH_NEXT_SIGNING_KEY", "sig_current_sandbox")), 0, "the signing keys were rotated"),
        (Some(("QSTASH_URL", "http://127.0.0.1:9")), 1, "(unreachable)"),
        (Some(("SIGNALBOX_PUBLIC_URL", "")), 2, "SIGNALBOX_PUBLIC_URL"),
    ] {
        let mut environment = complete.clone();
        environment.extend(changed.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let (status, text) = check_meanwhile(environment).await;
        assert_eq!(status, Some(code), "{changed:?}: {text}");
        assert!(text.contains(said), "{changed:?}: {text}");
        assert!(!text.contains("sig_") && !text.contains("qstash-token"), "{text}");
    }
}
