//! Why deliveries, holds and notices stand as they do, and what to do about it.

use axum::Json;
use conversion_core::reason::{self, Place, Reason};
use serde::Serialize;
use utoipa::ToSchema;

/// A reason as the API shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Reason)]
#[expect(missing_docs, reason = "docs/operations.md describes each field")]
pub struct ReasonView {
    pub name: &'static str,
    pub places: Vec<&'static str>,
    pub sentence: &'static str,
    pub actor: &'static str,
    pub fix: &'static str,
}

impl ReasonView {
    /// The entry of the registry.
    pub fn of(reason: &Reason) -> Self {
        Self {
            name: reason.name,
            places: reason.places.iter().copied().map(Place::name).collect(),
            sentence: reason.sentence,
            actor: reason.actor.name(),
            fix: reason.fix,
        }
    }
}

/// Every reason.
#[derive(Serialize, ToSchema)]
#[schema(as = Reasons)]
pub(super) struct List {
    items: Vec<ReasonView>,
}

/// List reasons
///
/// Why deliveries, holds and notices stand as they do, and what to do about it.
#[utoipa::path(
    get, path = "/api/reasons", tag = "deliveries", operation_id = "listReasons",
    responses((status = 200, description = "All of them, by name.", body = List)),
)]
pub(super) async fn list() -> Json<List> {
    Json(List { items: reason::all().into_iter().map(ReasonView::of).collect() })
}
