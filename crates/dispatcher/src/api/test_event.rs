//! `POST /api/test/{sink}`: sends one event at once, past the queue, and answers with the platform's own answer.
//!
//! Recorded with origin `test`, outside the account. Rules about the event's age do not apply.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, Extension, Path};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use conversion_core::exchange::Exchange;
use conversion_core::failure::Failure;
use serde::Serialize;

use super::Shared;
use super::access::{bearer, log_refusal, wrong_key};
use super::events::{check_content_type, read_body};
use super::problem::{Problem, unprocessable};
use crate::service::Service;
use crate::worker::{Station, Tested};

/// The spec's answer: what the platform said, and what it was told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    ok: bool,
    status: Option<u16>,
    body: String,
    request_body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The spec's other answer.
#[derive(Serialize)]
struct Skipped {
    skipped: bool,
    reason: String,
}

/// The handler.
pub(super) async fn send(
    service: Shared,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    Path(name): Path<String>,
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
        Err(error) => return Ok(unprocessable(&error.errors)),
    };
    let station = Arc::clone(station);
    // To its end, even if the caller hangs up: what was sent must be on record.
    let tested = service.finish(async move { station.test(&event).await }).await??;
    Ok(match tested {
        Tested::Skipped(skip) => Json(Skipped { skipped: true, reason: skip.message }).into_response(),
        Tested::Sent { exchange, failure } => Json(Sent::of(exchange.as_ref(), failure)).into_response(),
    })
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
