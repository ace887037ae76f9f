//! What can be replayed: a walk through the account from its beginning, in parts.

use std::ops::ControlFlow;

use rusqlite::{Connection, Row};

use super::query::{Query, SET_BACK, first_since};
use crate::lease::{DeliveryId, SinkId, Uncertainty};
use crate::replay::{Candidate, Candidates, ReplaySelection};
use crate::settlement::Status;
use crate::sqlite::code::{At, Coded, Time};
use crate::sqlite::pack::unpack;

/// Most deliveries in a part.
const LIMIT: usize = 250;
/// Unpacked events of a part, about.
const BYTES: usize = 4 << 20;
/// Numbers of events that a part is looked for among, so that no read goes on for long.
const WINDOW: i64 = 10_000;

/// The joins keep their order: the walk goes along the deliveries, and looks up the rest of each.
const CANDIDATE: &str =
    "SELECT d.event, d.sink, d.fence, s.name, d.status, d.reason, d.uncertain_since, d.dedup_key, b.json
    FROM delivery d CROSS JOIN event e ON e.seq = d.event CROSS JOIN sink s ON s.id = d.sink
    LEFT JOIN body b ON b.event = d.event";
/// The first accepted first.
pub(super) const ORDER: &str = "d.event, d.sink";

/// What the walk looks through at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    /// Behind this one.
    pub(super) after: DeliveryId,
    /// Up to the deliveries of this event.
    pub(super) last: i64,
}

/// The next part of what a selection finds.
pub(in crate::sqlite) fn candidates(
    connection: &Connection,
    selection: &ReplaySelection,
    after: Option<DeliveryId>,
) -> rusqlite::Result<Candidates> {
    let end = end(connection, selection)?;
    let after = beginning(connection, selection)?.max(after.unwrap_or(BEFORE_ALL));
    // An index finds the events with an id, wherever they are.
    let last = if selection.event_id.is_some() { end } else { after.event.saturating_add(WINDOW).min(end) };
    let (mut items, mut bytes) = (Vec::new(), 0);
    let mut add = |row: &Row<'_>| {
        let candidate = candidate(row)?;
        bytes += candidate.event.as_ref().map_or(0, |event| event.len());
        items.push(candidate);
        let is_full = items.len() >= LIMIT || bytes >= BYTES;
        Ok(if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    };
    let next = match query(selection, Stretch { after, last }).walk(connection, ORDER, &mut add)? {
        ControlFlow::Break(()) => items.last().map(|last| last.id),
        ControlFlow::Continue(()) => (last < end).then_some(before(last.saturating_add(1))),
    };
    Ok(Candidates { items, next })
}

const BEFORE_ALL: DeliveryId = before(0);

/// Before the first delivery of an event: sinks are numbered from 1.
const fn before(event: i64) -> DeliveryId {
    DeliveryId { event, sink: SinkId(0) }
}

fn beginning(connection: &Connection, selection: &ReplaySelection) -> rusqlite::Result<DeliveryId> {
    let Some(since) = selection.accepted.since else { return Ok(BEFORE_ALL) };
    first_since(connection, since.checked_sub(SET_BACK).unwrap_or(since)).map(before)
}

/// The last event of which a delivery may be found.
fn end(connection: &Connection, selection: &ReplaySelection) -> rusqlite::Result<i64> {
    match selection.accepted.until.map(|until| until.checked_add(SET_BACK)) {
        Some(Ok(until)) => Ok(first_since(connection, until)?.saturating_sub(1)),
        _ => connection
            .prepare_cached("SELECT ifnull(max(seq), 0) FROM event")?
            .query_row([], |row| row.get(0)),
    }
}

pub(super) fn query(selection: &ReplaySelection, stretch: Stretch) -> Query {
    let ReplaySelection { sink, status, reason, event_name, event_id, accepted, settled } = selection;
    let mut query = Query::new(CANDIDATE, state(*status));
    query.and("(d.event, d.sink) > (?", stretch.after.event);
    query.push(", ?)", stretch.after.sink.0);
    query.and("d.event <= ?", stretch.last);
    if let Some(sink) = sink {
        query.and("d.sink = ?", sink.0);
    }
    if let Some(reason) = reason {
        query.and("d.reason = ?", reason.clone());
    }
    if let Some(name) = event_name {
        query.and("e.name = ?", name.clone());
    }
    if let Some(id) = event_id {
        query.and("d.event IN (SELECT seq FROM event WHERE origin = 0 AND id = ?)", id.clone());
    }
    let bounds = [
        ("e.accepted_at >= ?", accepted.since),
        ("e.accepted_at < ?", accepted.until),
        ("d.settled_at >= ?", settled.since),
        ("d.settled_at < ?", settled.until),
    ];
    for (condition, time) in bounds {
        if let Some(time) = time {
            query.and(condition, At::from(time));
        }
    }
    query
}

// Written out, not bound: so the planner sees that the index of failed ones can serve.
fn state(status: Option<Status>) -> &'static str {
    match status {
        None => "d.origin = 0 AND d.status IN (2, 3)",
        Some(Status::Skipped) => "d.origin = 0 AND d.status = 2",
        Some(Status::Failed) => "d.origin = 0 AND d.status = 3",
        Some(Status::Pending | Status::Delivered) => "FALSE",
    }
}

fn candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    let id = DeliveryId { event: row.get(0)?, sink: SinkId(row.get(1)?) };
    let since: Option<Time> = row.get(6)?;
    let dedup_key = row.get(7)?;
    let event = row.get_ref(8)?.as_blob_or_null()?.map(|blob| {
        // What cannot be unpacked is no event, and says so where it is read.
        unpack(blob).unwrap_or_else(|error| {
            tracing::error!(delivery = %id, %error, "the stored event is damaged");
            String::new()
        })
    });
    Ok(Candidate {
        id,
        fence: row.get(2)?,
        sink: row.get(3)?,
        status: row.get::<_, Coded<_>>(4)?.0,
        reason: row.get(5)?,
        uncertain: since.map(|since| Uncertainty { since: since.0, dedup_key }),
        event: event.map(Into::into),
    })
}
