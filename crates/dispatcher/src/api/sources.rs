//! The booking systems, their holds, and comparing with them.

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use conversion_core::Timestamp;
use conversion_store::NoticeCounts;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use super::events::{body_room, check_content_type, read_body};
use super::extract::{Asked, Named};
use super::problem::{ErrorBody, Problem};
use super::sinks::Resumed;
use crate::booking::{Comparison, Desk};
use crate::reason;
use crate::service::Service;

/// Appointments in one request to compare.
const MAX_APPOINTMENTS: usize = 1000;

/// A source as the API shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Source)]
#[expect(missing_docs, reason = "docs/operations.md describes each field")]
pub struct SourceView {
    pub name: String,
    pub kind: &'static str,
    pub state: &'static str,
    pub hold_reason: Option<String>,
    pub hold_message: Option<String>,
    pub hold_fix: Option<&'static str>,
    pub hold_actor: Option<&'static str>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub held_until: Option<Timestamp>,
    #[serde(flatten)]
    pub notices: NoticeCounts,
}

impl SourceView {
    fn of(desk: &Desk, notices: NoticeCounts) -> Self {
        let hold = desk.gate.hold(None);
        let known = hold.as_ref().and_then(|hold| reason::of_hold(&hold.reason));
        Self {
            name: desk.name.clone(),
            kind: desk.descriptor.kind,
            state: if hold.is_some() { "HELD" } else { "ACTIVE" },
            hold_reason: hold.as_ref().map(|hold| hold.reason.clone()),
            hold_message: hold.as_ref().map(|hold| hold.message.clone()),
            hold_fix: known.map(|reason| reason.fix),
            hold_actor: known.map(|reason| reason.actor.name()),
            held_until: hold.and_then(|hold| hold.until),
            notices,
        }
    }
}

/// Every configured source.
#[derive(Serialize, ToSchema)]
#[schema(as = Sources)]
pub(super) struct List {
    items: Vec<SourceView>,
}

/// The state of each booking system
#[utoipa::path(
    get, path = "/api/sources", tag = "bookings", operation_id = "listSources",
    responses(
        (status = 200, description = "All of them.", body = List),
        (status = 503, description = "The store cannot serve.", body = ErrorBody),
    ),
)]
pub(super) async fn list(service: Shared) -> Result<Json<List>, Problem> {
    let mut items = Vec::new();
    for desk in &service.desks {
        items.push(SourceView::of(desk, service.store.notice_counts(&desk.name).await?));
    }
    Ok(Json(List { items }))
}

fn desk<'s>(service: &'s Service, name: &str) -> Result<&'s Desk, Problem> {
    let desk = service.desk(name).map(AsRef::as_ref);
    desk.ok_or_else(|| Problem::not_found(format!("no source {name} is configured")))
}

/// Ends the hold of a source
#[utoipa::path(
    post, path = "/api/sources/{name}/resume", tag = "bookings", operation_id = "resumeSource",
    params(("name" = String, Path, description = "The source.")),
    responses(
        (status = 200, description = "It is active.", body = Resumed),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 404, description = "No such source is configured.", body = ErrorBody),
    ),
)]
pub(super) async fn resume(service: Shared, Named(name): Named<String>) -> Result<Json<Resumed>, Problem> {
    desk(&service, &name)?.resume();
    Ok(Json(Resumed { name, state: "ACTIVE" }))
}

/// What may stand behind `?`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct ReconcileQuery {
    /// Queues nothing.
    #[serde(default)]
    dry_run: bool,
}

/// One for each appointment, in order.
#[derive(Serialize, ToSchema)]
#[schema(as = Comparisons)]
pub(super) struct Results {
    results: Vec<Comparison>,
}

/// Compare appointments with what is known
///
/// Takes them as the booking system lists them, and queues those of which something was missed.
#[utoipa::path(
    post, path = "/api/sources/{name}/reconcile", tag = "bookings", operation_id = "reconcile",
    params(("name" = String, Path, description = "The source."), ReconcileQuery),
    request_body = Vec<serde_json::Value>,
    responses(
        (status = 200, description = "What follows from each.", body = Results),
        (status = 400, description = "A parameter or the body cannot be read.", body = ErrorBody),
        (status = 404, description = "No such source is configured.", body = ErrorBody),
        (status = 408, description = "The body did not come in time.", body = ErrorBody),
        (status = 413, description = "The body is too long, or has too many appointments.", body = ErrorBody),
        (status = 415, description = "The content type is another.", body = ErrorBody),
        (status = 503, description = "The store cannot serve.", body = ErrorBody),
    ),
)]
pub(super) async fn reconcile(
    service: Shared,
    Named(name): Named<String>,
    Asked(query): Asked<ReconcileQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Results>, Problem> {
    let desk = desk(&service, &name)?;
    check_content_type(&headers)?;
    let _room = body_room(&service, &headers, service.config.server.max_body)?;
    let body = read_body(body, service.config.server.max_body).await?;
    let appointments: Vec<Box<RawValue>> = serde_json::from_slice(&body).map_err(|_| {
        Problem::bad_request("send a JSON array of appointments as the booking system writes them")
    })?;
    if appointments.len() > MAX_APPOINTMENTS {
        let message = format!("{} appointments; send at most {MAX_APPOINTMENTS} at once", appointments.len());
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    let results = desk.compare(&appointments).await?;
    if !query.dry_run {
        desk.queue(&results).await?;
    }
    Ok(Json(Results { results }))
}
