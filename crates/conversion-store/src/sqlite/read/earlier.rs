//! Other deliveries of the same conversion.

use conversion_core::sink::{Earlier, EarlierState};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::lease::DeliveryId;
use crate::settlement::Status;
use crate::sqlite::code::Coded;

/// Earlier accepted live events of the conversion are those with its id as conversion id, and those with it as event id that name
/// no other. A delivered one tells most and goes before one that waits, which goes before one that was not delivered;
/// among equals, the latest accepted.
const EARLIER: &str = "
    SELECT o.name, d.status
    FROM (
        SELECT seq, name FROM event WHERE origin = 0 AND id = ?3 AND conversion_id IS NULL
        UNION ALL
        SELECT seq, name FROM event WHERE origin = 0 AND conversion_id = ?3
    ) o
    CROSS JOIN delivery d ON d.event = o.seq AND d.sink = ?2
    WHERE o.seq < ?1
    ORDER BY CASE d.status WHEN 1 THEN 0 WHEN 0 THEN 1 ELSE 2 END, d.event DESC
    LIMIT 1";

/// The one to tell of, if there is one.
pub(in crate::sqlite) fn earlier(
    connection: &Connection,
    delivery: DeliveryId,
    conversion_id: &str,
) -> rusqlite::Result<Option<Earlier>> {
    let asked = params![delivery.event, delivery.sink.0, conversion_id];
    let found = connection.prepare_cached(EARLIER)?.query_row(asked, |row| {
        Ok(Earlier { event_name: row.get(0)?, state: state(row.get::<_, Coded<Status>>(1)?.0) })
    });
    found.optional()
}

fn state(status: Status) -> EarlierState {
    match status {
        Status::Pending => EarlierState::Unsettled,
        Status::Delivered => EarlierState::Delivered,
        Status::Skipped | Status::Failed => EarlierState::NotDelivered,
    }
}
