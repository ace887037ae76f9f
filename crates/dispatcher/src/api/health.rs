//! For whoever watches over the process.

use axum::Json;
use serde_json::{Value, json};

use super::Shared;
use super::problem::Problem;

/// The process answers.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({ "ok": true }))
}

/// An event could be accepted now: the store commits.
pub(super) async fn ready(service: Shared) -> Result<Json<Value>, Problem> {
    service.store.ready().await?;
    Ok(Json(json!({ "ok": true })))
}
