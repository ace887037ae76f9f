//! Webhooks of booking systems. The signature is the proof: no API key is asked for.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::Shared;
use super::access::client_address;
use super::events::read_body;
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
    let desk = service.desk(&account).filter(|desk| desk.descriptor.kind == kind);
    let Some(desk) = desk.map(Arc::clone) else {
        return Err(Problem::not_found(format!("no source {account} of kind {kind} is configured")));
    };
    let body = read_body(body, MAX_BODY).await?;
    let signature = headers.get(desk.descriptor.signature_header).map(|value| value.as_bytes());
    let notice = desk.read(signature, &body).map_err(|not_genuine| {
        let client = client_address(peer.ip(), &headers, &service.config.server.trusted_proxies);
        tracing::warn!(source = %desk.name, %client, "a webhook was refused: {not_genuine}");
        Problem::new(StatusCode::UNAUTHORIZED, not_genuine.to_string())
    })?;
    // To its end, even if the caller hangs up: what is kept must also be worked on.
    service.finish(async move { desk.keep(&[notice]).await }).await??;
    Ok(Json(json!({})))
}
