//! `POST /api/test/{sink}`: sends one event at once, past the queue, and answers with the platform's own answer.
//!
//! Recorded with origin `test`, outside the account. Rules about the event's age do not apply.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, Extension};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use conversion_core::exchange::Exchange;
use conversion_core::failure::Failure;
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::access::{bearer, log_refusal, wrong_key};
use super::events::{check_content_type, read_body};
use super::extract::Named;
use super::openapi::EventBody;
use super::problem::{ErrorBody, FieldErrors, Problem, unprocessable};
use crate::service::Service;
use crate::worker::{Station, Tested};

/// The spec's answer: what the platform said, and what it was told.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TestSent)]
struct Sent {
    ok: bool,
    status: Option<u16>,
    body: String,
    request_body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The spec's other answer.
#[derive(Serialize, ToSchema)]
#[schema(as = TestSkipped)]
struct Skipped {
    skipped: bool,
    reason: String,
}

/// What became of a test.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = TestAnswer)]
enum Answer {
    Sent(Sent),
    Skipped(Skipped),
}

/// Send one event at once
///
/// Past the queue, and answers with the platform's own answer.
#[utoipa::path(
    post, path = "/api/test/{sink}", tag = "sinks", operation_id = "sendTestEvent",
    params(("sink" = String, Path, description = "The sink.")),
    request_body = EventBody,
    responses(
        (status = 200, description = "The platform was asked, or the event is skipped there.", body = Answer),
        (status = 400, description = "The path or the body cannot be read.", body = ErrorBody),
        (status = 401, description = "The sink's test secret is missing or another.", body = ErrorBody),
        (status = 404, description = "The sink has no test endpoint.", body = ErrorBody),
        (status = 408, description = "The body did not come in time.", body = ErrorBody),
        (status = 413, description = "The body is too long.", body = ErrorBody),
        (status = 415, description = "The content type is another.", body = ErrorBody),
        (status = 422, description = "The event is not valid.", body = FieldErrors),
        (status = 429, description = "The address has sent too many wrong secrets.", body = ErrorBody),
        (status = 503, description = "The store cannot serve.", body = ErrorBody),
    ),
    security(("testSecret" = [])),
)]
pub(super) async fn send(
    service: Shared,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    Named(name): Named<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer.ip());
    let station = authorise(&service, &name, peer, &headers)?;
    check_content_type(&headers)?;
    let body = read_body(body, service.config.server.max_body).await?;
    let text = str::from_utf8(&body).map_err(|_| Problem::bad_request("the body is not UTF-8"))?;
    let event = match service.ingest.read(text, service.clock.now()) {
        Ok(event) => event,
        Err(error) => return Ok(unprocessable(error.errors)),
    };
    let station = Arc::clone(station);
    // To its end, even if the caller hangs up: what was sent must be on record.
    let tested = service.finish(async move { station.test(&event).await }).await??;
    let answer = match tested {
        Tested::Skipped(skip) => Answer::Skipped(Skipped { skipped: true, reason: skip.message }),
        Tested::Sent { exchange, failure } => Answer::Sent(Sent::of(exchange.as_ref(), failure)),
    };
    Ok(Json(answer).into_response())
}

fn authorise<'s>(
    service: &'s Service,
    name: &str,
    peer: Option<IpAddr>,
    headers: &HeaderMap,
) -> Result<&'s Arc<Station>, Problem> {
    let closed = || {
        Problem::not_found(format!(
            "there is no test endpoint for {name}; set the sink's test_secret to open it"
        ))
    };
    let sink = service.config.sinks.iter().find(|sink| sink.name == name).ok_or_else(closed)?;
    let secret = sink.options.test_secret.as_ref().filter(|secret| !secret.is_empty()).ok_or_else(closed)?;
    let message = "send the sink's test secret: Authorization: Bearer SECRET";
    let presented = bearer(headers).ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, message))?;
    if !secret.matches(presented) {
        let problem = wrong_key(service, peer, headers, message);
        log_refusal(service, peer, headers, &format!("a test of the sink {name} was refused: {problem}"));
        return Err(problem);
    }
    service.station(name).ok_or_else(closed)
}

impl Sent {
    fn of(exchange: Option<&Exchange>, failure: Option<Failure>) -> Self {
        let reply = exchange.and_then(|exchange| exchange.reply.as_ref());
        Self {
            ok: failure.is_none(),
            status: reply.map(|reply| reply.status),
            body: reply.map(|reply| reply.body.clone()).unwrap_or_default(),
            request_body: exchange.as_ref().map(|e| e.request.body.json().to_owned()).unwrap_or_default(),
            error: failure.filter(|_| reply.is_none()).map(|failure| failure.message),
        }
    }
}
