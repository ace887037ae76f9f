//! Taking due deliveries.

use conversion_core::Timestamp;
use rusqlite::{Connection, Params, Row, params};

use super::dedup;
use crate::lease::{DeliveryId, Lease, LeaseRequest, RunId, SinkId, Uncertainty};
use crate::sqlite::code::{self, At, Time};
use crate::sqlite::pack::unpack;
use crate::sqlite::writer::Work;

// A macro, because `concat!` takes no constants.
macro_rules! packed {
    ($($which:literal),+) => {
        concat!(
            "SELECT d.event, d.sink, d.due_at, d.fence, d.tries, d.uncertain_since, d.dedup_key,
                coalesce(d.retried_at, e.accepted_at), b.json
            FROM delivery d CROSS JOIN event e ON e.seq = d.event CROSS JOIN body b ON b.event = d.event WHERE ",
            $($which),+
        )
    };
}
macro_rules! due {
    ($owner:literal) => {
        packed!(
            "d.status = 0 AND d.sink = ?1 AND d.driver = 0 AND ",
            $owner,
            " AND d.due_at <= ?2 ORDER BY d.due_at, d.event LIMIT ?3"
        )
    };
}
/// Free deliveries of a sink that are due.
pub(in crate::sqlite) const FREE: &str = due!("d.owner IS NULL");
// A run that finds itself lapsed still has its own in memory.
const LOST: &str = due!("d.owner IN (SELECT id FROM run WHERE alive_until <= ?2 AND id <> ?4)");
const ONE: &str = packed!("d.event = ?1 AND d.sink = ?2");

/// A lease with the event still packed.
pub(in crate::sqlite) struct Packed {
    due_at: At,
    lease: Lease,
    body: Vec<u8>,
}

impl Packed {
    // What another run had may have been sent since it was leased.
    fn lose(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let since = Timestamp::try_from(self.due_at.lease_start())?;
        let uncertain = self.lease.uncertain.get_or_insert(Uncertainty { since, dedup_key: None });
        if uncertain.dedup_key.is_none() {
            uncertain.dedup_key = dedup::key(connection, self.lease.id)?;
        }
        Ok(())
    }

    /// Unpacks, which need not be done on the writer thread. What cannot be unpacked is no event, and says so where it
    /// is read; it must not cost the leases beside it.
    pub(in crate::sqlite) fn unpack(self) -> Lease {
        let event = unpack(&self.body).unwrap_or_else(|error| {
            tracing::error!(delivery = %self.lease.id, %error, "the stored event is damaged");
            String::new()
        });
        Lease { event: event.into(), ..self.lease }
    }
}

/// Takes due deliveries: free ones, and those of runs that are no longer alive.
pub(in crate::sqlite) fn lease(work: &Work<'_>, request: LeaseRequest) -> rusqlite::Result<Vec<Packed>> {
    let connection = &*work.transaction;
    let now = At::from(request.now);
    let limit = code::limit(request.limit);
    let mut leases = due(connection, LOST, params![request.sink.0, now, limit, request.run.0])?;
    leases.iter_mut().try_for_each(|packed| packed.lose(connection))?;
    leases.extend(due(connection, FREE, params![request.sink.0, now, limit])?);
    leases.sort_by_key(|packed| (packed.due_at, packed.lease.id));
    leases.truncate(request.limit);
    claim(connection, &mut leases, request.run, now)?;
    Ok(leases)
}

/// Takes one delivery, whether it is due or not. `lost` says that another run had it.
pub(super) fn lease_one(
    connection: &Connection,
    id: DeliveryId,
    lost: bool,
    run: RunId,
    now: At,
) -> rusqlite::Result<Option<Packed>> {
    let mut leases = due(connection, ONE, params![id.event, id.sink.0])?;
    if lost {
        leases.iter_mut().try_for_each(|packed| packed.lose(connection))?;
    }
    claim(connection, &mut leases, run, now)?;
    Ok(leases.pop())
}

fn claim(connection: &Connection, leases: &mut [Packed], run: RunId, now: At) -> rusqlite::Result<()> {
    let sql = "UPDATE delivery SET owner = ?3, fence = ?4, due_at = ?5, uncertain_since = ?6, dedup_key = ?7
        WHERE event = ?1 AND sink = ?2";
    let mut take = connection.prepare_cached(sql)?;
    for Packed { lease, .. } in leases {
        lease.fence = lease.fence.saturating_add(1);
        let since = lease.uncertain.as_ref().map(|uncertain| At::from(uncertain.since));
        let dedup_key = lease.uncertain.as_ref().and_then(|uncertain| uncertain.dedup_key.as_deref());
        let Lease { id, fence, .. } = *lease;
        take.execute(params![id.event, id.sink.0, run.0, fence, now.lease_end(), since, dedup_key])?;
    }
    Ok(())
}

fn due(connection: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<Vec<Packed>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params, packed)?;
    rows.collect()
}

fn packed(row: &Row<'_>) -> rusqlite::Result<Packed> {
    let since: Option<Time> = row.get(5)?;
    let dedup_key = row.get(6)?;
    let lease = Lease {
        id: DeliveryId { event: row.get(0)?, sink: SinkId(row.get(1)?) },
        fence: row.get(3)?,
        tries: row.get(4)?,
        waiting_since: row.get::<_, Time>(7)?.0,
        uncertain: since.map(|since| Uncertainty { since: since.0, dedup_key }),
        event: "".into(),
    };
    Ok(Packed { due_at: row.get(2)?, lease, body: row.get(8)? })
}
