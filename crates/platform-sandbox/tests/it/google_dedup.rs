//! Google counts an order id once per conversion action, for good.

use std::collections::HashMap;

use platform_sandbox::{Platform, Settings, Verdict};
use serde_json::json;

use crate::harness::{Running, account, failures, row, set, without};

const IN_USE: &str = "conversions[0].order_id conversionUploadError.ORDER_ID_ALREADY_IN_USE";

#[tokio::test]
async fn an_order_id_seen_before() {
    let running = Running::start().await;
    running.google(&[row("1")]).await;
    running
        .sandbox
        .configure(Platform::GoogleAds, Settings { clock_offset_s: 400 * 86_400, ..Settings::default() });
    let (status, answer) = running.google(&[row("1"), row("2")]).await;
    assert_eq!((status, failures(&answer)), (200, vec![IN_USE.to_owned()]));
    assert_eq!(answer["results"][0], json!({}));
    let report = running.of(Platform::GoogleAds);
    assert_eq!((account(&report), report.rejected), ([3, 2, 1, 0], 0));
}

#[tokio::test]
async fn the_same_order_under_another_action_counts_twice() {
    let running = Running::start().await;
    let other = set(&row("1"), "/conversionAction", json!("customers/1234567890/conversionActions/5"));
    // Only the action's id is looked at, not the customer in its name.
    let same = set(&row("1"), "/conversionAction", json!("customers/7/conversionActions/987654321"));
    for (row, expected) in
        [(row("1"), [1, 1, 0, 0]), (other.clone(), [2, 2, 0, 1]), (other, [3, 2, 1, 1]), (same, [4, 2, 2, 1])]
    {
        running.google(&[row]).await;
        assert_eq!(account(&running.of(Platform::GoogleAds)), expected);
    }
}

#[tokio::test]
async fn without_an_order_id_click_and_time_are_the_key() {
    let running = Running::start().await;
    let click = without(&row("1"), "/orderId");
    let later = set(&click, "/conversionDateTime", json!("2026-01-10 12:00:01+00:00"));
    assert!(failures(&running.google(std::slice::from_ref(&click)).await.1).is_empty());
    assert!(failures(&running.google(&[later]).await.1).is_empty());
    let (_, answer) = running.google(&[click]).await;
    assert_eq!(failures(&answer), ["conversions[0] conversionUploadError.CLICK_CONVERSION_ALREADY_EXISTS"]);
    assert_eq!(account(&running.of(Platform::GoogleAds)), [3, 2, 1, 0]);
}

#[tokio::test]
async fn duplicates_in_one_request_are_left_unprocessed() {
    let running = Running::start().await;
    let same_order = set(&row("1"), "/gclid", json!("another"));
    let same_click = set(&row("3"), "/gclid", json!("click-2"));
    let (_, answer) = running.google(&[row("1"), row("2"), same_order, same_click, row("4")]).await;
    let expected = [
        "conversions[0].order_id conversionUploadError.DUPLICATE_ORDER_ID",
        "conversions[1] conversionUploadError.DUPLICATE_CLICK_CONVERSION_IN_REQUEST",
        "conversions[2].order_id conversionUploadError.DUPLICATE_ORDER_ID",
        "conversions[3] conversionUploadError.DUPLICATE_CLICK_CONVERSION_IN_REQUEST",
    ];
    assert_eq!(failures(&answer), expected);
    let report = running.of(Platform::GoogleAds);
    assert_eq!((account(&report), report.rejected), ([1, 1, 0, 0], 4));
    assert!(failures(&running.google(&[row("1")]).await.1).is_empty());
}

#[tokio::test]
async fn verdicts_on_single_rows() {
    let verdict = Verdict::GoogleAds {
        family: "conversionUploadError".to_owned(),
        code: "TOO_RECENT_EVENT".to_owned(),
        message: None,
        times: Some(2),
    };
    let settings = Settings { verdicts: HashMap::from([("2".to_owned(), verdict)]), ..Settings::default() };
    let running = Running::with(Platform::GoogleAds, settings).await;
    let error = "conversions[0] conversionUploadError.TOO_RECENT_EVENT".to_owned();
    for expected in [vec![error.clone()], vec![error], vec![]] {
        assert_eq!(failures(&running.google(&[row("2")]).await.1), expected);
    }
    let report = running.of(Platform::GoogleAds);
    assert_eq!((account(&report), report.rejected), ([1, 1, 0, 0], 2));
}

#[tokio::test]
async fn after_forgetting_it_counts_twice() {
    let running = Running::start().await;
    running.google(&[row("1")]).await;
    running.sandbox.configure(Platform::GoogleAds, Settings { forget: true, ..Settings::default() });
    assert!(failures(&running.google(&[row("1")]).await.1).is_empty());
    assert_eq!(account(&running.of(Platform::GoogleAds)), [2, 1, 0, 1]);
}
