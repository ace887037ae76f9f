//! What became of each webhook.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use conversion_core::Timestamp;
use conversion_store::{NoticeFilter, NoticeId, NoticeRecord, NoticeRetry, NoticeStatus, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Shared;
use super::problem::Problem;
use crate::reason;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 500;

/// A notice as the API shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
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
    pub received_at: Timestamp,
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ListQuery {
    status: Option<String>,
    source: Option<String>,
    appointment_id: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

impl ListQuery {
    fn filter(self) -> Result<NoticeFilter, Problem> {
        let refuse = |field: &str, message: &str| Problem::bad_request(format!("{field}: {message}"));
        let status = self.status.map(|text| text.parse().map_err(|error| refuse("status", error)));
        let after = self
            .cursor
            .map(|text| text.parse().map(NoticeId).map_err(|_| refuse("cursor", "must be a nextCursor")));
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(refuse("limit", &format!("must lie between 1 and {MAX_LIMIT}")));
        }
        Ok(NoticeFilter {
            status: status.transpose()?,
            source: self.source,
            appointment: self.appointment_id,
            limit,
            after: after.transpose()?,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List {
    items: Vec<NoticeView>,
    next_cursor: Option<String>,
}

/// `GET /api/notices`
pub(super) async fn list(
    service: Shared,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    let (notices, next) = service.store.notices(&query.filter()?).await?;
    let items = notices.into_iter().map(NoticeView::of).collect();
    Ok(Json(List { items, next_cursor: next.map(|id| id.0.to_string()) }).into_response())
}

/// `POST /api/notices/{id}/retry`
pub(super) async fn retry(State(service): Shared, Path(id): Path<String>) -> Result<Response, Problem> {
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
            Ok((StatusCode::ACCEPTED, Json(json!({ "id": id, "status": "PENDING" }))).into_response())
        }
        NoticeRetry::EventMade => Err(Problem::new(StatusCode::CONFLICT, "an event was made of the notice")),
        NoticeRetry::Unknown => Err(unknown()),
    }
}
