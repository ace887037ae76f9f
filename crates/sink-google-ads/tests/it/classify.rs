//! HTTP 200: what each row is told (sections 3.6 and 3.7).

use std::time::Duration;

use conversion_core::failure::FailureClass::{
    self, Interrupted, NotYet, RateLimited, Rejected, TooLarge, Unavailable,
};
use conversion_core::failure::HoldScope;
use conversion_core::report::{Outcome, SendReport};
use serde_json::{Value, json};

use crate::support::{Server, reply, send, sink_at};

const SINK: FailureClass = FailureClass::Unauthorized { scope: HoldScope::Sink };
const EVENT_NAME: FailureClass = FailureClass::Unauthorized { scope: HoldScope::EventName };
const LATER: FailureClass = NotYet { wait: Duration::from_secs(6 * 3600) };
const RETRY: FailureClass = Unavailable { retry_after: None };
const THROTTLED: FailureClass = RateLimited { retry_after: None };

/// What became of a row: its class, or its note.
#[derive(Debug, PartialEq)]
enum Told {
    Failed(FailureClass),
    Delivered(Option<String>),
}

const DELIVERED: Told = Told::Delivered(None);

fn already(code: &str) -> Told {
    Told::Delivered(Some(format!("already_there: {code}")))
}

async fn answered(rows: usize, settings: &str, body: Value) -> SendReport {
    let server = Server::google(move |_| reply(200, body.to_string()));
    send(&sink_at(&server, settings), rows).await
}

async fn told(rows: usize, body: Value) -> Vec<Told> {
    tell(&answered(rows, "", body).await)
}

fn tell(report: &SendReport) -> Vec<Told> {
    let told = |outcome: &Outcome| match outcome {
        Outcome::Delivered { note } => Told::Delivered(note.clone()),
        Outcome::Failed(failure) => Told::Failed(failure.class),
        Outcome::RefusedWithOthers => panic!("rows are judged one by one"),
    };
    report.verdict().unwrap().iter().map(told).collect()
}

fn error(row: Option<usize>, family: &str, code: &str) -> Value {
    let path = match row {
        Some(row) => json!([{"fieldName": "conversions", "index": row}, {"fieldName": "conversion_action"}]),
        None => json!([{"fieldName": "operations", "index": 0}]),
    };
    json!({"errorCode": {family: code}, "message": "said", "location": {"fieldPathElements": path}})
}

fn failure(errors: &[Value]) -> Value {
    json!({"@type": "type.googleapis.com/google.ads.googleads.v99.errors.GoogleAdsFailure", "errors": errors})
}

fn partial(details: &[Value], results: &[Value]) -> Value {
    json!({
        "partialFailureError": {"code": 3, "message": "First error: x, at conversions[0].gclid", "details": details},
        "results": results,
        "jobId": "6442450944",
    })
}

fn row() -> Value {
    json!({"gclid": "g", "conversionAction": "customers/1/conversionActions/2"})
}

#[tokio::test]
async fn a_failure_says_what_google_said_and_where() {
    let errors = [error(Some(0), "fieldError", "REQUIRED")];
    let report = answered(1, "", partial(&[failure(&errors)], &[json!({})])).await;
    let [Outcome::Failed(failure)] = report.verdict().unwrap() else { panic!("{report:?}") };
    assert_eq!(failure.message, "Google Ads fieldError.REQUIRED: said (at conversion_action)");
}

#[tokio::test]
async fn of_errors_as_grave_as_each_other_the_first_is_told() {
    let errors = [error(Some(0), "fieldError", "REQUIRED"), error(Some(0), "dateError", "INVALID")];
    let report = answered(1, "", partial(&[failure(&errors)], &[json!({})])).await;
    let [Outcome::Failed(failure)] = report.verdict().unwrap() else { panic!("{report:?}") };
    assert_eq!(failure.code.as_deref(), Some("fieldError.REQUIRED"));
}

/// Section 4, row by row, and what both services answer.
#[rustfmt::skip]
const ADJUSTMENT_CODES: [(&str, &str, Option<FailureClass>); 28] = [
    ("conversionAdjustmentUploadError", "CONVERSION_ALREADY_RETRACTED", None),
    ("conversionAdjustmentUploadError", "RESTATEMENT_ALREADY_EXISTS", None),
    ("conversionAdjustmentUploadError", "CONVERSION_ALREADY_ENHANCED", None),
    ("conversionAdjustmentUploadError", "MORE_RECENT_RESTATEMENT_FOUND", None),
    ("conversionAdjustmentUploadError", "TOO_RECENT_CONVERSION", Some(LATER)),
    ("conversionAdjustmentUploadError", "TOO_RECENT_CONVERSION_ACTION", Some(LATER)),
    ("conversionAdjustmentUploadError", "CONVERSION_NOT_FOUND", Some(LATER)),
    ("conversionAdjustmentUploadError", "CONVERSION_EXPIRED", Some(Rejected)),
    ("conversionAdjustmentUploadError", "TOO_MANY_ADJUSTMENTS", Some(Rejected)),
    ("conversionAdjustmentUploadError", "ADJUSTMENT_PRECEDES_CONVERSION", Some(Rejected)),
    ("conversionAdjustmentUploadError", "GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET", Some(Rejected)),
    ("conversionAdjustmentUploadError", "MISSING_ORDER_ID_FOR_WEBPAGE", Some(Rejected)),
    ("conversionAdjustmentUploadError", "CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE", Some(Rejected)),
    ("conversionAdjustmentUploadError", "CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT", Some(Rejected)),
    ("conversionAdjustmentUploadError", "ORDER_ID_CONTAINS_PII", Some(Rejected)),
    ("conversionAdjustmentUploadError", "DUPLICATE_ADJUSTMENT_IN_REQUEST", Some(Rejected)),
    ("conversionAdjustmentUploadError", "SOMETHING_NEW", Some(Rejected)),
    ("conversionAdjustmentUploadError", "INVALID_CONVERSION_ACTION_TYPE", Some(EVENT_NAME)),
    ("conversionAdjustmentUploadError", "NO_CONVERSION_ACTION_FOUND", Some(EVENT_NAME)),
    ("conversionAdjustmentUploadError", "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS", Some(EVENT_NAME)),
    ("conversionAdjustmentUploadError", "CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCEMENT", Some(EVENT_NAME)),
    ("conversionAdjustmentUploadError", "TOO_MANY_ADJUSTMENTS_IN_REQUEST", Some(TooLarge)),
    ("authorizationError", "USER_PERMISSION_DENIED", Some(SINK)),
    ("internalError", "INTERNAL_ERROR", Some(RETRY)),
    ("quotaError", "RESOURCE_EXHAUSTED", Some(THROTTLED)),
    ("fieldError", "VALUE_MUST_BE_UNSET", Some(Rejected)),
    // Of another family they are not known.
    ("conversionUploadError", "CONVERSION_NOT_FOUND", Some(Rejected)),
    ("conversionUploadError", "CONVERSION_ALREADY_RETRACTED", Some(Rejected)),
];

#[tokio::test]
async fn every_code_of_an_adjustment_has_its_class() {
    for rows in ["conversion_adjustments", "conversionAdjustments"] {
        let of_row = |(row, (family, code, _)): (usize, &(&str, &str, _))| {
            let mut error = error(Some(row), family, code);
            error["location"]["fieldPathElements"][0]["fieldName"] = json!(rows);
            error
        };
        let errors: Vec<Value> = ADJUSTMENT_CODES.iter().enumerate().map(of_row).collect();
        // The last row is good.
        let mut results = vec![json!({}); ADJUSTMENT_CODES.len()];
        results.push(json!({"orderId": "o", "adjustmentType": "RETRACTION"}));
        let told = told(results.len(), partial(&[failure(&errors)], &results)).await;
        let expected = ADJUSTMENT_CODES.map(|(family, code, class)| match class {
            None => already(&format!("{family}.{code}")),
            Some(class) => Told::Failed(class),
        });
        assert_eq!(told[..expected.len()], expected, "{rows}");
        assert_eq!(told[expected.len()..], [DELIVERED], "{rows}");
    }
}

#[tokio::test]
async fn unlisted_codes_follow_the_kind_of_status() {
    for (rpc_code, class) in [
        (3, Rejected),
        (9, Rejected),
        (13, RETRY),
        (14, RETRY),
        (4, RETRY),
        (2, RETRY),
        (8, THROTTLED),
        (7, SINK),
        (16, SINK),
    ] {
        for (family, code) in [("internalError", "ERROR_CODE_NOT_PUBLISHED"), ("newError", "NEW")] {
            let mut body = partial(&[failure(&[error(Some(0), family, code)])], &[json!({})]);
            body["partialFailureError"]["code"] = json!(rpc_code);
            assert_eq!(told(1, body).await, [Told::Failed(class)], "{rpc_code} {code}");
        }
    }
}

#[tokio::test]
async fn one_bad_row_costs_no_other() {
    let errors = [
        error(Some(0), "conversionUploadError", "UNPARSEABLE_GCLID"),
        error(Some(1), "conversionUploadError", "TOO_RECENT_EVENT"),
        error(Some(2), "conversionUploadError", "ORDER_ID_ALREADY_IN_USE"),
    ];
    let results = [json!({}), json!({}), json!({}), row()];
    let told = told(4, partial(&[failure(&errors)], &results)).await;
    let already = already("conversionUploadError.ORDER_ID_ALREADY_IN_USE");
    assert_eq!(told, [Told::Failed(Rejected), Told::Failed(LATER), already, DELIVERED]);
}

#[tokio::test]
async fn the_strongest_error_of_a_row_counts() {
    const ORDER: [(&str, &str, Option<FailureClass>); 8] = [
        ("authorizationError", "USER_PERMISSION_DENIED", Some(SINK)),
        ("conversionUploadError", "NO_CONVERSION_ACTION_FOUND", Some(EVENT_NAME)),
        ("fieldError", "REQUIRED", Some(Rejected)),
        ("databaseError", "REQUEST_TOO_LARGE", Some(TooLarge)),
        ("conversionUploadError", "TOO_RECENT_EVENT", Some(LATER)),
        ("quotaError", "RESOURCE_EXHAUSTED", Some(THROTTLED)),
        ("internalError", "TRANSIENT_ERROR", Some(RETRY)),
        ("conversionUploadError", "ORDER_ID_ALREADY_IN_USE", None),
    ];
    for pair in ORDER.windows(2) {
        let [(strong, strong_code, class), (weak, weak_code, _)] = pair else { panic!() };
        let (strong, weak) = (error(Some(0), strong, strong_code), error(Some(0), weak, weak_code));
        for errors in [[strong.clone(), weak.clone()], [weak, strong]] {
            let told = told(1, partial(&[failure(&errors)], &[json!({})])).await;
            assert_eq!(told, [Told::Failed(class.unwrap())], "{strong_code} {weak_code}");
        }
    }
}

#[tokio::test]
async fn all_details_are_walked_and_foreign_ones_passed_over() {
    let foreign = json!({"@type": "type.googleapis.com/google.rpc.Help", "errors": [error(Some(2), "fieldError", "X")]});
    let details = [
        failure(&[error(Some(0), "conversionUploadError", "EXPIRED_EVENT")]),
        foreign,
        json!({"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": 7, "links": [{"url": "x"}]}),
        failure(&[error(Some(1), "conversionUploadError", "TOO_RECENT_EVENT")]),
    ];
    let told = told(3, partial(&details, &[json!({}), json!({}), row()])).await;
    assert_eq!(told, [Told::Failed(Rejected), Told::Failed(LATER), DELIVERED]);
}

#[tokio::test]
async fn an_error_of_no_row_concerns_those_that_nothing_is_known_of() {
    for index in [None, Some(3), Some(99)] {
        let errors =
            [error(index, "internalError", "INTERNAL_ERROR"), error(Some(0), "fieldError", "REQUIRED")];
        let told = told(3, partial(&[failure(&errors)], &[json!({}), json!({}), row()])).await;
        assert_eq!(told, [Told::Failed(Rejected), Told::Failed(RETRY), DELIVERED], "{index:?}");
    }
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved_whole() {
    let errors = [error(None, "conversionUploadError", "TOO_MANY_CONVERSIONS_IN_REQUEST")];
    let report = answered(3, "", partial(&[failure(&errors)], &[])).await;
    assert_eq!(report.verdict().unwrap_err().class, TooLarge);
}

#[tokio::test]
async fn a_row_that_nothing_is_said_of_is_unknown() {
    let interrupted = || Told::Failed(Interrupted);
    assert_eq!(told(2, json!({"results": [row(), {}]})).await, [DELIVERED, interrupted()]);
    assert_eq!(told(2, json!({"results": [row(), null]})).await, [DELIVERED, interrupted()]);
    // Another number of results than rows: which is whose nobody knows.
    assert_eq!(told(2, json!({"results": [row()]})).await, [interrupted(), interrupted()]);
    assert_eq!(told(1, json!({"results": [row(), row()]})).await, [interrupted()]);
    assert_eq!(told(1, json!({})).await, [interrupted()]);
    assert_eq!(told(1, json!({"results": null})).await, [interrupted()]);
    // A failure that gives no errors.
    assert_eq!(told(2, partial(&[], &[row(), json!({})])).await, [DELIVERED, interrupted()]);
}

#[tokio::test]
async fn code_zero_or_none_is_no_error() {
    for status in [json!({"code": 0}), json!({}), json!({"message": ""}), Value::Null] {
        let body = json!({"partialFailureError": status, "results": [row(), row()]});
        assert_eq!(told(2, body).await, [DELIVERED, DELIVERED]);
    }
    let mut body = partial(&[failure(&[error(Some(0), "fieldError", "REQUIRED")])], &[row()]);
    body["partialFailureError"]["code"] = json!(0);
    assert_eq!(told(1, body).await, [DELIVERED]);
}

#[tokio::test]
async fn a_quota_error_names_its_wait() {
    for (delay, seconds) in
        [("30s", Some(30.0)), ("1.5s", Some(1.5)), ("soon", None), ("-3s", None), ("1e9s", Some(86_400.0))]
    {
        let mut quota = error(None, "quotaError", "RESOURCE_TEMPORARILY_EXHAUSTED");
        quota["details"] = json!({"quotaErrorDetails": {"rateScope": "DEVELOPER", "retryDelay": delay}});
        let retry_after = seconds.map(Duration::from_secs_f64);
        let told = told(1, partial(&[failure(&[quota])], &[])).await;
        assert_eq!(told, [Told::Failed(RateLimited { retry_after })], "{delay}");
    }
}

#[tokio::test]
async fn a_checked_upload_has_no_results() {
    let valid = || Told::Delivered(Some("validate_only".to_owned()));
    let checked = async |body| tell(&answered(2, "validate_only = true", body).await);
    assert_eq!(checked(json!({})).await, [valid(), valid()]);
    assert_eq!(checked(json!({"results": []})).await, [valid(), valid()]);
    let errors = [error(Some(0), "fieldError", "REQUIRED")];
    assert_eq!(checked(partial(&[failure(&errors)], &[])).await, [Told::Failed(Rejected), valid()]);
    // Errors that cannot be understood leave nothing valid.
    let unknown = || Told::Failed(Interrupted);
    assert_eq!(checked(partial(&[], &[])).await, [unknown(), unknown()]);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_says_nothing() {
    let array = r#"[null,[{"gclid":"g"},{"gclid":"g"}]]"#;
    for body in
        ["", "<html>ok</html>", "[]", array, r#"{"results":[{"gclid":"#, r#"{"partialFailureError":"x"}"#]
    {
        let server = Server::google(move |_| reply(200, body));
        let report = send(&sink_at(&server, ""), 2).await;
        assert_eq!(report.verdict().unwrap_err().class, Interrupted, "{body}");
    }
}
