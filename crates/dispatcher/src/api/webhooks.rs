//! Webhooks of booking systems. The signature is the proof: no API key is asked for.

use std::net::SocketAddr;

use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path};
use axum::http::{HeaderMap, StatusCode};
use conversion_store::crash::{self, Room};
use serde_json::{Value, json};

use super::Shared;
use super::access::log_refusal;
use super::events::{read_body, room_in};
use super::problem::Problem;

/// Longest body: a webhook names an appointment and little else.
const MAX_BODY: usize = 16 * 1024;

/// `POST /api/webhooks/{kind}/{account}`: answers once the notice is on disk, before anything is made of it.
pub(super) async fn receive(
    service: Shared,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path((kind, account)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
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
    Ok(Json(json!({})))
}
