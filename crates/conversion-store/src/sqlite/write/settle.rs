//! Results.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use super::confirmation::{Awaiting, NewReceipt};
use super::intern::Interned;
use super::tally::Tally;
use crate::admission::Origin;
use crate::confirmation::Confirmation;
use crate::lease::{DeliveryId, Uncertainty};
use crate::settlement::{Attempt, Change, ItemSettlement, SettleOutcome, Settlement, Status};
use crate::sqlite::code::{At, Coded};
use crate::sqlite::exchange::PackedExchange;
use crate::sqlite::writer::Work;

/// A settlement, ready to be written.
pub(in crate::sqlite) struct Results {
    exchanges: Vec<PackedExchange>,
    items: Vec<ItemSettlement>,
    receipt: Option<NewReceipt>,
}

impl Results {
    /// Does what need not be done on the writer thread.
    pub(in crate::sqlite) fn new(settlement: &Settlement) -> Self {
        Self {
            exchanges: PackedExchange::sequence(&settlement.exchanges, settlement.sent_at),
            items: settlement.items.clone(),
            receipt: NewReceipt::of(settlement),
        }
    }
}

/// Records exchanges and writes results: one outcome per item, in order.
pub(in crate::sqlite) fn settle(
    work: &mut Work<'_>,
    settlements: &[Results],
    now: At,
) -> rusqlite::Result<Vec<Vec<SettleOutcome>>> {
    let mut writes = Writes::prepare(&work.transaction, now)?;
    let mut outcomes = Vec::with_capacity(settlements.len());
    for Results { exchanges, items, receipt } in settlements {
        let exchanges = writes.exchanges(exchanges, work.interned)?;
        let mut awaiting = Awaiting::new(&work.transaction, receipt.as_ref());
        let settled = items.iter().map(|item| writes.item(item, &exchanges, &mut awaiting, &mut work.tally));
        outcomes.push(settled.collect::<rusqlite::Result<_>>()?);
    }
    Ok(outcomes)
}

/// A delivery as it stands before its result.
struct Found {
    status: Status,
    origin: Origin,
    fence: u32,
    leased: bool,
    attempts: u32,
}

struct Writes<'a> {
    connection: &'a Connection,
    now: At,
    find: CachedStatement<'a>,
    attempt: CachedStatement<'a>,
    change: CachedStatement<'a>,
}

impl<'a> Writes<'a> {
    fn prepare(connection: &'a Connection, now: At) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            now,
            find: connection.prepare_cached(
                "SELECT status, origin, fence, owner IS NOT NULL, attempts FROM delivery
                WHERE event = ?1 AND sink = ?2",
            )?,
            attempt: connection.prepare_cached(
                "INSERT INTO attempt (event, sink, number, exchange, position, result, note)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
            change: connection.prepare_cached(
                "UPDATE delivery SET status = ?3, due_at = ifnull(?4, due_at), owner = NULL, tries = ?5,
                    uncertain_since = ?6, dedup_key = ?7, reason = ?8, message = ?9,
                    consent = ifnull(?10, consent), response_code = ifnull(?11, response_code), settled_at = ?12, attempts = ?13,
                    retried_at = ifnull(?14, retried_at), confirmation = ?15
                WHERE event = ?1 AND sink = ?2",
            )?,
        })
    }

    fn exchanges(&self, packed: &[PackedExchange], interned: &mut Interned) -> rusqlite::Result<Vec<i64>> {
        let insert = |exchange: &PackedExchange| {
            let endpoint = interned.endpoint(self.connection, exchange.head())?;
            exchange.insert(self.connection, endpoint)
        };
        packed.iter().map(insert).collect()
    }

    fn item(
        &mut self,
        item: &ItemSettlement,
        exchanges: &[i64],
        awaiting: &mut Awaiting<'_>,
        tally: &mut Tally,
    ) -> rusqlite::Result<SettleOutcome> {
        let Some(found) = self.found(item.id)? else { return Ok(SettleOutcome::Stale) };
        let attempts = self.record(item, exchanges, found.attempts)?;
        let current = found.leased && found.status == Status::Pending && found.fence == item.fence;
        match &item.change {
            Some(change) if current => {
                let confirmation = awaiting.enter(item, change)?;
                self.apply(item.id, change, confirmation, attempts)?;
                if found.origin == Origin::Live {
                    tally.shift(item.id.sink, found.status, change.status);
                    tally.shift_verdict(item.id.sink, Confirmation::None, confirmation);
                    if change.status == Status::Delivered {
                        tally.delivered(item.id.sink, self.now);
                    }
                }
            }
            Some(_) | None => self.count_attempts(item.id, found.attempts, attempts)?,
        }
        Ok(if current { SettleOutcome::Applied } else { SettleOutcome::Stale })
    }

    fn found(&mut self, id: DeliveryId) -> rusqlite::Result<Option<Found>> {
        let found = self.find.query_row(params![id.event, id.sink.0], |row| {
            Ok(Found {
                status: row.get::<_, Coded<_>>(0)?.0,
                origin: row.get::<_, Coded<_>>(1)?.0,
                fence: row.get(2)?,
                leased: row.get(3)?,
                attempts: row.get(4)?,
            })
        });
        found.optional()
    }

    // Records the attempts and returns how many the delivery now has.
    fn record(&mut self, item: &ItemSettlement, exchanges: &[i64], before: u32) -> rusqlite::Result<u32> {
        let DeliveryId { event, sink } = item.id;
        let mut number = before;
        for Attempt { exchange, position, result, note } in &item.attempts {
            let Some(exchange) = exchanges.get(*exchange) else {
                tracing::error!(delivery = %item.id, "an attempt names an exchange that is not there; it is left out");
                continue;
            };
            number = number.saturating_add(1);
            let position = i64::try_from(*position).unwrap_or(i64::MAX);
            self.attempt.execute(params![event, sink.0, number, exchange, position, result, note])?;
        }
        Ok(number)
    }

    fn apply(
        &mut self,
        id: DeliveryId,
        change: &Change,
        confirmation: Confirmation,
        attempts: u32,
    ) -> rusqlite::Result<()> {
        let settled = change.status != Status::Pending;
        let due_at = (!settled).then(|| change.due_at.map_or(self.now, At::from));
        let (since, dedup_key) = match &change.uncertain {
            Some(Uncertainty { since, dedup_key }) => (Some(At::from(*since)), dedup_key.as_deref()),
            None => (None, None),
        };
        self.change.execute(params![
            id.event,
            id.sink.0,
            Coded(change.status),
            due_at,
            change.tries,
            since,
            dedup_key,
            change.reason,
            change.message,
            change.consent.map(Coded),
            change.response_code,
            settled.then_some(self.now),
            attempts,
            change.waiting_since.map(At::from),
            Coded(confirmation),
        ])?;
        Ok(())
    }

    fn count_attempts(&self, id: DeliveryId, before: u32, now: u32) -> rusqlite::Result<()> {
        if before == now {
            return Ok(());
        }
        let sql = "UPDATE delivery SET attempts = ?3 WHERE event = ?1 AND sink = ?2";
        self.connection.prepare_cached(sql)?.execute(params![id.event, id.sink.0, now]).map(drop)
    }
}
