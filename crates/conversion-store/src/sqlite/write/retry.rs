//! Deliveries that a human wants sent again.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::admission::Origin;
use crate::confirmation::Confirmation;
use crate::lease::DeliveryId;
use crate::queue::Driver;
use crate::record::RetryOutcome;
use crate::settlement::Status;
use crate::sqlite::code::{At, Coded};
use crate::sqlite::writer::Work;

/// Makes a delivery pending and due, unless it was delivered or is being worked on.
pub(in crate::sqlite) fn retry(
    work: &mut Work<'_>,
    id: DeliveryId,
    driver: Driver,
    now: At,
) -> rusqlite::Result<RetryOutcome> {
    let sql = "SELECT status, origin, owner IS NOT NULL, confirmation FROM delivery
        WHERE event = ?1 AND sink = ?2";
    let found = work.transaction.prepare_cached(sql)?.query_row(params![id.event, id.sink.0], |row| {
        let (status, origin) = (row.get::<_, Coded<Status>>(0)?.0, row.get::<_, Coded<Origin>>(1)?.0);
        Ok((status, origin, row.get(2)?, row.get::<_, Coded<Confirmation>>(3)?.0))
    });
    let Some((status, origin, leased, confirmation)) = found.optional()? else {
        return Ok(RetryOutcome::Unknown);
    };
    match (status, leased) {
        (Status::Delivered, _) => return Ok(RetryOutcome::AlreadyDelivered),
        (_, true) => return Ok(RetryOutcome::UnderWay),
        (Status::Pending | Status::Skipped | Status::Failed, false) => {}
    }
    put_back(&work.transaction, id, driver, now)?;
    if origin == Origin::Live {
        work.tally.shift(id.sink, status, Status::Pending);
        work.tally.shift_verdict(id.sink, confirmation, Confirmation::None);
    }
    Ok(RetryOutcome::Due)
}

/// Makes a delivery pending, due at this time: patience with it begins then. What is known of an uncertain sending
/// stays. What an external queue was handed before no longer speaks of it.
pub(super) fn put_back(
    connection: &Connection,
    id: DeliveryId,
    driver: Driver,
    due_at: At,
) -> rusqlite::Result<()> {
    let sql = "UPDATE delivery
        SET status = 0, due_at = ?3, retried_at = ?3, tries = 0, reason = NULL, message = NULL, settled_at = NULL,
            confirmation = 0,
            driver = ?4, publications = publications + 1
        WHERE event = ?1 AND sink = ?2";
    connection.prepare_cached(sql)?.execute(params![id.event, id.sink.0, due_at, Coded(driver)]).map(drop)
}
