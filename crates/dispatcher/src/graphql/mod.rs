//! What is on record, by GraphQL: read only, with the REST API's own views.
//!
//! What a query asks for is looked up at its root, a fixed number of reads whatever the number of rows; nothing below
//! the root reads the store.

mod appointment;
mod delivery;
mod event;
mod scalar;
mod sink;
mod size;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{
    Context, EmptyMutation, EmptySubscription, Error, ID, Lookahead, Object, Request, Response, Result,
    Schema, SimpleObject,
};
use conversion_store::{AppointmentFilter, DeliveryFilter, DeliveryId, EventFilter, StoreError};

use self::appointment::Appointment;
use self::delivery::{Delivery, DeliveryStatus, LateVerdict};
use self::event::CanonicalEvent;
use self::scalar::DateTime;
use self::sink::Sink;
use crate::config::Graphql;
use crate::service::Service;

/// Items of a list, unless the query says how many.
const DEFAULT_LIMIT: i32 = 20;
/// Items of a list at most.
const MAX_LIMIT: i32 = 500;
/// Events that are shown of an appointment at most: it has one for each time that it was booked, moved or cancelled. The
/// schema says the number.
const EVENTS_EACH: usize = 50;

/// The schema, with what it reads.
pub type ApiSchema = Schema<Query, EmptyMutation, EmptySubscription>;

/// The schema over a service, within these bounds.
pub fn schema(bounds: Graphql) -> ApiSchema {
    Schema::build(Query, EmptyMutation, EmptySubscription)
        .limit_depth(bounds.max_depth)
        .limit_complexity(bounds.max_complexity)
        .finish()
}

/// The store could not answer. What it said is logged.
#[derive(Clone, Copy, Debug)]
pub struct Unavailable;

/// Answers one request. Refusals name the bound.
pub async fn execute(
    schema: &ApiSchema,
    mut request: Request,
    service: &Arc<Service>,
) -> Result<Response, Unavailable> {
    let bounds = service.config.graphql;
    // The schema's own checks walk fragments as often as they are named: not before it is known how often that is.
    if let Err(error) = request.parsed_query().and_then(size::check) {
        return Ok(Response::from_errors(vec![error]));
    }
    let mut response = schema.execute(request.data(Arc::clone(service))).await;
    if let Some(error) = response.errors.iter().find_map(|error| error.source::<StoreError>()) {
        tracing::error!(%error, "the store refused");
        return Err(Unavailable);
    }
    for error in &mut response.errors {
        match error.message.as_str() {
            "Query is nested too deep." => {
                error.message = format!("the query is nested deeper than {} fields", bounds.max_depth);
            }
            "Query is too complex." => {
                error.message = format!(
                    "the query may ask for more than {} values; ask for fewer items or fields at once",
                    bounds.max_complexity
                );
            }
            _ => {}
        }
    }
    Ok(response)
}

/// Everything that can be asked for.
#[derive(Debug)]
pub struct Query;

/// A part of a list.
#[derive(SimpleObject)]
#[graphql(concrete(name = "DeliveryPage", params(Delivery)))]
#[graphql(concrete(name = "EventPage", params(CanonicalEvent)))]
struct Page<T: async_graphql::OutputType> {
    /// The items.
    items: Vec<T>,
    /// What `after` takes to get the next part; null where this was the last.
    next_cursor: Option<String>,
}

#[Object]
impl Query {
    /// Appointments, the latest first, from their booking system or from events that name them.
    #[graphql(complexity = "items(limit) * (1 + child_complexity)")]
    async fn appointments(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "DEFAULT_LIMIT", desc = "How many at most, up to 500.")] limit: i32,
        #[graphql(desc = "Continue after this `cursor` of an appointment.")] after: Option<String>,
        #[graphql(desc = "Only this appointment.")] id: Option<ID>,
    ) -> Result<Vec<Appointment>> {
        let filter = AppointmentFilter {
            id: id.map(|id| id.0),
            limit: checked(limit)?,
            after: after.map(|cursor| number(&cursor)).transpose()?,
        };
        let wanted = Wanted::at(&context.look_ahead().field("canonicalEvents"));
        appointments(service(context)?, &filter, wanted).await
    }

    /// Accepted events, the latest first.
    #[graphql(complexity = "items(limit) * (1 + child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "each is an argument of the field")]
    async fn events(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "DEFAULT_LIMIT", desc = "How many at most, up to 500.")] limit: i32,
        #[graphql(desc = "Continue after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only events with this name.")] name: Option<String>,
        #[graphql(desc = "Only events with this id.")] event_id: Option<String>,
        #[graphql(desc = "Only events of this appointment.")] appointment_id: Option<ID>,
        #[graphql(desc = "Only events accepted at this time or later.")] since: Option<DateTime>,
    ) -> Result<Page<CanonicalEvent>> {
        let filter = EventFilter {
            appointments: appointment_id.map(|id| vec![id.0]),
            first_of_each: None,
            name,
            id: event_id,
            since: since.map(|time| time.0),
            limit: checked(limit)?,
            after: after.map(|cursor| number(&cursor)).transpose()?,
        };
        let wanted = Wanted::at(&context.look_ahead().field("items")).unwrap_or_default();
        let (items, next) = events(service(context)?, &filter, wanted).await?;
        Ok(Page { items, next_cursor: next.map(|next| next.to_string()) })
    }

    /// Deliveries, those of the latest accepted events first.
    #[graphql(complexity = "items(limit) * (1 + child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "each is an argument of the field")]
    async fn deliveries(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "DEFAULT_LIMIT", desc = "How many at most, up to 500.")] limit: i32,
        #[graphql(desc = "Continue after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only deliveries in this state.")] status: Option<DeliveryStatus>,
        #[graphql(desc = "Only deliveries with this later verdict of the platform.")] confirmation: Option<
            LateVerdict,
        >,
        #[graphql(desc = "Only deliveries at the sink of this name.")] sink: Option<String>,
        #[graphql(desc = "Only deliveries with this reason.")] reason: Option<String>,
        #[graphql(desc = "Only deliveries of events with this id.")] event_id: Option<String>,
        #[graphql(desc = "Only deliveries of events accepted at this time or later.")] since: Option<
            DateTime,
        >,
    ) -> Result<Page<Delivery>> {
        let after = after.map(|cursor| cursor.parse::<DeliveryId>().map_err(|_| wrong_cursor()));
        let with_attempts = are_exchanges_wanted(&context.look_ahead().field("items"));
        let filter = DeliveryFilter {
            status: status.map(Into::into),
            confirmation: confirmation.map(Into::into),
            sink,
            reason,
            event_id,
            since: since.map(|time| time.0),
            with_attempts,
            limit: checked(limit)?,
            after: after.transpose()?,
        };
        let page = service(context)?.store.deliveries(&filter).await?;
        let items = page.items.iter().map(Delivery::of).collect();
        Ok(Page { items, next_cursor: page.next.map(|id| id.to_string()) })
    }

    /// Every sink that the store knows.
    #[graphql(complexity = "10 * (1 + child_complexity)")]
    async fn sinks(&self, context: &Context<'_>) -> Result<Vec<Sink>> {
        let service = service(context)?;
        let sinks = service.store.sinks().await?;
        Ok(sinks.into_iter().map(|sink| Sink::of(sink, service)).collect())
    }
}

/// Appointments, with the events that `wanted` asks for.
async fn appointments(
    service: &Service,
    filter: &AppointmentFilter,
    wanted: Option<Wanted>,
) -> Result<Vec<Appointment>> {
    let (records, _) = service.store.appointments(filter).await?;
    let mut appointments: Vec<Appointment> = records.into_iter().map(Appointment::of).collect();
    let mut keys: Vec<String> = appointments.iter().filter_map(Appointment::attribution_key).collect();
    keys.sort_unstable();
    keys.dedup();
    if !keys.is_empty() {
        let attributions = service.store.attributions(&keys).await?;
        appointments.iter_mut().for_each(|appointment| appointment.attribute(&attributions));
    }
    let ids: Vec<String> = appointments.iter().map(|appointment| appointment.key().to_owned()).collect();
    if let Some(wanted) = wanted.filter(|_| !ids.is_empty()) {
        let filter = EventFilter {
            limit: ids.len().saturating_mul(EVENTS_EACH),
            appointments: Some(ids),
            first_of_each: Some(EVENTS_EACH),
            ..EventFilter::default()
        };
        let (found, _) = events(service, &filter, wanted).await?;
        let mut by_appointment: HashMap<String, Vec<CanonicalEvent>> = HashMap::new();
        // Each appointment tells its story from the beginning.
        for event in found.into_iter().rev() {
            by_appointment.entry(event.appointment().to_owned()).or_default().push(event);
        }
        for appointment in &mut appointments {
            appointment.events = by_appointment.remove(appointment.key()).unwrap_or_default();
        }
    }
    Ok(appointments)
}

/// Events, with the deliveries that `wanted` asks for.
async fn events(
    service: &Service,
    filter: &EventFilter,
    wanted: Wanted,
) -> Result<(Vec<CanonicalEvent>, Option<i64>)> {
    let (records, next) = service.store.events(filter).await?;
    let numbers: Vec<i64> = records.iter().map(|record| record.seq).collect();
    let mut deliveries: HashMap<i64, Vec<Delivery>> = HashMap::new();
    if wanted.deliveries && !numbers.is_empty() {
        for record in service.store.deliveries_of(&numbers, wanted.exchanges).await? {
            deliveries.entry(record.id.event).or_default().push(Delivery::of(&record));
        }
    }
    let now = service.clock.now();
    let events = records.into_iter().map(|record| {
        let event = record.json.as_deref().and_then(|json| service.ingest.read(json, now).ok());
        let deliveries = deliveries.remove(&record.seq).unwrap_or_default();
        CanonicalEvent { record, event, deliveries }
    });
    Ok((events.collect(), next))
}

/// What a query asks for of events.
#[derive(Clone, Copy, Debug, Default)]
struct Wanted {
    deliveries: bool,
    /// What was sent and answered.
    exchanges: bool,
}

impl Wanted {
    /// What is asked for at the events' place; nothing where they are not.
    fn at(events: &Lookahead<'_>) -> Option<Self> {
        let deliveries = events.field("deliveries");
        let exchanges = are_exchanges_wanted(&deliveries);
        events.exists().then(|| Self { deliveries: deliveries.exists(), exchanges })
    }
}

/// Whether the deliveries at this place are to show what was sent and answered: many times what else they show.
fn are_exchanges_wanted(deliveries: &Lookahead<'_>) -> bool {
    ["requestBody", "responseBody"].into_iter().any(|field| deliveries.field(field).exists())
}

fn service<'a>(context: &Context<'a>) -> Result<&'a Service> {
    context.data::<Arc<Service>>().map(|service| &**service)
}

/// How many items a list may have, as the bound on a query's size counts them.
fn items(limit: i32) -> usize {
    usize::try_from(limit).unwrap_or_default()
}

fn checked(limit: i32) -> Result<usize> {
    if (1..=MAX_LIMIT).contains(&limit) {
        return Ok(items(limit));
    }
    Err(Error::new(format!("limit must lie between 1 and {MAX_LIMIT}")))
}

fn number(cursor: &str) -> Result<i64> {
    cursor.parse().map_err(|_| wrong_cursor())
}

fn wrong_cursor() -> Error {
    Error::new("after must be a cursor that an earlier answer gave")
}
