//! Webhooks of booking systems. The signature is the proof: no API key is asked for.

use std::net::SocketAddr;

use axum::Json;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, StatusCode};
use conversion_store::crash::{self, Room};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::access::log_refusal;
use super::events::{read_body, room_in};
use super::extract::Named;
use super::problem::{ErrorBody, Problem};

/// Longest body: a webhook names an appointment and little else.
const MAX_BODY: usize = 16 * 1024;

/// The notice is on disk.
#[derive(Serialize, ToSchema)]
pub(super) struct Kept {}

/// A booking system's webhook
///
/// Answers once the notice is on disk, before anything is made of it.
#[utoipa::path(
    post, path = "/api/webhooks/{kind}/{account}", tag = "bookings", operation_id = "webhook",
    params(
        ("kind" = String, Path, description = "The booking system, such as `acuity`."),
        ("account" = String, Path, description = "The source's name."),
    ),
    request_body(
        content = String, content_type = "application/x-www-form-urlencoded",
        description = "What the booking system writes.",
    ),
    responses(
        (status = 200, description = "It is kept.", body = Kept),
        (status = 400, description = "The path or the body cannot be read.", body = ErrorBody),
        (status = 401, description = "It is not signed as the booking system signs.", body = ErrorBody),
        (status = 404, description = "No such source is configured.", body = ErrorBody),
        (status = 408, description = "The body did not come in time.", body = ErrorBody),
        (status = 413, description = "The body is too long.", body = ErrorBody),
        (status = 503, description = "Nothing can be kept now.", body = ErrorBody),
    ),
    security(("acuitySignature" = [])),
)]
pub(super) async fn receive(
    service: Shared,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Named((kind, account)): Named<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Kept>, Problem> {
    let Some(desk) = service.desk(&account).filter(|desk| desk.descriptor.kind == kind) else {
        return Err(Problem::not_found(format!("no source {account} of kind {kind} is configured")));
    };
    let room = room_in(&service.webhook_room, &headers, MAX_BODY)?;
    let body = read_body(body, MAX_BODY).await?;
    drop(room);
    let signature = headers.get(desk.descriptor.signature_header).map(|value| value.as_bytes());
    let notice = desk.read(signature, &body).map_err(|not_genuine| {
        let what = format!("a webhook of the source {account} was refused: {not_genuine}");
        log_refusal(&service, Some(peer.ip()), &headers, &what);
        Problem::new(StatusCode::UNAUTHORIZED, not_genuine.to_string())
    })?;
    crash::pass(Room::WebhookRead);
    desk.keep(vec![notice]).await?;
    Ok(Json(Kept {}))
}
