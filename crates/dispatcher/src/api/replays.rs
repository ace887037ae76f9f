//! Many skipped or failed deliveries, sent after all.

use std::fmt::Display;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use conversion_core::{Timestamp, number};
use conversion_store::{ReplaySelection, SinkState, Span, Status};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::Shared;
use super::events::{check_content_type, read_at_most};
use super::problem::{ErrorBody, Problem};
use crate::replay::{self, DEFAULT_RATE, MAX_RATE, Order, Summary};

/// A selection is short.
const MAX_BODY: usize = 16 * 1024;

/// What `POST /api/replays` takes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
#[expect(missing_docs, reason = "docs/operations.md describes each field")]
pub struct ReplayRequest {
    pub sink: Option<String>,
    #[schema(pattern = "^(SKIPPED|FAILED)$")]
    pub status: Option<String>,
    pub reason: Option<String>,
    pub event_name: Option<String>,
    pub event_id: Option<String>,
    #[schema(format = DateTime)]
    pub since: Option<String>,
    #[schema(format = DateTime)]
    pub until: Option<String>,
    #[schema(format = DateTime)]
    pub settled_since: Option<String>,
    #[schema(format = DateTime)]
    pub settled_until: Option<String>,
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 10_000)]
    pub rate: Option<u32>,
    pub dry_run: bool,
    #[schema(pattern = "^[0-9]{1,18}-[0-9]{1,9}$")]
    pub cursor: Option<String>,
}

fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let number = Option::<serde_json::Number>::deserialize(deserializer)?;
    let whole = |number: serde_json::Number| {
        number::whole(&number.to_string()).ok_or_else(|| D::Error::custom("rate: must be a whole number"))
    };
    number.map(whole).transpose()
}

/// Replay deliveries
///
/// Sends skipped and failed ones after all, or says what would become of them. Name at least one of what they are chosen
/// by: all but `rate`, `dryRun` and `cursor`.
#[utoipa::path(
    post, path = "/api/replays", tag = "deliveries", operation_id = "replayDeliveries",
    request_body = ReplayRequest,
    responses(
        (status = 200, description = "What was found and done.", body = Summary),
        (status = 400, description = "The body cannot be read, or chooses nothing.", body = ErrorBody),
        (status = 404, description = "There is no such sink.", body = ErrorBody),
        (status = 408, description = "The body did not come in time.", body = ErrorBody),
        (status = 413, description = "The body is too long.", body = ErrorBody),
        (status = 415, description = "The content type is another.", body = ErrorBody),
        (status = 503, description = "The store cannot serve.", body = ErrorBody),
    ),
)]
pub(super) async fn replay(
    State(service): Shared,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Summary>, Problem> {
    check_content_type(&headers)?;
    let body = read_at_most(body, MAX_BODY, "a selection is shorter").await?;
    let request = read(&body)?;
    let sinks = service.store.sinks().await?;
    let order = request.order(&sinks)?;
    let working = Arc::clone(&service);
    // To its end, even if the caller hangs up: what is made due must also be worked on.
    let summary = service.finish(replay::replay(working, order, sinks)).await??;
    Ok(Json(summary))
}

fn read(body: &[u8]) -> Result<ReplayRequest, Problem> {
    let asked = "send a JSON object that says what to replay";
    // An array of the values would do for the parser.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::bad_request(asked));
    }
    serde_json::from_slice(body).map_err(|error| Problem::bad_request(format!("{asked}: {error}")))
}

impl ReplayRequest {
    fn order(&self, sinks: &[SinkState]) -> Result<Order, Problem> {
        let sink = self.sink.as_ref().map(|name| {
            let found = sinks.iter().find(|sink| sink.name == *name).map(|sink| sink.id);
            found.ok_or_else(|| Problem::not_found(format!("sink: there is no sink {name}")))
        });
        let status = self.status.as_ref().map(|text| match text.parse() {
            Ok(status @ (Status::Skipped | Status::Failed)) => Ok(status),
            _ => Err(refuse("status", "must be SKIPPED or FAILED; what was delivered is never sent again")),
        });
        let after = self
            .cursor
            .as_ref()
            .map(|text| text.parse().map_err(|_| refuse("cursor", "must be a nextCursor")));
        let rate = self.rate.unwrap_or(DEFAULT_RATE);
        let rate = NonZeroU32::new(rate)
            .filter(|rate| rate.get() <= MAX_RATE)
            .ok_or_else(|| refuse("rate", format!("must lie between 1 and {MAX_RATE}")))?;
        let selection = ReplaySelection {
            sink: sink.transpose()?,
            status: status.transpose()?,
            reason: self.reason.clone(),
            event_name: self.event_name.clone(),
            event_id: self.event_id.clone(),
            accepted: span(["since", "until"], [&self.since, &self.until])?,
            settled: span(["settledSince", "settledUntil"], [&self.settled_since, &self.settled_until])?,
        };
        if selection == ReplaySelection::default() {
            return Err(Problem::bad_request(
                "say what to replay by at least one of sink, status, reason, eventName, eventId, since, until, \
                 settledSince and settledUntil",
            ));
        }
        Ok(Order { selection, rate, is_dry_run: self.dry_run, after: after.transpose()? })
    }
}

fn refuse(field: &str, message: impl Display) -> Problem {
    Problem::bad_request(format!("{field}: {message}"))
}

fn span(names: [&str; 2], texts: [&Option<String>; 2]) -> Result<Span, Problem> {
    let time = |name: &str, text: &Option<String>| -> Result<Option<Timestamp>, Problem> {
        let wrong = |_| refuse(name, "must be a time as RFC 3339, such as 2026-01-10T12:00:00Z");
        text.as_ref().map(|text| text.parse().map_err(wrong)).transpose()
    };
    let ([first, second], [since, until]) = (names, texts);
    let span = Span { since: time(first, since)?, until: time(second, until)? };
    match (span.since, span.until) {
        (Some(since), Some(until)) if until <= since => {
            Err(refuse(second, format!("must lie after {first}")))
        }
        _ => Ok(span),
    }
}
