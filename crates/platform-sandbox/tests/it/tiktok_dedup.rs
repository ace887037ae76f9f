//! TikTok counts a key once within 48 hours of its first arrival.

use std::collections::HashMap;

use platform_sandbox::{Platform, Settings, Verdict};

use crate::harness::{Running, account, track, tracks};

const HOUR: i64 = 3600;

#[tokio::test]
async fn the_same_key_within_and_after_the_window() {
    let running = Running::start().await;
    // Hours since the first arrival; received, unique, deduplicated, counted twice so far.
    let steps =
        [(0, [1, 1, 0, 0]), (1, [2, 1, 1, 0]), (47, [3, 1, 2, 0]), (49, [4, 1, 2, 1]), (90, [5, 1, 3, 1])];
    for (hours, expected) in steps {
        let settings = Settings { clock_offset_s: hours * HOUR, ..Settings::default() };
        running.sandbox.configure(Platform::TikTok, settings);
        assert_eq!(running.tiktok(&track("Schedule", "1")).await["code"], 0);
        assert_eq!(account(&running.of(Platform::TikTok)), expected, "after {hours} hours");
    }
    let ids = running.sandbox.ids(Platform::TikTok);
    assert_eq!((ids.len(), ids[0].id.as_str(), ids[0].count), (1, "1", 5));
}

#[tokio::test]
async fn keys() {
    let running = Running::start().await;
    let steps = [
        (track("Schedule", "1"), [1, 1, 0, 0]),
        (track("Schedule", "2"), [2, 2, 0, 0]),
        // Another pixel is another advertiser's business.
        (tracks("OTHER", &[("Schedule", "1")]), [3, 3, 0, 0]),
        // The same conversion under another name: TikTok counts it again.
        (track("CompletePayment", "1"), [4, 4, 0, 1]),
        (track("CompletePayment", "1"), [5, 4, 1, 1]),
        // Twice in one request.
        (tracks("PIXEL", &[("Lead", "3"), ("Lead", "3")]), [7, 5, 2, 1]),
    ];
    for (body, expected) in steps {
        running.tiktok(&body).await;
        assert_eq!(account(&running.of(Platform::TikTok)), expected, "{body}");
    }
    assert_eq!(running.of(Platform::TikTok).by_event["CompletePayment"], 2);
}

#[tokio::test]
async fn a_window_of_seconds_and_forgetting() {
    let window = Settings { dedup_window_s: Some(5), ..Settings::default() };
    let running = Running::with(Platform::TikTok, window.clone()).await;
    running.tiktok(&track("Lead", "1")).await;
    running.sandbox.configure(Platform::TikTok, Settings { clock_offset_s: 6, ..window.clone() });
    running.tiktok(&track("Lead", "1")).await;
    assert_eq!(account(&running.of(Platform::TikTok)), [2, 1, 0, 1]);

    running.sandbox.configure(Platform::TikTok, Settings { forget: true, ..Settings::default() });
    running.tiktok(&track("Lead", "1")).await;
    running.tiktok(&track("Lead", "1")).await;
    assert_eq!(account(&running.of(Platform::TikTok)), [4, 1, 1, 2]);
}

#[tokio::test]
async fn events_without_an_id_are_never_deduplicated() {
    let running = Running::start().await;
    let body = crate::harness::without(&track("Lead", "1"), "/data/0/event_id");
    running.tiktok(&body).await;
    running.tiktok(&body).await;
    let report = running.of(Platform::TikTok);
    assert_eq!((account(&report), report.without_id), ([2, 0, 0, 0], 2));
}

#[tokio::test]
async fn verdicts_on_single_events() {
    let verdict = Verdict::TikTok { code: 40002, message: Some("no such thing".to_owned()), times: Some(1) };
    let settings = Settings { verdicts: HashMap::from([("2".to_owned(), verdict)]), ..Settings::default() };
    let running = Running::with(Platform::TikTok, settings).await;
    let body = tracks("PIXEL", &[("Lead", "1"), ("Lead", "2")]);
    let answer = running.tiktok(&body).await;
    assert_eq!(answer["code"], 40002);
    assert_eq!(answer["message"], "invalid value for `data.1.event_id`: no such thing");
    assert_eq!(running.of(Platform::TikTok).rejected, 2);
    assert_eq!(running.tiktok(&body).await["code"], 0);
    assert_eq!(account(&running.of(Platform::TikTok)), [2, 2, 0, 0]);
}
