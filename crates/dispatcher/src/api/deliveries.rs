//! What became of each telling.

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use conversion_core::consent::ConsentVerdict;
use conversion_core::{Timestamp, registry};
use conversion_store::{
    AttemptRecord, Confirmation, DeliveryDetail, DeliveryFilter, DeliveryId, DeliveryRecord, Origin,
    RetryOutcome, Status, StoreError,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use super::access::Access;
use super::extract::{Asked, Named, page_limit};
use super::openapi;
use super::problem::{ErrorBody, Problem};
use crate::reason;

/// A delivery as the API shows it: the request with its own item alone.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Delivery)]
#[expect(missing_docs, reason = "docs/operations.md describes each field")]
pub struct DeliveryView {
    pub id: String,
    pub event_id: String,
    pub event_name: String,
    pub conversion_id: String,
    pub sink: String,
    pub platform: String,
    pub status: Status,
    pub reason: Option<String>,
    pub message: Option<String>,
    pub fix: Option<&'static str>,
    pub actor: Option<&'static str>,
    pub attempts: u32,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    pub response_code: Option<u16>,
    pub request_body: Option<String>,
    pub response_body: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub accepted_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub settled_at: Option<Timestamp>,
    #[schema(schema_with = openapi::consent_verdict)]
    pub consent: Option<ConsentVerdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<&'static str>,
}

impl fmt::Debug for DeliveryView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("DeliveryView");
        debug.field("id", &self.id).field("status", &self.status).field("reason", &self.reason);
        debug.finish_non_exhaustive()
    }
}

impl DeliveryView {
    /// The record, with what of its last exchange is its own.
    pub fn of(record: &DeliveryRecord) -> Self {
        let attempt = record.last_attempt.as_ref();
        let reason = reason::of_delivery(record);
        Self {
            id: record.id.to_string(),
            event_id: record.event_id.clone(),
            event_name: record.event_name.clone(),
            conversion_id: record.conversion_id.clone(),
            sink: record.sink.clone(),
            platform: record.platform.clone(),
            status: record.status,
            reason: record.reason.clone(),
            message: record.message.clone(),
            fix: reason.map(|reason| reason.fix),
            actor: reason.map(|reason| reason.actor.name()),
            attempts: record.attempts,
            next_attempt_at: record.next_attempt_at,
            response_code: record.response_code,
            request_body: attempt.and_then(own_request),
            response_body: attempt.and_then(|attempt| own_response(attempt, &record.kind)),
            accepted_at: record.accepted_at,
            settled_at: record.settled_at,
            consent: record.consent,
            confirmation: Some(record.confirmation)
                .filter(|confirmation| *confirmation != Confirmation::None),
            origin: (record.origin == Origin::Test).then_some("test"),
        }
    }
}

fn own_request(attempt: &AttemptRecord) -> Option<String> {
    attempt.exchange.body.with_item_alone(attempt.position)
}

fn own_response(attempt: &AttemptRecord, kind: &str) -> Option<String> {
    let reply = attempt.exchange.reply.as_ref()?;
    if attempt.exchange.body.len() == 1 {
        return Some(reply.body.clone());
    }
    (registry::find(kind)?.own_reply)(&reply.body, attempt.position)
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Exchange)]
struct ExchangeView {
    number: u32,
    result: String,
    note: Option<String>,
    url: String,
    #[schema(value_type = Vec<Vec<String>>)]
    headers: Vec<(String, String)>,
    request_body: Option<String>,
    response_code: Option<u16>,
    response_body: Option<String>,
    response_truncated: bool,
    #[schema(value_type = String, format = DateTime)]
    sent_at: Timestamp,
    #[schema(value_type = u64)]
    duration_ms: u128,
}

impl ExchangeView {
    fn of(attempt: AttemptRecord, kind: &str, whole: bool) -> Self {
        let (request_body, response_body) = if whole {
            let response = attempt.exchange.reply.as_ref().map(|reply| reply.body.clone());
            (Some(attempt.exchange.body.json().to_owned()), response)
        } else {
            (own_request(&attempt), own_response(&attempt, kind))
        };
        let exchange = attempt.exchange;
        Self {
            number: attempt.number,
            result: attempt.result,
            note: attempt.note,
            url: exchange.url.clone(),
            headers: exchange.headers.clone(),
            request_body,
            response_body,
            response_code: exchange.reply.as_ref().map(|reply| reply.status),
            response_truncated: exchange.reply.as_ref().is_some_and(|reply| reply.truncated),
            sent_at: exchange.sent_at,
            duration_ms: exchange.duration.as_millis(),
        }
    }
}

/// What may stand behind `?`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    #[param(value_type = Option<Status>)]
    status: Option<String>,
    /// The platform's later verdict.
    #[param(value_type = Option<Confirmation>)]
    confirmation: Option<String>,
    /// Name of the sink.
    sink: Option<String>,
    /// Name of the reason.
    reason: Option<String>,
    /// Id of the event.
    event_id: Option<String>,
    /// Only of events accepted at this time or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Most deliveries of the answer; 50 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The `nextCursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}-[0-9]{1,9}$")]
    cursor: Option<String>,
}

impl ListQuery {
    fn filter(self) -> Result<DeliveryFilter, Problem> {
        let refuse = |field: &str, message: &str| Problem::bad_request(format!("{field}: {message}"));
        let status = self.status.map(|text| text.parse().map_err(|error| refuse("status", error)));
        let confirmation =
            self.confirmation.map(|text| text.parse().map_err(|error| refuse("confirmation", error)));
        let since = self.since.map(|text| {
            text.parse()
                .map_err(|_| refuse("since", "must be a time as RFC 3339, such as 2026-01-10T12:00:00Z"))
        });
        let after =
            self.cursor.map(|text| text.parse().map_err(|_| refuse("cursor", "must be a nextCursor")));
        Ok(DeliveryFilter {
            status: status.transpose()?,
            confirmation: confirmation.transpose()?,
            sink: self.sink,
            reason: self.reason,
            event_id: self.event_id,
            since: since.transpose()?,
            with_attempts: true,
            limit: page_limit(self.limit)?,
            after: after.transpose()?,
        })
    }
}

/// List deliveries
///
/// The latest accepted first.
#[utoipa::path(
    get, path = "/api/deliveries", tag = "deliveries", operation_id = "listDeliveries", params(ListQuery),
    responses(
        (status = 200, description = "A page of them.", body = List),
        (status = 400, description = "A parameter cannot be read.", body = ErrorBody),
        (status = 503, description = "The store cannot serve.", body = ErrorBody),
    ),
)]
pub(super) async fn list(service: Shared, Asked(query): Asked<ListQuery>) -> Result<Response, Problem> {
    let page = service.store.deliveries(&query.filter()?).await?;
    let items = page.items.iter().map(DeliveryView::of).collect();
    Ok(Json(List { items, next_cursor: page.next.map(|id| id.to_string()) }).into_response())
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Deliveries)]
struct List {
    items: Vec<DeliveryView>,
    next_cursor: Option<String>,
}

/// What may stand behind `?`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ShowQuery {
    /// The whole exchange, neighbours included: needs the `admin` scope.
    #[serde(default)]
    whole: bool,
}

/// One delivery with every attempt
#[utoipa::path(
    get, path = "/api/deliveries/{id}", tag = "deliveries", operation_id = "showDelivery",
    params(("id" = String, Path, description = "Its `id`."), ShowQuery),
    responses(
        (status = 200, description = "The delivery.", body = DetailView),
        (status = 400, description = "A parameter cannot be read.", body = ErrorBody),
        (status = 404, description = "There is no such delivery.", body = ErrorBody),
        (status = 503, description = "The store cannot serve.", body = ErrorBody),
    ),
)]
pub(super) async fn show(
    service: Shared,
    Extension(access): Extension<Access>,
    Named(id): Named<String>,
    Asked(query): Asked<ShowQuery>,
) -> Result<Response, Problem> {
    if query.whole && !access.is_admin {
        return Err(Problem::new(StatusCode::FORBIDDEN, "whole exchanges need a key with the admin scope"));
    }
    let id = parse(&id)?;
    let Some(detail) = service.store.delivery(id).await? else { return Err(unknown(id)) };
    Ok(Json(DetailView::of(detail, query.whole)).into_response())
}

/// A delivery with every exchange that it was part of, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryDetail)]
pub struct DetailView {
    #[serde(flatten)]
    delivery: DeliveryView,
    exchanges: Vec<ExchangeView>,
}

impl DetailView {
    /// The delivery; of its exchanges all, or its own part alone.
    pub fn of(detail: DeliveryDetail, whole: bool) -> Self {
        let DeliveryDetail { delivery, attempts } = detail;
        let exchange = |attempt| ExchangeView::of(attempt, &delivery.kind, whole);
        let exchanges = attempts.into_iter().map(exchange).collect();
        Self { delivery: DeliveryView::of(&delivery), exchanges }
    }
}

impl fmt::Debug for DetailView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetailView").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

/// Retry a delivery
///
/// Puts a failed or skipped one back to pending; makes a waiting one due.
#[utoipa::path(
    post, path = "/api/deliveries/{id}/retry", tag = "deliveries", operation_id = "retryDelivery",
    params(("id" = String, Path, description = "Its `id`.")),
    responses(
        (status = 202, description = "It is due.", body = MadeDue),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 404, description = "There is no such delivery.", body = ErrorBody),
        (status = 409, description = "It was delivered, or is under way.", body = ErrorBody),
        (status = 503, description = "The store cannot serve.", body = ErrorBody),
    ),
)]
pub(super) async fn retry(State(service): Shared, Named(id): Named<String>) -> Result<Response, Problem> {
    let id = parse(&id)?;
    let working = Arc::clone(&service);
    // To its end, even if the caller hangs up: what is made due must also be worked on.
    let retry = async move {
        let now = working.clock.now();
        let outcome = working.store.retry(id, working.config.delivery.queue.into(), now).await?;
        if let Some(station) = working.stations.iter().find(|station| station.id == id.sink) {
            station.alarm.set(now);
        }
        Ok::<_, StoreError>(outcome)
    };
    match service.finish(retry).await?? {
        RetryOutcome::Due => {
            let due = MadeDue { id: id.to_string(), status: Status::Pending.name() };
            Ok((StatusCode::ACCEPTED, Json(due)).into_response())
        }
        RetryOutcome::UnderWay => {
            Err(Problem::new(StatusCode::CONFLICT, "the delivery is under way right now"))
        }
        RetryOutcome::AlreadyDelivered => {
            Err(Problem::new(StatusCode::CONFLICT, "the delivery was delivered; it is never sent again"))
        }
        RetryOutcome::Unknown => Err(unknown(id)),
    }
}

/// What was put back to pending.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeDue {
    pub(super) id: String,
    pub(super) status: &'static str,
}

fn parse(id: &str) -> Result<DeliveryId, Problem> {
    id.parse().map_err(|error: &str| Problem::not_found(error))
}

fn unknown(id: DeliveryId) -> Problem {
    Problem::not_found(format!("there is no delivery {id}"))
}
