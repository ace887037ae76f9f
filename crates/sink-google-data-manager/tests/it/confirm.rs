//! What Google says later (platforms/google-ads.md, section 7.4).

use conversion_core::confirmation::{Confirmation, LateVerdict};
use conversion_core::failure::FailureClass;
use conversion_core::sink::ConversionSink as _;
use serde_json::{Value, json};

use crate::support::Google;

/// A status with these counts.
fn status(word: &str, errors: &Value) -> String {
    let destination = json!({
        "destination": {"reference": "987654321"},
        "requestStatus": word,
        "errorInfo": {"errorCounts": errors},
        "eventsIngestionStatus": {"recordCount": "4"},
    });
    json!({"requestStatusPerDestination": [destination]}).to_string()
}

async fn ask(http: u16, body: &str, items: usize) -> Confirmation {
    Google::answering(http, body).sink("").confirm("request/7 8", items).await.unwrap()
}

/// Each verdict: `+`, `+note`, `-CODE`, or `?message`.
fn told(confirmation: Confirmation) -> Vec<String> {
    let Confirmation::Judged(verdicts) = confirmation else { panic!("{confirmation:?}") };
    let told = |verdict| match verdict {
        LateVerdict::Confirmed { note } => format!("+{}", note.unwrap_or_default()),
        LateVerdict::Refused(failure) => format!("-{}", failure.code.unwrap_or_default()),
        LateVerdict::Unknown { message } => format!("?{message}"),
    };
    verdicts.into_iter().map(told).collect()
}

#[tokio::test]
async fn the_request_is_asked_for_by_its_id() {
    let google = Google::answering(200, status("SUCCESS", &json!([])));
    let answer = google.sink("").confirm("request/7 8", 2).await.unwrap();
    assert_eq!(told(answer), ["+", "+"]);
    let (line, body) = google.seen().remove(0);
    assert_eq!(line, "GET /v1/requestStatus:retrieve?requestId=request%2F7+8 HTTP/1.1");
    assert_eq!(body, "");
}

#[tokio::test]
async fn what_is_still_worked_on_is_not_judged() {
    for word in ["PROCESSING", "REQUEST_STATUS_UNKNOWN", "SOMETHING_NEW", ""] {
        assert_eq!(ask(200, &status(word, &json!([])), 2).await, Confirmation::Processing, "{word}");
    }
}

#[tokio::test]
async fn rows_that_are_named_are_judged_one_by_one() {
    let reason = |name: &str| format!("PROCESSING_ERROR_REASON_{name}");
    let errors = json!([
        {"recordCount": "1", "reason": reason("CLICK_NOT_FOUND"), "recordIndices": ["2"]},
        {"recordCount": 2, "reason": reason("DUPLICATE_TRANSACTION_ID"), "recordIndices": [0, 3]},
    ]);
    let told = told(ask(200, &status("PARTIAL_SUCCESS", &errors), 4).await);
    assert_eq!(
        told,
        [
            "+already_there: DUPLICATE_TRANSACTION_ID",
            "+",
            "-CLICK_NOT_FOUND",
            "+already_there: DUPLICATE_TRANSACTION_ID"
        ]
    );
}

#[tokio::test]
async fn counts_without_rows_judge_nobody_unless_they_leave_no_doubt() {
    let count = |count: usize, reason: &str| json!({"recordCount": count, "reason": format!("PROCESSING_ERROR_REASON_{reason}")});
    let doubt = "?Google refused 2 of 3 and does not say which: 1 × CLICK_NOT_FOUND, 1 × NO_CONSENT";
    let one = "?Google refused 1 of 3 and does not say which: 1 × CLICK_NOT_FOUND";
    for (word, errors, items, expected) in [
        ("PARTIAL_SUCCESS", json!([count(1, "CLICK_NOT_FOUND"), count(1, "NO_CONSENT")]), 3, vec![doubt; 3]),
        ("PARTIAL_SUCCESS", json!([count(1, "CLICK_NOT_FOUND")]), 3, vec![one; 3]),
        ("PARTIAL_SUCCESS", json!([count(1, "CLICK_NOT_FOUND")]), 1, vec!["-CLICK_NOT_FOUND"]),
        ("FAILED", json!([count(3, "NO_CONSENT")]), 3, vec!["-NO_CONSENT"; 3]),
        ("PARTIAL_SUCCESS", json!([count(1, "DUPLICATE_GCLID")]), 3, vec!["+"; 3]),
        ("PARTIAL_SUCCESS", json!([count(1, "INTERNAL_ERROR")]), 3, vec!["-INTERNAL_ERROR"; 3]),
    ] {
        assert_eq!(told(ask(200, &status(word, &errors), items).await), expected);
    }
}

#[tokio::test]
async fn rows_that_contradict_their_counts_are_not_believed() {
    for errors in [
        json!([{"recordCount": 2, "reason": "A", "recordIndices": [1]}]),
        json!([{"recordCount": 1, "reason": "A", "recordIndices": [9]}]),
        json!([
            {"recordCount": 1, "reason": "A", "recordIndices": [1]},
            {"recordCount": 1, "reason": "B", "recordIndices": [1]},
        ]),
    ] {
        let told = told(ask(200, &status("PARTIAL_SUCCESS", &errors), 4).await);
        assert!(told.iter().all(|verdict| verdict.starts_with('?')), "{errors}: {told:?}");
    }
}

#[tokio::test]
async fn a_reason_says_whether_it_is_tried_again() {
    let passing = FailureClass::Unavailable { retry_after: None };
    let six_hours = FailureClass::NotYet { wait: std::time::Duration::from_secs(6 * 3600) };
    for (reason, class) in [
        ("PROCESSING_ERROR_REASON_INTERNAL_ERROR", passing),
        ("PROCESSING_ERROR_REASON_TOO_RECENT_CLICK", six_hours),
        ("PROCESSING_ERROR_REASON_EVENT_TOO_OLD", FailureClass::Rejected),
        ("PROCESSING_ERROR_REASON_INVALID_GCLID", FailureClass::Rejected),
        ("PROCESSING_ERROR_REASON_DENIED_CONSENT", FailureClass::Rejected),
        ("PROCESSING_ERROR_OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER", FailureClass::Rejected),
        ("PROCESSING_ERROR_REASON_SOMETHING_NEW", FailureClass::Rejected),
    ] {
        let errors = json!([{"recordCount": 1, "reason": reason, "recordIndices": [0]}]);
        let Confirmation::Judged(verdicts) = ask(200, &status("FAILED", &errors), 1).await else {
            panic!("{reason} is no verdict");
        };
        let [LateVerdict::Refused(failure)] = verdicts.as_slice() else { panic!("{verdicts:?}") };
        assert_eq!(failure.class, class, "{reason}");
        let name = failure.code.as_deref().unwrap();
        assert!(reason.ends_with(name) && failure.message.contains(name), "{}", failure.message);
    }
}

#[tokio::test]
async fn a_request_that_google_has_forgotten_is_never_judged() {
    for reason in ["REQUEST_TOO_OLD", "INVALID_REQUEST_ID"] {
        let info = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason});
        let body =
            json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "m", "details": [info]}});
        let told = told(ask(400, &body.to_string(), 2).await);
        assert!(told.iter().all(|verdict| verdict.starts_with('?') && verdict.ends_with(reason)), "{told:?}");
    }
}

#[tokio::test]
async fn who_cannot_be_asked_has_said_nothing() {
    for (http, body, class) in [
        (503, "{}", FailureClass::Unavailable { retry_after: None }),
        (429, "<html>", FailureClass::RateLimited { retry_after: None }),
        (200, "<html>", FailureClass::Interrupted),
        (200, "{}", FailureClass::Interrupted),
    ] {
        let failure = Google::answering(http, body).sink("").confirm("r", 2).await.unwrap_err();
        assert_eq!(failure.class, class, "{http} {body}");
    }
}
