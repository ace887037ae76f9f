//! For whoever watches over the process.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::problem::{ErrorBody, Problem};

/// All is well.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    ok: bool,
}

/// The process answers
#[utoipa::path(
    get, path = "/healthz", tag = "service", operation_id = "alive",
    responses((status = 200, description = "It does.", body = Health)),
)]
pub(super) async fn alive() -> Json<Health> {
    Json(Health { ok: true })
}

/// An event could be accepted now
///
/// The store commits.
#[utoipa::path(
    get, path = "/readyz", tag = "service", operation_id = "ready",
    responses(
        (status = 200, description = "It could.", body = Health),
        (status = 503, description = "The store cannot commit.", body = ErrorBody),
    ),
)]
pub(super) async fn ready(service: Shared) -> Result<Json<Health>, Problem> {
    service.store.ready().await?;
    Ok(Json(Health { ok: true }))
}
