//! What became of each webhook.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use conversion_core::Timestamp;
use conversion_store::{NoticeFilter, NoticeId, NoticeRecord, NoticeRetry, NoticeStatus, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use super::deliveries::MadeDue;
use super::extract::{Asked, Named, page_limit};
use super::problem::{ErrorBody, Problem};
use crate::reason;

/// A notice as the API shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Notice)]
#[expect(missing_docs, reason = "docs/operations.md describes each field")]
pub struct NoticeView {
    pub id: String,
    pub source: String,
    pub action: String,
    pub appointment_id: Option<String>,
    pub status: NoticeStatus,
    pub reason: Option<String>,
    pub message: Option<String>,
    pub fix: Option<&'static str>,
    pub actor: Option<&'static str>,
    pub event_name: Option<String>,
    pub event_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    pub tries: u32,
}

impl NoticeView {
    /// The record.
    pub fn of(record: NoticeRecord) -> Self {
        let reason = reason::of_notice(&record);
        let (event_name, event_id) = record.event.unzip();
        Self {
            id: record.id.0.to_string(),
            source: record.source,
            action: record.action,
            appointment_id: record.appointment,
            status: record.status,
            reason: record.reason,
            message: record.message,
            fix: reason.map(|reason| reason.fix),
            actor: reason.map(|reason| reason.actor.name()),
            event_name,
            event_id,
            received_at: record.received_at,
            next_attempt_at: record.due_at,
            tries: record.tries,
        }
    }
}

/// What may stand behind `?`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    #[param(value_type = Option<NoticeStatus>)]
    status: Option<String>,
    /// Name of the source.
    source: Option<String>,
    /// Id of the appointment.
    appointment_id: Option<String>,
    /// Most notices of the answer; 50 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The `nextCursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}$")]
    cursor: Option<String>,
}

impl ListQuery {
    fn filter(self) -> Result<NoticeFilter, Problem> {
        let refuse = |field: &str, message: &str| Problem::bad_request(format!("{field}: {message}"));
        let status = self.status.map(|text| text.parse().map_err(|error| refuse("status", error)));
        let after = self
            .cursor
            .map(|text| text.parse().map(NoticeId).map_err(|_| refuse("cursor", "must be a nextCursor")));
        Ok(NoticeFilter {
            status: status.transpose()?,
            source: self.source,
            appointment: self.appointment_id,
            limit: page_limit(self.limit)?,
            after: after.transpose()?,
        })
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Notices)]
struct List {
    items: Vec<NoticeView>,
    next_cursor: Option<String>,
}

/// List notices
///
/// What booking systems reported, the latest first.
#[utoipa::path(
    get, path = "/api/notices", tag = "bookings", operation_id = "listNotices", params(ListQuery),
    responses(
        (status = 200, description = "A page of them.", body = List),
        (status = 400, description = "A parameter cannot be read.", body = ErrorBody),
        (status = 503, description = "The store cannot serve.", body = ErrorBody),
    ),
)]
pub(super) async fn list(service: Shared, Asked(query): Asked<ListQuery>) -> Result<Response, Problem> {
    let (notices, next) = service.store.notices(&query.filter()?).await?;
    let items = notices.into_iter().map(NoticeView::of).collect();
    Ok(Json(List { items, next_cursor: next.map(|id| id.0.to_string()) }).into_response())
}

/// Retry a notice
///
/// Puts a failed or ignored one back to pending; makes a waiting one due.
#[utoipa::path(
    post, path = "/api/notices/{id}/retry", tag = "bookings", operation_id = "retryNotice",
    params(("id" = String, Path, description = "Its `id`.")),
    responses(
        (status = 202, description = "It is due.", body = MadeDue),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 404, description = "No such notice is about an appointment.", body = ErrorBody),
        (status = 409, description = "An event was made of it.", body = ErrorBody),
        (status = 503, description = "The store cannot serve.", body = ErrorBody),
    ),
)]
pub(super) async fn retry(State(service): Shared, Named(id): Named<String>) -> Result<Response, Problem> {
    let unknown = || Problem::not_found(format!("no notice {id} is about an appointment"));
    let notice = id.parse().map(NoticeId).map_err(|_| unknown())?;
    let working = Arc::clone(&service);
    // To its end, even if the caller hangs up: what is made due must also be worked on.
    let retry = async move {
        let now = working.clock.now();
        let outcome = working.store.retry_notice(notice, now).await?;
        working.desks.iter().for_each(|desk| desk.alarm.set(now));
        Ok::<_, StoreError>(outcome)
    };
    match service.finish(retry).await?? {
        NoticeRetry::Due => {
            let due = MadeDue { id, status: NoticeStatus::Pending.name() };
            Ok((StatusCode::ACCEPTED, Json(due)).into_response())
        }
        NoticeRetry::EventMade => Err(Problem::new(StatusCode::CONFLICT, "an event was made of the notice")),
        NoticeRetry::Unknown => Err(unknown()),
    }
}
