//! QStash's calls: a delivery that is due, or one that it has given up.
//!
//! Whoever can sign is QStash, and nobody else is heard: a call that is not signed right does nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conversion_store::{Status, StoreError, Ticket};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::access::log_refusal;
use super::events::{body_room, read_body};
use super::problem::{ErrorBody, Problem};
use crate::queue::{CallHandler, DELIVER, FAILED, Flaw, Queue, Reply, message};
use crate::service::Service;

/// Longest call for a delivery, in bytes: it has about fifty.
const LONGEST_CALL: usize = 16 * 1024;
/// Longest report of a failure, in bytes: it repeats the last answer, which need not be ours.
const LONGEST_REPORT: usize = 1024 * 1024;
/// A message for a delivery that another run has not let go of comes again after this.
const UNDER_WAY: Duration = Duration::from_secs(60);

/// What of QStash's report of a failure is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    status: Option<u16>,
    /// What was published, in base64.
    source_body: String,
}

/// Work off one delivery
///
/// For QStash, which has it published.
#[utoipa::path(
    post, path = "/api/qstash/deliver", tag = "qstash", operation_id = "qstashDeliver",
    request_body = Object,
    responses(
        (status = 200, description = "The message is done.", body = Object),
        (status = 400, description = "The body broke off.", body = ErrorBody),
        (status = 401, description = "The call is not signed as QStash signs.", body = ErrorBody),
        (status = 404, description = "QStash is not configured.", body = ErrorBody),
        (status = 408, description = "The body did not come in time.", body = ErrorBody),
        (status = 413, description = "The body is too long.", body = ErrorBody),
        (status = 489, description = "Never to be tried again.", body = Object),
        (status = 503, description = "To be tried again.", body = ErrorBody),
    ),
    security(("qstashSignature" = [])),
)]
pub(super) async fn deliver(service: Shared, headers: HeaderMap, body: Body) -> Result<Response, Response> {
    let (service, queue, body) = verified(service, DELIVER, LONGEST_CALL, &headers, body).await?;
    let Some(ticket) = message::read(&body) else { return Ok(unreadable()) };
    let retried = headers.get("upstash-retried").and_then(|value| value.to_str().ok()?.parse().ok());
    let working = Arc::clone(&service);
    // To its end, even if QStash hangs up: what was sent must be on record.
    let work = async move {
        CallHandler { service: &working, queue: &queue }.deliver(ticket, retried.unwrap_or_default()).await
    };
    let worked_off = service.finish(work).await.map_err(|error| Problem::from(error).into_response())?;
    Ok(worked_off.map_or_else(|error| store_refused(&error), answer))
}

/// Give up one delivery
///
/// For QStash, which has given it up.
#[utoipa::path(
    post, path = "/api/qstash/failed", tag = "qstash", operation_id = "qstashFailed",
    request_body = Object,
    responses(
        (status = 200, description = "It failed, or is settled.", body = Object),
        (status = 400, description = "The body broke off.", body = ErrorBody),
        (status = 401, description = "The call is not signed as QStash signs.", body = ErrorBody),
        (status = 404, description = "QStash is not configured.", body = ErrorBody),
        (status = 408, description = "The body did not come in time.", body = ErrorBody),
        (status = 413, description = "The body is too long.", body = ErrorBody),
        (status = 489, description = "Never to be tried again.", body = Object),
        (status = 503, description = "To be tried again.", body = ErrorBody),
    ),
    security(("qstashSignature" = [])),
)]
pub(super) async fn failed(service: Shared, headers: HeaderMap, body: Body) -> Result<Response, Response> {
    let (service, queue, body) = verified(service, FAILED, LONGEST_REPORT, &headers, body).await?;
    let Some((ticket, status)) = report(&body) else { return Ok(unreadable()) };
    let given_up = CallHandler { service: &service, queue: &queue }.give_up(ticket, status).await;
    Ok(given_up.map_or_else(
        |error| store_refused(&error),
        |given_up| Json(json!({ "status": if given_up { "FAILED" } else { "unchanged" } })).into_response(),
    ))
}

/// The body of a call that QStash has signed for this path.
async fn verified(
    State(service): Shared,
    path: &str,
    longest: usize,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Arc<Service>, Arc<Queue>, Bytes), Response> {
    let problem = |status, message: &str| Problem::new(status, message).into_response();
    let Some(queue) = service.queue.clone() else {
        let message = "QStash is not configured: set [qstash] and [server] public_url";
        return Err(problem(StatusCode::NOT_FOUND, message));
    };
    let refused = || problem(StatusCode::UNAUTHORIZED, "the call is not signed as QStash signs");
    let wrong = |flaw: Flaw| {
        let what = format!("a call of {path} with a wrong signature was refused: {flaw}");
        log_refusal(&service, None, headers, &what);
        refused()
    };
    let token = headers.get("upstash-signature").and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
    // Before the body: a stranger gets neither room nor time for one.
    let signed = queue.verifier.verify(token, &queue.url(path), service.clock.now()).map_err(wrong)?;
    let room = body_room(&service, headers, longest);
    let room = room.map_err(|_| try_again("too many requests are being read", None))?;
    let body = read_body(body, longest).await.map_err(IntoResponse::into_response)?;
    drop(room);
    signed.verify(&body).map_err(wrong)?;
    Ok((service, queue, body))
}

fn report(body: &[u8]) -> Option<(Ticket, Option<u16>)> {
    let Report { status, source_body } = serde_json::from_slice(body).ok()?;
    Some((message::read(&STANDARD.decode(source_body).ok()?)?, status))
}

/// What QStash understands of a reply: 2xx is done, 489 with its header is never tried again, all else is.
fn answer(reply: Reply) -> Response {
    match reply {
        Reply::Settled(Status::Failed) => never_again(json!({ "status": Status::Failed })),
        Reply::Settled(status) => Json(json!({ "status": status })).into_response(),
        Reply::Waits(reason) => Json(json!({ "status": Status::Pending, "reason": reason })).into_response(),
        Reply::Superseded => Json(json!({ "status": "superseded" })).into_response(),
        Reply::NotQueued => Json(json!({ "status": "not driven by the queue" })).into_response(),
        Reply::TryAgain(wait) => try_again("the platform could not be told", wait),
        Reply::UnderWay => try_again("the delivery is under way", Some(UNDER_WAY)),
        Reply::Unknown => never_again(json!({ "error": "there is no such delivery" })),
    }
}

fn unreadable() -> Response {
    never_again(json!({ "error": "the body names no delivery" }))
}

fn never_again(body: Value) -> Response {
    let status = StatusCode::from_u16(489).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    (status, [("upstash-nonretryable-error", "true")], Json(body)).into_response()
}

/// By QStash's own backoff, unless there is a wait to keep to. Not as a [`Problem`], which asks to come again in a
/// second: that would use up the retries in no time.
fn try_again(message: &str, wait: Option<Duration>) -> Response {
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": message }))).into_response();
    if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    }
    response
}

fn store_refused(error: &StoreError) -> Response {
    tracing::error!(%error, "the store refused");
    try_again("the store cannot serve", None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reply_is_said_in_qstash_s_words() {
        let seconds = |count| Some(Duration::from_secs(count));
        for (reply, status, retry_after) in [
            (Reply::Settled(Status::Delivered), 200, None),
            (Reply::Settled(Status::Skipped), 200, None),
            (Reply::Settled(Status::Failed), 489, None),
            (Reply::Waits("held".to_owned()), 200, None),
            (Reply::Superseded, 200, None),
            (Reply::NotQueued, 200, None),
            (Reply::TryAgain(None), 503, None),
            (Reply::TryAgain(seconds(0)), 503, None),
            (Reply::TryAgain(seconds(90)), 503, Some("90")),
            (Reply::UnderWay, 503, Some("60")),
            (Reply::Unknown, 489, None),
        ] {
            let response = answer(reply.clone());
            let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(response.status().as_u16(), status, "{reply:?}");
            assert_eq!(header("retry-after"), retry_after, "{reply:?}");
            let is_final = header("upstash-nonretryable-error") == Some("true");
            assert_eq!(is_final, status == 489, "{reply:?}");
        }
    }

    #[test]
    fn a_report_names_its_delivery_in_base64() {
        // printf %s '{"delivery_id":"1207-2","publication":3}' | base64
        let source = "eyJkZWxpdmVyeV9pZCI6IjEyMDctMiIsInB1YmxpY2F0aW9uIjozfQ==";
        let ticket = Ticket { delivery: "1207-2".parse().unwrap(), publication: Some(3) };
        for (body, expected) in [
            (json!({ "status": 503, "sourceBody": source, "retried": 3 }), Some((ticket, Some(503)))),
            (json!({ "sourceBody": source }), Some((ticket, None))),
            (json!({ "status": 503, "sourceBody": "{}" }), None),
            (json!({ "status": 503 }), None),
            (json!([]), None),
        ] {
            assert_eq!(report(body.to_string().as_bytes()), expected, "{body}");
        }
    }
}
