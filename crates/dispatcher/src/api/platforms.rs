//! The platforms that this program can tell.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::platform::{self, PlatformView};

/// Every platform.
#[derive(Serialize, ToSchema)]
#[schema(as = Platforms)]
pub(super) struct List {
    items: Vec<PlatformView>,
}

/// List platforms
///
/// What is true of each platform whatever the settings.
#[utoipa::path(
    get, path = "/api/platforms", tag = "sinks", operation_id = "listPlatforms",
    responses((status = 200, description = "All that this program can tell, by kind.", body = List)),
)]
pub(super) async fn list() -> Json<List> {
    Json(List { items: platform::all() })
}
