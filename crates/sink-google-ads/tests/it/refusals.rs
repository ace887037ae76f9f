//! HTTP 3xx to 5xx: the whole request was refused (section 3.6).

use std::time::Duration;

use conversion_core::failure::FailureClass::{self, NotYet, RateLimited, Rejected, TooLarge, Unavailable};
use conversion_core::failure::{Blame, Failure, HoldScope};
use conversion_core::report::Outcome;
use serde_json::{Value, json};

use crate::support::{Answer, Server, reply, send, sink_at};

const SINK: FailureClass = FailureClass::Unauthorized { scope: HoldScope::Sink };
const EVENT_NAME: FailureClass = FailureClass::Unauthorized { scope: HoldScope::EventName };
const LATER: FailureClass = NotYet { wait: Duration::from_secs(6 * 3600) };
const RETRY: FailureClass = Unavailable { retry_after: None };

async fn refused(rows: usize, status: u16, body: impl Into<String>) -> Failure {
    let body = body.into();
    let server = Server::google(move |_| reply(status, body.clone()));
    send(&sink_at(&server, ""), rows).await.verdict().unwrap_err().clone()
}

/// Google's form of a refusal, its errors as (row, family, code).
fn error(status: &str, errors: &[(Option<u32>, &str, &str)]) -> String {
    let error = |(row, family, code): &(Option<u32>, &str, &str)| {
        let path = row.map(|row| json!([{"fieldName": "conversions", "index": row}])).unwrap_or(json!([]));
        json!({"errorCode": {*family: code}, "message": "said", "location": {"fieldPathElements": path}})
    };
    let errors: Vec<Value> = errors.iter().map(error).collect();
    let kind = "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure";
    let details = if errors.is_empty() { json!([]) } else { json!([{"@type": kind, "errors": errors}]) };
    json!({"error": {"code": 400, "status": status, "message": "whole", "details": details}}).to_string()
}

#[tokio::test]
async fn codes_decide_and_the_status_where_there_are_none() {
    for (http, status, errors, class, code) in [
        (400, "INVALID_ARGUMENT", &[][..], Rejected, "INVALID_ARGUMENT"),
        (
            400,
            "INVALID_ARGUMENT",
            &[(None, "requestError", "UNSUPPORTED_VERSION")],
            SINK,
            "requestError.UNSUPPORTED_VERSION",
        ),
        (
            400,
            "INVALID_ARGUMENT",
            &[(None, "databaseError", "REQUEST_TOO_LARGE")],
            TooLarge,
            "databaseError.REQUEST_TOO_LARGE",
        ),
        (400, "INVALID_ARGUMENT", &[(None, "headerError", "X")], SINK, "headerError.X"),
        (400, "INVALID_ARGUMENT", &[(None, "newError", "NEW")], Rejected, "newError.NEW"),
        (
            401,
            "UNAUTHENTICATED",
            &[(None, "authenticationError", "OAUTH_TOKEN_EXPIRED")],
            SINK,
            "authenticationError.OAUTH_TOKEN_EXPIRED",
        ),
        (
            403,
            "PERMISSION_DENIED",
            &[(None, "authorizationError", "USER_PERMISSION_DENIED")],
            SINK,
            "authorizationError.USER_PERMISSION_DENIED",
        ),
        (403, "PERMISSION_DENIED", &[(None, "fieldError", "X")], SINK, "fieldError.X"),
        (404, "NOT_FOUND", &[], SINK, "NOT_FOUND"),
        (
            429,
            "RESOURCE_EXHAUSTED",
            &[(None, "quotaError", "RESOURCE_EXHAUSTED")],
            RateLimited { retry_after: None },
            "quotaError.RESOURCE_EXHAUSTED",
        ),
        (429, "RESOURCE_EXHAUSTED", &[], RateLimited { retry_after: None }, "RESOURCE_EXHAUSTED"),
        (
            500,
            "INTERNAL",
            &[(None, "internalError", "INTERNAL_ERROR")],
            RETRY,
            "internalError.INTERNAL_ERROR",
        ),
        (
            500,
            "INTERNAL",
            &[(None, "internalError", "ERROR_CODE_NOT_PUBLISHED")],
            RETRY,
            "internalError.ERROR_CODE_NOT_PUBLISHED",
        ),
        (503, "UNAVAILABLE", &[], RETRY, "UNAVAILABLE"),
    ] {
        let failure = refused(1, http, error(status, errors)).await;
        assert_eq!((failure.class, failure.code.as_deref()), (class, Some(code)), "{http} {errors:?}");
        assert_eq!(failure.blame, Blame::Batch, "{http} {errors:?}");
    }
}

#[tokio::test]
async fn a_refused_batch_is_taken_apart_where_no_row_is_named() {
    for (rows, errors, class, blame) in [
        (3, &[(None, "fieldError", "REQUIRED")][..], Rejected, Blame::Unknown),
        (3, &[(Some(3), "fieldError", "REQUIRED")], Rejected, Blame::Unknown),
        (3, &[(Some(7), "fieldError", "REQUIRED")], Rejected, Blame::Unknown),
        (3, &[], Rejected, Blame::Unknown),
        (1, &[(Some(0), "fieldError", "REQUIRED")], Rejected, Blame::Batch),
        (3, &[(None, "conversionUploadError", "NO_CONVERSION_ACTION_FOUND")], EVENT_NAME, Blame::Unknown),
        (3, &[(Some(1), "authorizationError", "X")], SINK, Blame::Batch),
        (3, &[(Some(1), "conversionUploadError", "ORDER_ID_ALREADY_IN_USE")], Rejected, Blame::Unknown),
    ] {
        let failure = refused(rows, 400, error("INVALID_ARGUMENT", errors)).await;
        assert_eq!((failure.class, failure.blame), (class, blame), "{rows} {errors:?}");
    }
}

#[tokio::test]
async fn a_refused_batch_is_refused_for_the_row_that_is_named() {
    for (row, family, code, class) in [
        (1, "fieldError", "REQUIRED", Rejected),
        (2, "conversionUploadError", "TOO_RECENT_EVENT", LATER),
        (0, "conversionUploadError", "NO_CONVERSION_ACTION_FOUND", EVENT_NAME),
    ] {
        let body = error("INVALID_ARGUMENT", &[(Some(row), family, code)]);
        let server = Server::google(move |_| reply(400, body.clone()));
        let report = send(&sink_at(&server, ""), 3).await;
        let told = report.verdict().unwrap().iter().map(|outcome| match outcome {
            Outcome::Failed(failure) => Some(failure.class),
            Outcome::RefusedWithOthers => None,
            Outcome::Delivered { .. } => panic!("{code}: {outcome:?}"),
        });
        let expected = [0, 1, 2].map(|item| (item == row).then_some(class));
        assert_eq!(told.collect::<Vec<_>>(), expected, "{code}");
    }
}

#[tokio::test]
async fn a_single_conversion_that_is_there_already_is_delivered() {
    let body = error("INVALID_ARGUMENT", &[(Some(0), "conversionUploadError", "ORDER_ID_ALREADY_IN_USE")]);
    let server = Server::google(move |_| reply(400, body.clone()));
    let report = send(&sink_at(&server, ""), 1).await;
    assert!(matches!(report.verdict().unwrap(), [Outcome::Delivered { note: Some(_) }]));
}

#[tokio::test]
async fn pages_of_proxies_are_judged_by_their_status() {
    for (status, rows, class, blame) in [
        (302, 2, SINK, Blame::Batch),
        (400, 1, Rejected, Blame::Batch),
        (400, 2, Rejected, Blame::Unknown),
        (403, 2, SINK, Blame::Batch),
        (404, 2, SINK, Blame::Batch),
        (408, 2, RETRY, Blame::Batch),
        (413, 2, TooLarge, Blame::Batch),
        (429, 2, RateLimited { retry_after: None }, Blame::Batch),
        (500, 2, RETRY, Blame::Batch),
        (502, 2, RETRY, Blame::Batch),
        (503, 2, RETRY, Blame::Batch),
        (504, 2, RETRY, Blame::Batch),
    ] {
        for body in ["<html>sorry</html>", "", r#"{"error":"text"}"#, "{}"] {
            let failure = refused(rows, status, body).await;
            assert_eq!((failure.class, failure.blame), (class, blame), "{status} {body}");
        }
    }
}

#[tokio::test]
async fn an_ended_or_unknown_version_says_how_to_mend_it() {
    let ended =
        refused(2, 400, error("INVALID_ARGUMENT", &[(None, "requestError", "UNSUPPORTED_VERSION")])).await;
    for failure in [ended, refused(2, 404, "<html>").await, refused(2, 404, error("NOT_FOUND", &[])).await] {
        assert_eq!(failure.class, SINK);
        assert!(failure.message.contains("raise the sink's api_version"), "{}", failure.message);
    }
}

#[tokio::test]
async fn the_header_names_the_wait_where_the_error_does_not() {
    let retry_after = Some(Duration::from_secs(17));
    for (status, family, code, class) in [
        (429, "quotaError", "RESOURCE_EXHAUSTED", RateLimited { retry_after }),
        (503, "internalError", "TRANSIENT_ERROR", Unavailable { retry_after }),
    ] {
        let body = error("X", &[(None, family, code)]);
        let server = Server::google(move |_| Answer::Reply(status, "Retry-After: 17\r\n", body.clone()));
        let report = send(&sink_at(&server, ""), 1).await;
        assert_eq!(report.verdict().unwrap_err().class, class, "{code}");
    }
}
