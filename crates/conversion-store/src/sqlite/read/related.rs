//! Other deliveries of the same conversion.

use conversion_core::sink::{Order, Related, RelatedState};
use rusqlite::{Connection, Row, params};

use crate::lease::DeliveryId;
use crate::settlement::Status;
use crate::sqlite::code::{Coded, Time};

/// Events of a conversion are those with its id as conversion id, and those with it as event id that name no other.
const RELATED: &str = "
    SELECT o.seq, o.name, d.status, d.owner IS NULL AND d.attempts = 0 AND d.uncertain_since IS NULL, d.settled_at,
        d.uncertain_since IS NOT NULL
    FROM (
        SELECT seq, name FROM event WHERE origin = 0 AND id = ?3 AND conversion_id IS NULL
        UNION ALL
        SELECT seq, name FROM event WHERE origin = 0 AND conversion_id = ?3
    ) o
    CROSS JOIN delivery d ON d.event = o.seq AND d.sink = ?2
    WHERE o.seq <> ?1
    ORDER BY o.seq DESC
    LIMIT 100";

/// Those of each delivery asked for, in the order in which their events were accepted: the newest, if there are many.
pub(in crate::sqlite) fn related(
    connection: &Connection,
    asked: &[(DeliveryId, String)],
) -> rusqlite::Result<Vec<Vec<Related>>> {
    let mut statement = connection.prepare_cached(RELATED)?;
    let mut of = |(delivery, conversion_id): &(DeliveryId, String)| {
        let read = |row: &Row<'_>| read(row, delivery.event);
        let rows = statement.query_map(params![delivery.event, delivery.sink.0, conversion_id], read)?;
        let mut found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        found.reverse();
        Ok(found)
    };
    asked.iter().map(&mut of).collect()
}

fn read(row: &Row<'_>, event: i64) -> rusqlite::Result<Related> {
    let is_unsent = row.get(3)?;
    let state = match row.get::<_, Coded<Status>>(2)?.0 {
        Status::Pending if is_unsent => RelatedState::Unsent,
        Status::Pending => RelatedState::Unsettled,
        Status::Delivered => RelatedState::Delivered { at: row.get::<_, Time>(4)?.0 },
        Status::Failed if row.get(5)? => RelatedState::PerhapsDelivered { at: row.get::<_, Time>(4)?.0 },
        Status::Skipped | Status::Failed => RelatedState::NotDelivered,
    };
    let order = if row.get::<_, i64>(0)? < event { Order::Earlier } else { Order::Later };
    Ok(Related { event_name: row.get(1)?, order, state })
}
