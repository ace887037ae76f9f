//! Google's verdict is per row.

use std::time::Duration;

use platform_sandbox::Settings;
use serde_json::json;

use crate::harness::{Counts, GOOGLE, Setup, World, booked, event, google_verdict};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn one_batch_four_verdicts() {
    let world = World::start().await;
    world.report(&[booked("known")]).await;
    assert_eq!(world.settled("google-ads", "known").await["status"], "DELIVERED");
    let verdicts = [
        google_verdict("refused", "UNPARSEABLE_GCLID", "The gclid could not be parsed."),
        google_verdict("early", "TOO_RECENT_EVENT", "The click is less than 6 hours old."),
    ];
    world.platforms.sandbox.configure(GOOGLE, Settings { verdicts: verdicts.into(), ..Settings::default() });

    // Another event of a conversion that Google has: its order id is in use.
    let mut again = event("TRIAL_RESCHEDULED", "again");
    again["conversionId"] = "known".into();
    world.report(&[booked("refused"), booked("early"), again, booked("good")]).await;
    world
        .until_counts("google-ads", Counts { delivered: 3, failed: 1, pending: 1, ..Counts::default() })
        .await;
    let report = world.platforms.of(GOOGLE);
    assert_eq!((report.requests, report.max_batch), (2, 4), "all four shared one request");

    let [refused, again, good] = ["refused", "again", "good"].map(|id| world.settled("google-ads", id));
    let (refused, again, good) = tokio::join!(refused, again, good);
    assert_eq!((&refused["status"], &refused["reason"]), (&json!("FAILED"), &json!("rejected")));
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("conversionUploadError.UNPARSEABLE_GCLID"), "{message}");
    assert!(message.contains("The gclid could not be parsed."), "{message}");
    assert_eq!(again["status"], "DELIVERED");
    assert!(again["message"].as_str().unwrap().contains("ORDER_ID_ALREADY_IN_USE"), "{again}");
    assert_eq!((&good["status"], &good["message"]), (&json!("DELIVERED"), &json!(null)));
    for delivery in [&refused, &again, &good] {
        assert_eq!(delivery["responseCode"], 200, "each has its verdict under HTTP 200");
    }

    let early = world.delivery("google-ads", "early").await;
    assert_eq!((&early["status"], &early["reason"]), (&json!("PENDING"), &json!("not_yet")));
    // Google's six hours, and a tenth more at most.
    let next = early["nextAttemptAt"].as_str().unwrap();
    let (earliest, latest) = (world.time_in(6 * HOUR), world.time_in(6 * HOUR + HOUR * 6 / 10));
    assert!((earliest.as_str()..=latest.as_str()).contains(&next), "{earliest} {next} {latest}");

    world.platforms.sandbox.configure(GOOGLE, Settings::default());
    world.advance(5 * HOUR).await;
    assert_eq!(world.counts("google-ads").await.pending, 1);
    world.advance(2 * HOUR).await;
    let early = world.settled("google-ads", "early").await;
    assert_eq!((&early["status"], &early["attempts"]), (&json!("DELIVERED"), &json!(2)));
    assert_eq!(world.platforms.of(GOOGLE).requests, 3);
    let account = world.audit().await["sinks"]["google-ads"].clone();
    assert_eq!(
        account,
        json!({ "routed": 5, "delivered": 4, "skipped": 0, "failed": 1, "pending": 0, "purged": 0 })
    );
}

/// Google takes neither of two rows with one order id: they must not meet in a request.
#[tokio::test]
async fn rows_of_one_conversion_never_share_a_request() {
    let world = World::start().await;
    let mut moved = event("TRIAL_RESCHEDULED", "moved");
    moved["conversionId"] = "first".into();
    world.report(&[booked("first"), moved, booked("other")]).await;
    world.until_counts("google-ads", Counts::delivered(3)).await;
    let report = world.platforms.of(GOOGLE);
    assert_eq!((report.requests, report.max_batch), (2, 2));
    assert_eq!((report.received, report.deduplicated, report.rejected), (3, 1, 0), "{report:?}");
}

/// A peer that took transient errors within a partial failure for final lost thousands of conversions a day.
#[tokio::test]
async fn a_transient_error_of_one_row_is_tried_again() {
    let world = World::start().await;
    let verdict = platform_sandbox::Verdict::GoogleAds {
        family: "internalError".to_owned(),
        code: "TRANSIENT_ERROR".to_owned(),
        message: None,
        times: Some(2),
    };
    let verdicts = [("shaky".to_owned(), verdict)].into();
    world.platforms.sandbox.configure(GOOGLE, Settings { verdicts, ..Settings::default() });
    world.report(&[booked("shaky"), booked("good")]).await;
    world.until_counts("google-ads", Counts { delivered: 1, pending: 1, ..Counts::default() }).await;
    // Waits of at most 4 s and 8 s.
    for tries in [1, 2] {
        crate::harness::until(&format!("try {tries}"), async || {
            let attempts = world.delivery("google-ads", "shaky").await["attempts"].clone();
            if attempts == tries { Ok(()) } else { Err(attempts.to_string()) }
        })
        .await;
        world.advance(Duration::from_secs(4 * tries)).await;
    }
    let shaky = world.settled("google-ads", "shaky").await;
    assert_eq!((&shaky["status"], &shaky["attempts"]), (&json!("DELIVERED"), &json!(3)));
}

/// Patience has an end, which the operator sets.
#[tokio::test]
async fn what_is_always_too_early_is_given_up_in_the_end() {
    let world = Setup::new().file("[delivery]\nretry_for = '1d'").start().await;
    let verdicts =
        [google_verdict("early", "TOO_RECENT_EVENT", "The click is less than 6 hours old.")].into();
    world.platforms.sandbox.configure(GOOGLE, Settings { verdicts, ..Settings::default() });
    world.report(&[booked("early")]).await;
    // Tried at 0, 7, 14 and 21 hours; the next try would come after the day is over.
    for tries in 1..=4 {
        crate::harness::until(&format!("try {tries}"), async || {
            let delivery = world.delivery("google-ads", "early").await;
            let done = delivery["attempts"] == tries && delivery["reason"] != "held";
            if done && !delivery["reason"].is_null() { Ok(()) } else { Err(delivery.to_string()) }
        })
        .await;
        world.advance(7 * HOUR).await;
    }
    let given_up = world.settled("google-ads", "early").await;
    assert_eq!((&given_up["status"], &given_up["reason"]), (&json!("FAILED"), &json!("retry_period_over")));
    assert!(given_up["message"].as_str().unwrap().contains("TOO_RECENT_EVENT"), "{given_up}");
    assert_eq!(world.platforms.of(GOOGLE).requests, 4);
}
