//! What the sandbox does when it is told to misbehave.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use platform_sandbox::{Platform, PlatformReport, Settings};
use serde_json::{Value, json};

use crate::harness::{GOOGLE, Running, account, outcomes, read, row, track};

#[tokio::test]
async fn tiktok_answers() {
    let cases = [
        (Settings { p_429: 1.0, ..Settings::default() }, 429, json!(40100), "429/40100"),
        (Settings { p_500: 1.0, ..Settings::default() }, 500, json!(50000), "500/50000"),
        (Settings { p_503: 1.0, ..Settings::default() }, 503, Value::Null, "503"),
        (Settings { down: true, ..Settings::default() }, 503, Value::Null, "503"),
        (Settings { p_html: 1.0, ..Settings::default() }, 502, Value::Null, "502"),
        (Settings { p_401: 1.0, ..Settings::default() }, 200, json!(40102), "200/40102"),
        (
            Settings { codes: BTreeMap::from([(51010, 1.0)]), ..Settings::default() },
            200,
            json!(51010),
            "200/51010",
        ),
    ];
    for (settings, status, code, outcome) in cases {
        let running = Running::with(Platform::TikTok, settings).await;
        let (got, answer) = read(running.tiktok_request(&track("Lead", "1"))).await;
        assert_eq!((got, answer.get("code").unwrap_or(&Value::Null)), (status, &code), "{outcome}");
        let report = running.of(Platform::TikTok);
        assert_eq!((outcomes(&report), report.received), (vec![(outcome, 1)], 0));
    }
}

#[tokio::test]
async fn google_answers() {
    let cases = [
        (Settings { p_429: 1.0, ..Settings::default() }, 429, "RESOURCE_EXHAUSTED"),
        (Settings { p_500: 1.0, ..Settings::default() }, 500, "INTERNAL"),
        (Settings { p_503: 1.0, ..Settings::default() }, 503, "UNAVAILABLE"),
        (Settings { down: true, ..Settings::default() }, 503, "UNAVAILABLE"),
        (Settings { p_401: 1.0, ..Settings::default() }, 401, "UNAUTHENTICATED"),
    ];
    for (settings, status, name) in cases {
        let running = Running::with(Platform::GoogleAds, settings).await;
        let (got, answer) = running.google(&[row("1")]).await;
        assert_eq!((got, answer["error"]["status"].as_str()), (status, Some(name)));
        assert_eq!(answer["error"]["code"], status);
        assert_eq!(running.of(Platform::GoogleAds).received, 0);
    }
    let running = Running::with(Platform::GoogleAds, Settings { p_html: 1.0, ..Settings::default() }).await;
    let (status, answer) = running.google(&[row("1")]).await;
    assert_eq!((status, answer.is_string()), (502, true));
}

#[tokio::test]
async fn retry_after_only_when_set() {
    for (retry_after_s, header) in [(None, None), (Some(7), Some("7"))] {
        let settings = Settings { p_429: 1.0, retry_after_s, ..Settings::default() };
        let running = Running::with(Platform::TikTok, settings.clone()).await;
        let response = running.tiktok_request(&track("Lead", "1")).send().await.unwrap();
        let got = response.headers().get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!((response.status().as_u16(), got), (429, header));
        running.sandbox.configure(Platform::GoogleAds, settings);
        let (_, answer) = running.google(&[row("1")]).await;
        let error = &answer["error"]["details"][0]["errors"][0];
        assert_eq!(error["errorCode"], json!({"quotaError": "RESOURCE_TEMPORARILY_EXHAUSTED"}));
        let delay = error["details"]["quotaErrorDetails"]["retryDelay"].as_str().map(str::to_owned);
        assert_eq!(delay, header.map(|seconds| format!("{seconds}s")));
    }
}

#[tokio::test]
async fn cut_before_and_after_processing() {
    let cut = Settings { p_cut: 1.0, ..Settings::default() };
    let lost = Settings { p_lost_reply: 1.0, ..Settings::default() };
    for (settings, outcome, received) in [(cut, "cut", 0), (lost, "lost_reply", 1)] {
        let running = Running::with(Platform::TikTok, settings.clone()).await;
        let failure = running.tiktok_request(&track("Lead", "1")).send().await.unwrap_err();
        assert!(!failure.is_connect() && !failure.is_timeout(), "{failure:?}");
        let report = running.of(Platform::TikTok);
        assert_eq!((outcomes(&report), report.received), (vec![(outcome, 1)], received));

        running.sandbox.configure(Platform::GoogleAds, settings);
        let body = json!({"conversions": [row("1")], "partialFailure": true});
        let token = running.token().await;
        running.google_request(GOOGLE, &token, &body).send().await.unwrap_err();
        assert_eq!(running.of(Platform::GoogleAds).received, received);

        // The resend finds what was processed.
        running.sandbox.configure(Platform::TikTok, Settings::default());
        running.tiktok(&track("Lead", "1")).await;
        assert_eq!(account(&running.of(Platform::TikTok)), [received + 1, 1, received, 0]);
    }
}

#[tokio::test]
async fn hanging_and_slow() {
    let running = Running::with(Platform::TikTok, Settings { hang: true, ..Settings::default() }).await;
    // However slow the machine: the request is given up only once the platform has it.
    let request = running.tiktok_request(&track("Lead", "1"));
    tokio::select! {
        answer = request.send() => panic!("{answer:?}"),
        () = running.until(Platform::TikTok, |report| outcomes(report) == [("hang", 1)]) => {}
    }

    let settings = Settings { latency_ms: 60, jitter_ms: 20, ..Settings::default() };
    running.sandbox.configure(Platform::TikTok, settings);
    let started = Instant::now();
    running.tiktok(&track("Lead", "1")).await;
    assert!(started.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn as_many_in_flight_as_come() {
    let running = Running::with(Platform::TikTok, Settings { hang: true, ..Settings::default() }).await;
    let (one, two) = (track("Lead", "1"), track("Lead", "2"));
    tokio::select! {
        answer = running.tiktok(&one) => panic!("{answer}"),
        answer = running.tiktok(&two) => panic!("{answer}"),
        () = running.until(Platform::TikTok, |report| report.in_flight == 2) => {}
    }
    // Callers that hang up are in flight no more.
    running.until(Platform::TikTok, |report| report.in_flight == 0).await;
    assert_eq!(running.of(Platform::TikTok).max_in_flight, 2);
}

#[tokio::test]
async fn requests_per_second() {
    let running = Running::with(Platform::TikTok, Settings { max_rps: 3, ..Settings::default() }).await;
    // All within a moment, unless the machine is too slow for that: then again.
    let is_limited = |report: &PlatformReport| report.by_outcome.contains_key("429/40100");
    while !is_limited(&running.of(Platform::TikTok)) {
        for _ in 0..20 {
            running.tiktok_request(&track("Lead", "1")).send().await.unwrap();
        }
    }
    let report = running.of(Platform::TikTok);
    assert!(report.by_outcome["200"] >= 3, "{report:?}");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults() {
    let settings = Settings { p_500: 0.5, ..Settings::default() };
    let running = Running::with(Platform::TikTok, settings).await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        running.sandbox.reset();
        let mut statuses = Vec::new();
        for _ in 0..30 {
            statuses.push(read(running.tiktok_request(&track("Lead", "1"))).await.0);
        }
        assert!(statuses.contains(&200) && statuses.contains(&500));
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
}
