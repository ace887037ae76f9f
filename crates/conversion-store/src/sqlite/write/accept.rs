//! New events.

use rusqlite::{CachedStatement, Connection, params};

use super::appointment;
use super::tally::{Count, NO_SINK};
use crate::admission::{Acceptance, Admission, NewDelivery, Origin};
use crate::sqlite::code::{At, Coded};
use crate::sqlite::details::Details;
use crate::sqlite::pack::pack;
use crate::sqlite::writer::Work;

/// An admission, ready to be written.
pub(in crate::sqlite) struct Arrival {
    admission: Admission,
    body: Vec<u8>,
    route: String,
    /// What it says of the appointment that it names.
    details: Option<Details>,
}

impl Arrival {
    /// Does what need not be done on the writer thread.
    pub(in crate::sqlite) fn new(admission: &Admission) -> Self {
        let body = pack(&admission.json);
        let mut admission = admission.clone();
        admission.conversion_id = admission.conversion_id.filter(|id| **id != *admission.id);
        let names_one = admission.origin == Origin::Live && admission.appointment.is_some();
        let details = names_one.then(|| Details::of(&admission.json));
        Self { body, route: route(&admission.deliveries), details, admission }
    }
}

fn route(deliveries: &[NewDelivery]) -> String {
    let mut sinks: Vec<u32> = deliveries.iter().map(|delivery| delivery.sink.0).collect();
    sinks.sort_unstable();
    sinks.dedup();
    sinks.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
}

/// Keeps new events with their deliveries.
pub(in crate::sqlite) fn accept(
    work: &mut Work<'_>,
    arrivals: &[Arrival],
    now: At,
) -> rusqlite::Result<Vec<Acceptance>> {
    let connection = &*work.transaction;
    let mut inserts = Inserts::prepare(connection)?;
    let mut acceptances = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let route = work.interned.route(connection, &arrival.route)?;
        let Some(event) = inserts.event(arrival, route, now)? else {
            acceptances.push(duplicate(connection, &arrival.admission)?);
            continue;
        };
        let live = arrival.admission.origin == Origin::Live;
        if live {
            work.tally.add(NO_SINK, Count::Accepted);
        }
        for delivery in &arrival.admission.deliveries {
            if inserts.delivery(event, arrival.admission.origin, delivery, now)? && live {
                work.tally.add(delivery.sink, Count::Routed);
                work.tally.add(delivery.sink, Count::Pending);
            }
        }
        if let (Some(id), Some(details)) = (&arrival.admission.appointment, &arrival.details) {
            appointment::named(connection, id, details, now)?;
        }
        acceptances.push(Acceptance::Accepted { event });
    }
    Ok(acceptances)
}

fn duplicate(connection: &Connection, admission: &Admission) -> rusqlite::Result<Acceptance> {
    let sql = "SELECT fingerprint FROM event WHERE id = ?1 AND name = ?2 AND origin = 0";
    let identity = params![&*admission.id, &*admission.name];
    let known: [u8; 16] = connection.prepare_cached(sql)?.query_row(identity, |row| row.get(0))?;
    Ok(Acceptance::Duplicate { differs: known != admission.fingerprint })
}

struct Inserts<'a> {
    connection: &'a Connection,
    event: CachedStatement<'a>,
    body: CachedStatement<'a>,
    delivery: CachedStatement<'a>,
}

impl<'a> Inserts<'a> {
    fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            event: connection.prepare_cached(
                "INSERT INTO event (name, id, conversion_id, fingerprint, origin, accepted_at, route, appointment)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
            )?,
            body: connection.prepare_cached("INSERT INTO body (event, json) VALUES (?1, ?2)")?,
            // A sink named twice gets one delivery: a mistake in one event must not cost its group.
            delivery: connection.prepare_cached(
                "INSERT INTO delivery (event, sink, origin, due_at, owner, fence, driver)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
            )?,
        })
    }

    // Nothing where the identity is known.
    fn event(&mut self, arrival: &Arrival, route: i64, now: At) -> rusqlite::Result<Option<i64>> {
        let Admission { name, id, conversion_id, fingerprint, origin, appointment, .. } = &arrival.admission;
        let row =
            params![&**name, &**id, conversion_id, fingerprint, Coded(*origin), now, route, appointment];
        if self.event.execute(row)? == 0 {
            return Ok(None);
        }
        let event = self.connection.last_insert_rowid();
        self.body.execute(params![event, arrival.body])?;
        Ok(Some(event))
    }

    fn delivery(&mut self, event: i64, origin: Origin, new: &NewDelivery, now: At) -> rusqlite::Result<bool> {
        let (due_at, owner, fence) = match new.leased_to {
            Some(run) => (now.lease_end(), Some(run.0), 1),
            None => (new.due_at.into(), None, 0),
        };
        let row = params![event, new.sink.0, Coded(origin), due_at, owner, fence, Coded(new.driver)];
        Ok(self.delivery.execute(row)? == 1)
    }
}
