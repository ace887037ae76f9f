//! Reporting events, and reading them back.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use conversion_store::crash::{self, Room};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::ToSchema;

use super::Shared;
use super::deliveries::DeliveryView;
use super::extract::Named;
use super::openapi::{EventLines, EventsBody};
use super::problem::{ErrorBody, Problem};
use crate::ingest::{IngestError, IngestResult, IngestStatus, SplitError, split};
use crate::service::Service;

/// A body that is not there by then is given up.
const BODY_TIME: Duration = Duration::from_secs(30);

/// One for each event, in order.
#[derive(Serialize, ToSchema)]
#[schema(as = EventResults)]
struct Results {
    results: Vec<IngestResult>,
}

/// Report events
///
/// One event, an array of events, or one event a line. A bad event does not cost the good ones.
#[utoipa::path(
    post, path = "/api/events", tag = "events", operation_id = "reportEvents",
    request_body(content((EventsBody = "application/json"), (EventLines = "application/x-ndjson"))),
    responses(
        (status = 202, description = "At least one event was accepted or is a duplicate.", body = Results),
        (status = 400, description = "The body is empty, not UTF-8, or no JSON.", body = ErrorBody),
        (status = 408, description = "The body did not come in time.", body = ErrorBody),
        (status = 413, description = "The body is too long, or has too many events.", body = ErrorBody),
        (status = 415, description = "The content type is another.", body = ErrorBody),
        (status = 422, description = "Every event was rejected.", body = Results),
        (status = 503, description = "Nothing can be accepted now.", body = ErrorBody),
    ),
)]
pub(super) async fn accept(service: Shared, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    check_content_type(&headers)?;
    let _room = body_room(&service, &headers, service.config.server.max_body)?;
    let body = read_body(body, service.config.server.max_body).await?;
    crash::pass(Room::RequestRead);
    let events = split(&body, service.config.server.max_events)?;
    let results = service.ingest.take(&events).await?;
    crash::pass(Room::BeforeAnswer);
    let any_kept = results.iter().any(|result| result.status != IngestStatus::Rejected);
    let status = if any_kept { StatusCode::ACCEPTED } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Json(Results { results })).into_response())
}

impl From<SplitError> for Problem {
    fn from(error: SplitError) -> Self {
        let status = match error {
            SplitError::TooMany { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            SplitError::NotUtf8 | SplitError::Empty | SplitError::NotJson(_) => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

/// Room in memory for a body, as long as it says it is or may be at most.
pub(super) fn body_room<'s>(
    service: &'s Service,
    headers: &HeaderMap,
    most: usize,
) -> Result<SemaphorePermit<'s>, Problem> {
    room_in(&service.body_room, headers, most)
}

/// The same, of another room.
pub(super) fn room_in<'r>(
    room: &'r Semaphore,
    headers: &HeaderMap,
    most: usize,
) -> Result<SemaphorePermit<'r>, Problem> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let bytes = u32::try_from(length.unwrap_or(most).min(most)).unwrap_or(u32::MAX);
    room.try_acquire_many(bytes).map_err(|_| IngestError::Overloaded.into())
}

/// A body as it is: nothing is unpacked here, so that nothing can grow in unpacking.
pub(super) fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let is_plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(header::CONTENT_ENCODING).iter().all(is_plain) {
        return Ok(());
    }
    let message = "send the body as it is, without Content-Encoding";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

/// JSON by any of its names, or unnamed, and not packed.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    check_encoding(headers)?;
    match essence(headers).as_deref() {
        None
        | Some("application/json" | "application/x-ndjson" | "application/ndjson" | "application/jsonl") => {
            Ok(())
        }
        Some(_) => {
            let message = "send Content-Type: application/json, or application/x-ndjson for one event a line";
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
        }
    }
}

/// The content type without its parameters, in lower case, if one is named.
pub(super) fn essence(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

pub(super) async fn read_body(body: Body, limit: usize) -> Result<axum::body::Bytes, Problem> {
    read_at_most(body, limit, "send less at once").await
}

/// The body, if it has come in time and is not too long; else the mend is `mend`.
pub(super) async fn read_at_most(body: Body, limit: usize, mend: &str) -> Result<axum::body::Bytes, Problem> {
    let read = tokio::time::timeout(BODY_TIME, axum::body::to_bytes(body, limit)).await;
    match read {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_too_long(&error) => {
            let message = format!("the body is longer than {limit} bytes; {mend}");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message))
        }
        Ok(Err(_)) => Err(Problem::bad_request("the body broke off")),
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    // The error's type lives in a crate that nothing else here needs; its sentence tells as much.
    std::error::Error::source(error).is_some_and(|source| source.to_string().contains("length limit"))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AcceptedEvent)]
struct EventView {
    /// The event as it was accepted.
    #[schema(value_type = Option<Object>)]
    event: Option<Box<RawValue>>,
    #[schema(value_type = String, format = DateTime)]
    accepted_at: conversion_core::Timestamp,
    /// The sinks that it was routed to.
    routed: Vec<String>,
    deliveries: Vec<DeliveryView>,
}

/// One event with its deliveries
#[utoipa::path(
    get, path = "/api/events/{name}/{id}", tag = "events", operation_id = "showEvent",
    params(("name" = String, Path, description = "Its `eventName`."), ("id" = String, Path, description = "Its `eventId`.")),
    responses(
        (status = 200, description = "The event.", body = EventView),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 404, description = "No such event was accepted.", body = ErrorBody),
        (status = 503, description = "The store cannot serve.", body = ErrorBody),
    ),
)]
pub(super) async fn show(
    service: Shared,
    Named((name, id)): Named<(String, String)>,
) -> Result<Response, Problem> {
    let Some(record) = service.store.event(&name, &id).await? else {
        return Err(Problem::not_found(format!("no event {name} with id {id} was accepted")));
    };
    let view = EventView {
        event: record.json.and_then(|json| RawValue::from_string(json).ok()),
        accepted_at: record.accepted_at,
        routed: record.routed,
        deliveries: record.deliveries.iter().map(DeliveryView::of).collect(),
    };
    Ok(Json(view).into_response())
}
