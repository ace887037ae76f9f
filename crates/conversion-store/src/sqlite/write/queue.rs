//! Deliveries that an external queue drives.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::lease::{Packed, lease_one};
use crate::admission::Origin;
use crate::lease::{DeliveryId, RunId};
use crate::queue::{Driver, Publication, Taken, Ticket};
use crate::settlement::Status;
use crate::sqlite::code::{At, Coded};
use crate::sqlite::writer::Work;

/// Counts that deliveries were handed over, and puts off those that stand as they were read.
pub(in crate::sqlite) fn published(work: &Work<'_>, published: &[Publication]) -> rusqlite::Result<()> {
    let sql = "UPDATE delivery SET publications = publications + 1, due_at =
            CASE WHEN status = 0 AND driver = 1 AND owner IS NULL AND due_at = ?4 THEN ?5 ELSE due_at END
        WHERE event = ?1 AND sink = ?2 AND publications = ?3";
    let mut update = work.transaction.prepare_cached(sql)?;
    for Publication { item, check_at } in published {
        let (due_at, check_at) = (At::from(item.due_at), At::from(*check_at));
        update.execute(params![item.id.event, item.id.sink.0, item.publications, due_at, check_at])?;
    }
    Ok(())
}

/// What became of the queue's call, with the event still packed.
pub(in crate::sqlite) enum PackedTaken {
    /// It is leased.
    Leased(Packed),
    /// It is not.
    Not(Taken),
}

impl PackedTaken {
    /// Unpacks, which need not be done on the writer thread.
    pub(in crate::sqlite) fn unpack(self) -> Taken {
        match self {
            Self::Leased(packed) => Taken::Leased(packed.unpack()),
            Self::Not(taken) => taken,
        }
    }
}

/// Leases one delivery, unless it is not the queue's, settled, handed over again since, or being worked on by a run
/// that is alive.
pub(in crate::sqlite) fn take(
    work: &Work<'_>,
    ticket: Ticket,
    run: RunId,
    now: At,
) -> rusqlite::Result<PackedTaken> {
    let connection = &*work.transaction;
    let taken = match find(connection, ticket.delivery, run, now)? {
        None => Taken::Unknown,
        Some(Found { driver: Driver::Builtin, .. }) => Taken::NotQueued,
        Some(Found { status: status @ (Status::Delivered | Status::Skipped | Status::Failed), .. }) => {
            Taken::Settled(status)
        }
        Some(Found { publications, .. }) if ticket.publication.is_some_and(|own| own < publications) => {
            Taken::Superseded
        }
        Some(Found { leased: true, lost: false, .. }) => Taken::UnderWay,
        Some(Found { lost, .. }) => {
            note(connection, ticket)?;
            let lease = lease_one(connection, ticket.delivery, lost, run, now)?;
            return Ok(lease.map_or(PackedTaken::Not(Taken::Unknown), PackedTaken::Leased));
        }
    };
    Ok(PackedTaken::Not(taken))
}

/// A delivery as it stands before the queue's call.
struct Found {
    status: Status,
    driver: Driver,
    publications: u32,
    leased: bool,
    /// By a run that is no longer alive.
    lost: bool,
}

fn find(connection: &Connection, id: DeliveryId, run: RunId, now: At) -> rusqlite::Result<Option<Found>> {
    let sql = "SELECT status, driver, publications, owner IS NOT NULL,
            due_at <= ?3 AND owner IN (SELECT id FROM run WHERE alive_until <= ?3 AND id <> ?4)
        FROM delivery WHERE event = ?1 AND sink = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(params![id.event, id.sink.0, now, run.0], |row| {
        Ok(Found {
            status: row.get::<_, Coded<_>>(0)?.0,
            driver: row.get::<_, Coded<_>>(1)?.0,
            publications: row.get(2)?,
            leased: row.get(3)?,
            lost: row.get::<_, Option<bool>>(4)?.unwrap_or(false),
        })
    });
    found.optional()
}

/// The ticket was handed over, whether that could be written or not.
fn note(connection: &Connection, Ticket { delivery, publication }: Ticket) -> rusqlite::Result<()> {
    let sql = "UPDATE delivery SET publications = ?3 WHERE event = ?1 AND sink = ?2 AND publications < ?3";
    connection.prepare_cached(sql)?.execute(params![delivery.event, delivery.sink.0, publication]).map(drop)
}

/// Puts off a pending delivery of the queue's that nobody works on, if the ticket speaks of it.
pub(in crate::sqlite) fn leave(work: &Work<'_>, ticket: Ticket, check_at: At) -> rusqlite::Result<()> {
    let sql = "UPDATE delivery SET due_at = ?4
        WHERE event = ?1 AND sink = ?2 AND status = 0 AND driver = 1 AND owner IS NULL
            AND publications <= ifnull(?3, publications)";
    let Ticket { delivery: id, publication } = ticket;
    let row = params![id.event, id.sink.0, publication, check_at];
    work.transaction.prepare_cached(sql)?.execute(row).map(drop)
}

/// A pending delivery of the queue's that nobody works on, and of which the ticket speaks, has failed. Returns whether
/// it was one.
pub(in crate::sqlite) fn give_up(
    work: &mut Work<'_>,
    Ticket { delivery: id, publication }: Ticket,
    reason: &str,
    message: &str,
    now: At,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE delivery SET status = 3, reason = ?3, message = ?4, settled_at = ?5,
            publications = ifnull(?6, publications)
        WHERE event = ?1 AND sink = ?2 AND status = 0 AND driver = 1 AND owner IS NULL
            AND publications <= ifnull(?6, publications)
        RETURNING origin";
    let mut statement = work.transaction.prepare_cached(sql)?;
    let row = params![id.event, id.sink.0, reason, message, now, publication];
    let origin = statement.query_row(row, |row| row.get::<_, Coded<Origin>>(0)).optional()?;
    if let Some(Coded(Origin::Live)) = origin {
        work.tally.shift(id.sink, Status::Pending, Status::Failed);
    }
    Ok(origin.is_some())
}
