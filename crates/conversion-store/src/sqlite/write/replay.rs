//! Deliveries that are put back to pending, many at once, and the times at which they are due.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::num::NonZeroU32;

use conversion_core::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::retry::put_back;
use crate::confirmation::Confirmation;
use crate::lease::SinkId;
use crate::queue::Driver;
use crate::replay::ReplayItem;
use crate::settlement::Status;
use crate::sqlite::code::{At, Coded};
use crate::sqlite::writer::Work;

/// Puts deliveries back that stand as they were read: one answer each, in order.
pub(in crate::sqlite) fn replay(
    work: &mut Work<'_>,
    items: &[ReplayItem],
    driver: Driver,
    rate: NonZeroU32,
    now: At,
) -> rusqlite::Result<Vec<Option<Timestamp>>> {
    let mut schedules = BTreeMap::new();
    let mut answers = Vec::with_capacity(items.len());
    for item in items {
        let Some((status, confirmation)) = standing(&work.transaction, item)? else {
            answers.push(None);
            continue;
        };
        let sink = item.id.sink;
        let schedule = match schedules.entry(sink) {
            Entry::Occupied(schedule) => schedule.into_mut(),
            Entry::Vacant(free) => free.insert(Schedule::read(&work.transaction, sink, rate, now)?),
        };
        let due_at = schedule.next();
        put_back(&work.transaction, item.id, driver, due_at)?;
        work.tally.shift(sink, status, Status::Pending);
        work.tally.shift_verdict(sink, confirmation, Confirmation::None);
        answers.push(Some(due_at.try_into()?));
    }
    schedules.iter().try_for_each(|(sink, schedule)| schedule.write(&work.transaction, *sink))?;
    Ok(answers)
}

/// State and later verdict of a delivery that can be replayed, unless it has changed since it was read.
fn standing(connection: &Connection, item: &ReplayItem) -> rusqlite::Result<Option<(Status, Confirmation)>> {
    let sql = "SELECT status, confirmation FROM delivery
        WHERE event = ?1 AND sink = ?2 AND fence = ?3 AND status IN (2, 3) AND origin = 0
            AND EXISTS (SELECT 1 FROM body WHERE body.event = ?1)";
    let mut statement = connection.prepare_cached(sql)?;
    let row = params![item.id.event, item.id.sink.0, item.fence];
    let read =
        |row: &Row<'_>| Ok((row.get::<_, Coded<Status>>(0)?.0, row.get::<_, Coded<Confirmation>>(1)?.0));
    statement.query_row(row, read).optional()
}

/// The times at which replayed deliveries of one sink are due: so many in each second, behind those of former replays.
struct Schedule {
    now: At,
    begin: At,
    rate: NonZeroU32,
    taken: u32,
}

impl Schedule {
    fn read(connection: &Connection, sink: SinkId, rate: NonZeroU32, now: At) -> rusqlite::Result<Self> {
        let sql = "SELECT replayed_until FROM sink WHERE id = ?1";
        let until: Option<At> = connection.prepare_cached(sql)?.query_row([sink.0], |row| row.get(0))?;
        Ok(Self { now, begin: until.map_or(now, |until| until.max(now)), rate, taken: 0 })
    }

    /// Due together for each second, so that what is due together can share requests.
    fn next(&mut self) -> At {
        let due_at = self.end().whole_second().max(self.now);
        self.taken += 1;
        due_at
    }

    fn end(&self) -> At {
        self.begin.after_share_of_seconds(self.taken, self.rate)
    }

    fn write(&self, connection: &Connection, sink: SinkId) -> rusqlite::Result<()> {
        let sql = "UPDATE sink SET replayed_until = ?2 WHERE id = ?1";
        connection.prepare_cached(sql)?.execute(params![sink.0, self.end()]).map(drop)
    }
}
