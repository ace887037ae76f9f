//! Google takes back or corrects a conversion that it accepted, once.

use std::collections::HashMap;

use platform_sandbox::{Platform, Settings, Verdict};
use serde_json::{Value, json};

use crate::harness::{Running, account, failures, outcomes, read, retraction, row, set, without};

const DAY: i64 = 86_400;

/// 2026-01-10 12:00:00 UTC, when every conversion of [`row`] happened.
const HAPPENED: i64 = 1_768_046_400;

/// A sandbox whose clock says that the conversions happened this long ago.
async fn later(age_s: i64) -> Running {
    let running = Running::start().await;
    set_age(&running, age_s, Settings::default());
    running
}

fn set_age(running: &Running, age_s: i64, settings: Settings) {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().cast_signed();
    let settings = Settings { clock_offset_s: HAPPENED + age_s - now, ..settings };
    running.sandbox.configure(Platform::GoogleAds, settings);
}

fn error(index: usize, rest: &str) -> String {
    format!("conversion_adjustments[{index}]{rest}")
}

fn own(code: &str) -> String {
    error(0, &format!(" conversionAdjustmentUploadError.{code}"))
}

fn restatement(order_id: &str, at: &str) -> Value {
    let row = set(&retraction(order_id), "/adjustmentType", json!("RESTATEMENT"));
    let row = set(&row, "/adjustmentDateTime", json!(at));
    set(&row, "/restatementValue", json!({"adjustedValue": 20.0, "currencyCode": "EUR"}))
}

/// adjusted, retracted, rejected.
fn adjusted(running: &Running) -> [u64; 3] {
    let report = running.of(Platform::GoogleAds);
    [report.adjusted, report.retracted, report.rejected]
}

#[tokio::test]
async fn a_retraction_counts_once() {
    let running = later(DAY).await;
    running.google(&[row("1"), row("2")]).await;
    let (status, answer) = running.google_adjust(&[retraction("1")]).await;
    assert_eq!((status, answer.get("partialFailureError")), (200, None), "{answer}");
    assert_eq!(answer["results"], json!([retraction("1")]));
    let (_, answer) = running.google_adjust(&[retraction("1")]).await;
    assert_eq!(failures(&answer), [own("CONVERSION_ALREADY_RETRACTED")]);
    assert_eq!(answer["results"], json!([{}]));
    assert_eq!(adjusted(&running), [2, 1, 0]);
    // What was retracted stays received, and its order id stays in use.
    assert_eq!(account(&running.of(Platform::GoogleAds)), [2, 2, 0, 0]);
    let (_, answer) = running.google(&[row("1")]).await;
    assert_eq!(failures(&answer), ["conversions[0].order_id conversionUploadError.ORDER_ID_ALREADY_IN_USE"]);
    let mut ids = running.sandbox.ids(Platform::GoogleAds);
    ids.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(ids.iter().map(|seen| seen.retracted).collect::<Vec<_>>(), [true, false]);
    let (_, lines) = read(running.get("/__ids?sink=google-ads")).await;
    assert_eq!(lines.as_str().unwrap().matches("\tretracted\n").count(), 1);
}

#[tokio::test]
async fn verdicts_from_what_was_accepted() {
    let other = set(&retraction("1"), "/conversionAction", json!("customers/1234567890/conversionActions/5"));
    let at = |time: &str| set(&retraction("1"), "/adjustmentDateTime", json!(time));
    let cases = [
        (DAY, retraction("unknown"), Some("CONVERSION_NOT_FOUND")),
        (DAY, other, Some("CONVERSION_NOT_FOUND")),
        (DAY, at("2026-01-10 11:59:59+00:00"), Some("ADJUSTMENT_PRECEDES_CONVERSION")),
        (DAY, at("2026-01-10 13:00:00+01:00"), Some("ADJUSTMENT_PRECEDES_CONVERSION")),
        (DAY, at("2026-01-10 12:00:01+00:00"), None),
        (54 * DAY - 60, retraction("1"), None),
        (54 * DAY + 60, retraction("1"), Some("CONVERSION_EXPIRED")),
        (54 * DAY + 60, restatement("1", "2026-01-11 12:00:00+00:00"), Some("CONVERSION_EXPIRED")),
    ];
    for (age_s, bad, code) in cases {
        let running = later(age_s).await;
        running.google(&[row("1")]).await;
        let (_, answer) = running.google_adjust(std::slice::from_ref(&bad)).await;
        assert_eq!(failures(&answer), Vec::from_iter(code.map(own)), "{bad} at {age_s}");
        let rejected = u64::from(code.is_some());
        let report = running.of(Platform::GoogleAds);
        assert_eq!([report.adjusted, report.rejected], [1 - rejected, rejected], "{bad} at {age_s}");
    }
}

#[tokio::test]
async fn restatements_need_ever_later_times() {
    let running = later(9 * DAY).await;
    running.google(&[row("1")]).await;
    let (second, third) = ("2026-01-12 00:00:00+00:00", "2026-01-13 00:00:00+00:00");
    let steps = [
        (restatement("1", second), None),
        (restatement("1", second), Some("RESTATEMENT_ALREADY_EXISTS")),
        (restatement("1", "2026-01-11 00:00:00+00:00"), Some("MORE_RECENT_RESTATEMENT_FOUND")),
        (restatement("1", third), None),
        (retraction("1"), None),
        (restatement("1", "2026-01-14 00:00:00+00:00"), Some("CONVERSION_ALREADY_RETRACTED")),
    ];
    for (row, code) in steps {
        let (_, answer) = running.google_adjust(std::slice::from_ref(&row)).await;
        assert_eq!(failures(&answer), Vec::from_iter(code.map(own)), "{row}");
    }
    assert_eq!(adjusted(&running), [5, 1, 1]);
}

#[tokio::test]
async fn by_click_and_time_only_without_an_order_id() {
    let running = later(DAY).await;
    running.google(&[row("1"), without(&row("2"), "/orderId")]).await;
    let by_pair = |click: &str, time: &str| {
        let pair = json!({"gclid": click, "conversionDateTime": time});
        set(&without(&retraction("x"), "/orderId"), "/gclidDateTimePair", pair)
    };
    let cases = [
        (by_pair("click-1", "2026-01-10 12:00:00+00:00"), Some("CONVERSION_NOT_FOUND")),
        (by_pair("click-2", "2026-01-10 12:00:01+00:00"), Some("CONVERSION_NOT_FOUND")),
        (by_pair("click-2", "2026-01-10 13:00:00+01:00"), None),
        (by_pair("click-2", "2026-01-10 12:00:00+00:00"), Some("CONVERSION_ALREADY_RETRACTED")),
    ];
    for (row, code) in cases {
        let (_, answer) = running.google_adjust(std::slice::from_ref(&row)).await;
        assert_eq!(failures(&answer), Vec::from_iter(code.map(own)), "{row}");
    }
}

#[tokio::test]
async fn each_type_has_fields_of_its_own() {
    let identifiers =
        json!([{"hashedEmail": "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a"}]);
    let pair = json!({"gclid": "click-1", "conversionDateTime": "2026-01-10 12:00:00+00:00"});
    let both = " conversionAdjustmentUploadError.GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET";
    let enhancement = set(
        &set(&retraction("1"), "/adjustmentType", json!("ENHANCEMENT")),
        "/userIdentifiers",
        identifiers.clone(),
    );
    let restated = restatement("1", "2026-01-11 12:00:00+00:00");
    let retracted = |field: &str, value: Value| set(&retraction("1"), &format!("/{field}"), value);
    let cases: Vec<(Value, Vec<String>)> = vec![
        (without(&retraction("1"), "/adjustmentType"), vec![".adjustment_type fieldError.REQUIRED".into()]),
        (retracted("adjustmentType", json!("UNKNOWN")), vec![
            ".adjustment_type enumError.ENUM_VALUE_NOT_PERMITTED".into(),
        ]),
        (without(&retraction("1"), "/conversionAction"), vec![".conversion_action fieldError.REQUIRED".into()]),
        (retracted("conversionAction", json!("7")), vec![
            ".conversion_action requestError.RESOURCE_NAME_MALFORMED".into(),
        ]),
        (without(&retraction("1"), "/adjustmentDateTime"), vec![
            ".adjustment_date_time fieldError.REQUIRED".into(),
        ]),
        (retracted("adjustmentDateTime", json!("2026-01-11T12:00:00Z")), vec![
            ".adjustment_date_time dateError.INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET".into(),
        ]),
        (without(&retraction("1"), "/orderId"), vec![".order_id fieldError.REQUIRED".into()]),
        (retracted("gclidDateTimePair", pair.clone()), vec![format!(".gclid_date_time_pair{both}")]),
        (set(&without(&retraction("1"), "/orderId"), "/gclidDateTimePair", json!({})), vec![
            ".gclid_date_time_pair.conversion_date_time fieldError.REQUIRED".into(),
            ".gclid_date_time_pair.gclid fieldError.REQUIRED".into(),
        ]),
        (retracted("restatementValue", json!({"adjustedValue": 0.0})), vec![
            ".restatement_value fieldError.VALUE_MUST_BE_UNSET".into(),
        ]),
        (retracted("userIdentifiers", identifiers), vec![
            ".user_identifiers fieldError.VALUE_MUST_BE_UNSET".into(),
        ]),
        (retracted("userAgent", json!("x")), vec![".user_agent fieldError.VALUE_MUST_BE_UNSET".into()]),
        (retracted("orderId", json!("a@b")), vec![
            ".order_id conversionAdjustmentUploadError.ORDER_ID_CONTAINS_PII".into(),
        ]),
        (without(&restated, "/restatementValue"), vec![".restatement_value fieldError.REQUIRED".into()]),
        (set(&restated, "/restatementValue", json!({"currencyCode": "eur"})), vec![
            ".restatement_value.adjusted_value fieldError.REQUIRED".into(),
            ".restatement_value.currency_code currencyCodeError.UNSUPPORTED".into(),
        ]),
        (without(&enhancement, "/orderId"), vec![".order_id fieldError.REQUIRED".into()]),
        (without(&enhancement, "/userIdentifiers"), vec![".user_identifiers fieldError.REQUIRED".into()]),
        // The conversions are uploads; only those of tags can be enhanced.
        (set(&enhancement, "/gclidDateTimePair", pair), vec![
            ".conversion_action conversionAdjustmentUploadError.CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT"
                .into(),
        ]),
    ];
    let running = later(DAY).await;
    running.google(&[row("1"), row("a"), row("b")]).await;
    for (bad, expected) in cases {
        let (_, answer) = running.google_adjust(&[retraction("a"), bad.clone(), retraction("b")]).await;
        let mut found = failures(&answer);
        found.retain(|error| !error.ends_with("CONVERSION_ALREADY_RETRACTED"));
        let expected: Vec<String> = expected.iter().map(|rest| error(1, rest)).collect();
        assert_eq!(found, expected, "{bad}");
    }
    assert_eq!(adjusted(&running)[1], 2, "nothing but a and b was retracted");
}

#[tokio::test]
async fn the_request_as_a_whole() {
    let running = later(DAY).await;
    running.google(&[row("1")]).await;
    let many: Vec<Value> = (0..2001).map(|id| retraction(&id.to_string())).collect();
    let body = |rows: Value| json!({"conversionAdjustments": rows, "partialFailure": true});
    let cases = [
        (body(json!([])), json!({"fieldError": "REQUIRED"})),
        (body(json!(many)), json!({"conversionAdjustmentUploadError": "TOO_MANY_ADJUSTMENTS_IN_REQUEST"})),
        (
            json!({"conversionAdjustments": [retraction("1")]}),
            json!({"partialFailureError": "PARTIAL_FAILURE_MODE_REQUIRED"}),
        ),
    ];
    for (body, code) in cases {
        let (status, answer) = running.google_adjust_body(&body).await;
        assert_eq!((status, &answer["error"]["details"][0]["errors"][0]["errorCode"]), (400, &code));
    }
    for foreign in [json!({"conversions": [row("1")], "partialFailure": true}), body(json!([row("1")]))] {
        let (status, answer) = running.google_adjust_body(&foreign).await;
        assert_eq!((status, &answer["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    }
    let request = running.google_request(crate::harness::ADJUST, "no-token", &body(json!([retraction("1")])));
    assert_eq!(read(request).await.0, 401);
    let checked = set(&body(json!([retraction("1"), retraction("2")])), "/validateOnly", json!(true));
    let (status, answer) = running.google_adjust_body(&checked).await;
    assert_eq!((status, &answer["results"]), (200, &json!([])));
    assert_eq!(adjusted(&running)[..2], [0, 0]);
}

#[tokio::test]
async fn adjustments_of_the_same_conversion_at_the_same_time() {
    let running = later(DAY).await;
    running.google(&[row("1"), row("2")]).await;
    let (_, answer) = running.google_adjust(&[retraction("1"), retraction("2"), retraction("1")]).await;
    let duplicate = |index| error(index, " conversionAdjustmentUploadError.DUPLICATE_ADJUSTMENT_IN_REQUEST");
    assert_eq!(failures(&answer), [duplicate(0), duplicate(2)]);
    assert_eq!(adjusted(&running), [1, 1, 2]);
}

#[tokio::test]
async fn told_verdicts_and_faults() {
    let running = later(DAY).await;
    running.google(&[row("1")]).await;
    let verdict = |family: &str, code: &str| Verdict::GoogleAds {
        family: family.to_owned(),
        code: code.to_owned(),
        message: None,
        times: Some(1),
    };
    let verdicts = HashMap::from([
        ("1".to_owned(), verdict("conversionAdjustmentUploadError", "TOO_RECENT_CONVERSION")),
        ("2".to_owned(), verdict("conversionUploadError", "TOO_RECENT_EVENT")),
    ]);
    set_age(&running, DAY, Settings { verdicts, ..Settings::default() });
    // Each verdict waits for the service that knows its error.
    let (_, answer) = running.google_adjust(&[retraction("2")]).await;
    assert_eq!(failures(&answer), [own("CONVERSION_NOT_FOUND")]);
    let (_, answer) = running.google(&[row("1"), row("2")]).await;
    assert_eq!(
        failures(&answer),
        [
            "conversions[0].order_id conversionUploadError.ORDER_ID_ALREADY_IN_USE",
            "conversions[1] conversionUploadError.TOO_RECENT_EVENT",
        ]
    );
    for expected in [vec![own("TOO_RECENT_CONVERSION")], vec![]] {
        let (_, answer) = running.google_adjust(&[retraction("1")]).await;
        assert_eq!(failures(&answer), expected);
    }
    running.sandbox.reset();
    set_age(&running, DAY, Settings { p_429: 1.0, ..Settings::default() });
    assert_eq!(running.google_adjust(&[retraction("1")]).await.0, 429);
    assert_eq!(outcomes(&running.of(Platform::GoogleAds)), [("429/RESOURCE_TEMPORARILY_EXHAUSTED", 1)]);
}
