//! The sinks, their holds, and the account.

use std::sync::Arc;

use axum::Json;
use conversion_core::Timestamp;
use conversion_core::reason::Place;
use conversion_store::{Audit, Hold, SinkState, StoreError, VerdictAccount};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::extract::Named;
use super::problem::{ErrorBody, Problem};
use crate::reason::{self, NOT_CONFIGURED};
use crate::service::Service;

/// A sink as the API shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Sink)]
#[expect(missing_docs, reason = "docs/operations.md describes each field")]
pub struct SinkView {
    pub name: String,
    pub kind: String,
    pub platform: String,
    pub state: &'static str,
    pub hold_reason: Option<String>,
    pub hold_message: Option<String>,
    pub hold_fix: Option<&'static str>,
    pub hold_actor: Option<&'static str>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub held_until: Option<Timestamp>,
    pub held_events: Vec<HeldEvent>,
    pub pending: u64,
    pub delivered: u64,
    pub skipped: u64,
    pub failed: u64,
    /// Only where the platform judges later what it has taken.
    #[serde(skip_serializing_if = "VerdictAccount::is_empty")]
    #[schema(required = false)]
    pub verdicts: VerdictAccount,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_delivered_at: Option<Timestamp>,
    /// Only while nothing can be handed to the external queue: why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_trouble: Option<String>,
}

/// The hold of one event name.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldEvent {
    pub event_name: String,
    pub reason: String,
    pub message: String,
    pub fix: Option<&'static str>,
    pub actor: Option<&'static str>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub held_until: Option<Timestamp>,
}

impl HeldEvent {
    fn of(hold: Hold) -> Self {
        let known = reason::of_hold(&hold.reason);
        Self {
            event_name: hold.event_name.unwrap_or_default(),
            reason: hold.reason,
            message: hold.message,
            fix: known.map(|reason| reason.fix),
            actor: known.map(|reason| reason.actor.name()),
            held_until: hold.until,
        }
    }
}

impl SinkView {
    /// The sink, as the store and the service see it.
    pub fn of(sink: SinkState, service: &Service) -> Self {
        let station = service.station(&sink.name);
        let (by_name, whole): (Vec<Hold>, Vec<Hold>) =
            sink.holds.into_iter().partition(|hold| hold.event_name.is_some());
        let hold = whole.into_iter().next();
        let reason = match &hold {
            _ if station.is_none() => Some(NOT_CONFIGURED.name_in(Place::Held).to_owned()),
            hold => hold.as_ref().map(|hold| hold.reason.clone()),
        };
        let known = reason.as_deref().and_then(reason::of_hold);
        Self {
            name: sink.name,
            kind: sink.kind,
            platform: sink.platform,
            state: if reason.is_some() { "HELD" } else { "ACTIVE" },
            hold_reason: reason,
            hold_message: hold.as_ref().map(|hold| hold.message.clone()),
            hold_fix: known.map(|reason| reason.fix),
            hold_actor: known.map(|reason| reason.actor.name()),
            held_until: hold.and_then(|hold| hold.until),
            held_events: by_name.into_iter().map(HeldEvent::of).collect(),
            pending: sink.account.pending,
            delivered: sink.account.delivered,
            skipped: sink.account.skipped,
            failed: sink.account.failed,
            verdicts: sink.account.verdicts,
            last_delivered_at: sink.last_delivered_at,
            queue_trouble: station
                .and_then(|station| station.handover.as_ref())
                .and_then(|handover| handover.trouble()),
        }
    }
}

/// Every sink that the store knows.
#[derive(Serialize, ToSchema)]
#[schema(as = Sinks)]
pub(super) struct List {
    items: Vec<SinkView>,
}

/// The state of each sink
#[utoipa::path(
    get, path = "/api/sinks", tag = "sinks", operation_id = "listSinks",
    responses(
        (status = 200, description = "All of them.", body = List),
        (status = 503, description = "The store cannot serve.", body = ErrorBody),
    ),
)]
pub(super) async fn list(service: Shared) -> Result<Json<List>, Problem> {
    let sinks = service.store.sinks().await?;
    let items = sinks.into_iter().map(|sink| SinkView::of(sink, &service)).collect();
    Ok(Json(List { items }))
}

/// Ends every hold of a sink
#[utoipa::path(
    post, path = "/api/sinks/{name}/resume", tag = "sinks", operation_id = "resumeSink",
    params(("name" = String, Path, description = "The sink.")),
    responses(
        (status = 200, description = "It is active.", body = Resumed),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 404, description = "No such sink is configured.", body = ErrorBody),
        (status = 503, description = "The store cannot serve.", body = ErrorBody),
    ),
)]
pub(super) async fn resume(service: Shared, Named(name): Named<String>) -> Result<Json<Resumed>, Problem> {
    let Some(station) = service.station(&name) else {
        return Err(Problem::not_found(format!("no sink {name} is configured")));
    };
    let station = Arc::clone(station);
    let resume = async move {
        for parked in station.resume().await? {
            station.release(Some(parked)).await;
        }
        Ok::<_, StoreError>(())
    };
    service.finish(resume).await??;
    Ok(Json(Resumed { name, state: "ACTIVE" }))
}

/// The account
#[utoipa::path(
    get, path = "/api/audit", tag = "sinks", operation_id = "audit",
    responses(
        (status = 200, description = "The account.", body = Audit),
        (status = 503, description = "The store cannot serve.", body = ErrorBody),
    ),
)]
pub(super) async fn audit(service: Shared) -> Result<Json<Audit>, Problem> {
    Ok(Json(service.store.audit().await?))
}

/// A sink or source whose holds were ended.
#[derive(Serialize, ToSchema)]
pub(super) struct Resumed {
    pub(super) name: String,
    pub(super) state: &'static str,
}
