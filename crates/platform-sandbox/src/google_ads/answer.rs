//! Answers in the form of the Google Ads API.

use hyper::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::error::{ApiError, Refusal};
use super::path::Version;
use super::upload::{Row, Service, Upload};
use crate::reply::Reply;
use crate::state::State;

/// `google.rpc.Code.INVALID_ARGUMENT`, the code of every partial failure.
const INVALID_ARGUMENT: u32 = 3;

/// The answer to a request whose rows were looked at.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UploadResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_failure_error: Option<Value>,
    results: Vec<Value>,
    job_id: String,
}

/// Results and errors, row by row.
pub(super) fn rows<R: Row>(
    state: &State,
    version: Version,
    request: &Upload<R>,
    errors: &[Vec<ApiError>],
) -> Reply {
    let partial_failure_error = partial_failure(state, version, R::SERVICE, errors);
    let failed = partial_failure_error.is_some();
    let results = if request.validate_only { Vec::new() } else { results(&request.rows, errors) };
    let job_id = request.job_id.unwrap_or(1).to_string();
    let reply = Reply::json(StatusCode::OK, &UploadResponse { partial_failure_error, results, job_id });
    if failed { reply.with_code("partial") } else { reply }
}

/// A failed row has an empty result.
fn results<R: Row>(rows: &[R], errors: &[Vec<ApiError>]) -> Vec<Value> {
    let result =
        |(row, errors): (&R, &Vec<ApiError>)| if errors.is_empty() { row.result() } else { json!({}) };
    rows.iter().zip(errors).map(result).collect()
}

fn partial_failure(
    state: &State,
    version: Version,
    service: Service,
    errors: &[Vec<ApiError>],
) -> Option<Value> {
    let located = errors.iter().enumerate().flat_map(|(index, errors)| {
        errors.iter().map(move |error| error.clone().within(service.rows(), Some(index)))
    });
    let all: Vec<ApiError> = located.collect();
    let first = all.first()?.summary();
    let message = if all.len() == 1 {
        first
    } else {
        format!("Multiple errors in ‘details’. First error: {first}")
    };
    Some(json!({
        "code": INVALID_ARGUMENT,
        "message": message,
        "details": [details(state, version, &all)],
    }))
}

fn details(state: &State, version: Version, errors: &[ApiError]) -> Value {
    json!({
        "@type": version.failure_type(),
        "errors": errors.iter().map(ApiError::to_json).collect::<Vec<_>>(),
        "requestId": state.chance.name(),
    })
}

/// A request of which nothing was processed.
pub(super) fn refusal(refusal: &Refusal, version: Version, state: &State) -> Reply {
    match refusal {
        Refusal::Api { status, error } => {
            let details = details(state, version, std::slice::from_ref(error));
            status_error(*status, generic_message(*status), &[details]).with_code(error.code.clone())
        }
        Refusal::Json { message, field } => {
            let violations: Vec<Value> =
                field.iter().map(|field| json!({ "field": field, "description": message })).collect();
            let details = json!({
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": violations,
            });
            status_error(StatusCode::BAD_REQUEST, message, &[details]).with_code("INVALID_ARGUMENT")
        }
    }
}

/// The outer error object, with the name that Google gives to an HTTP status.
pub(super) fn status_error(status: StatusCode, message: &str, details: &[Value]) -> Reply {
    let name = match status {
        StatusCode::UNAUTHORIZED => "UNAUTHENTICATED",
        StatusCode::TOO_MANY_REQUESTS => "RESOURCE_EXHAUSTED",
        StatusCode::INTERNAL_SERVER_ERROR => "INTERNAL",
        StatusCode::SERVICE_UNAVAILABLE => "UNAVAILABLE",
        _ => "INVALID_ARGUMENT",
    };
    let error = json!({
        "code": status.as_u16(),
        "status": name,
        "message": message,
        "details": details,
    });
    Reply::json(status, &json!({ "error": error }))
}

fn generic_message(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "Request had invalid authentication credentials.",
        StatusCode::TOO_MANY_REQUESTS => "Resource has been exhausted (e.g. check quota).",
        StatusCode::INTERNAL_SERVER_ERROR => "Internal error encountered.",
        _ => "Request contains an invalid argument.",
    }
}
