//! Receipts of requests that a platform judges later, and the verdicts on them.

use conversion_core::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::admission::Origin;
use crate::confirmation::{Awaited, Confirmation, DueReceipt, Receipt, ReceiptId, VerdictWrite};
use crate::lease::{DeliveryId, SinkId, Uncertainty};
use crate::settlement::{Change, ItemSettlement, Settlement, Status};
use crate::sqlite::code::{self, At, Coded, Time};
use crate::sqlite::writer::Work;

/// A receipt, ready to be written.
pub(in crate::sqlite) struct NewReceipt {
    receipt: Receipt,
    items: usize,
    sent_at: Timestamp,
}

impl NewReceipt {
    /// That of a settlement: its last exchange is the one that was answered.
    pub(in crate::sqlite) fn of(settlement: &Settlement) -> Option<Self> {
        let receipt = settlement.receipt.clone()?;
        let items = settlement.exchanges.last()?.request.body.len();
        Some(Self { receipt, items, sent_at: settlement.sent_at })
    }
}

/// Enters deliveries under the receipt of their request, which is written with the first of them.
pub(super) struct Awaiting<'a> {
    connection: &'a Connection,
    new: Option<&'a NewReceipt>,
    written: Option<i64>,
}

impl<'a> Awaiting<'a> {
    /// Nothing is awaited without a receipt.
    pub(super) fn new(connection: &'a Connection, new: Option<&'a NewReceipt>) -> Self {
        Self { connection, new, written: None }
    }

    /// Has a delivery await its verdict, if it was delivered and there will be one.
    pub(super) fn enter(&mut self, item: &ItemSettlement, change: &Change) -> rusqlite::Result<Confirmation> {
        let (Some(new), Some(attempt), Status::Delivered) = (self.new, item.attempts.last(), change.status)
        else {
            return Ok(Confirmation::None);
        };
        let receipt = match self.written {
            Some(receipt) => receipt,
            None => *self.written.insert(self.write(new, item.id.sink)?),
        };
        let sql = "INSERT INTO awaited (receipt, position, event) VALUES (?1, ?2, ?3)";
        let row = params![receipt, code::limit(attempt.position), item.id.event];
        self.connection.prepare_cached(sql)?.execute(row)?;
        Ok(Confirmation::Awaited)
    }

    fn write(&self, new: &NewReceipt, sink: SinkId) -> rusqlite::Result<i64> {
        let sql = "INSERT INTO receipt (sink, token, items, sent_at, due_at) VALUES (?1, ?2, ?3, ?4, ?5)";
        let NewReceipt { receipt, items, sent_at } = new;
        let (sent_at, ask_at) = (At::from(*sent_at), At::from(receipt.ask_at));
        let row = params![sink.0, receipt.token, code::limit(*items), sent_at, ask_at];
        self.connection.prepare_cached(sql)?.insert(row)
    }
}

/// Takes receipts that are due; they are due again at `until`.
pub(in crate::sqlite) fn take(
    work: &Work<'_>,
    sink: SinkId,
    now: At,
    until: At,
    limit: usize,
) -> rusqlite::Result<Vec<DueReceipt>> {
    let connection = &*work.transaction;
    let sql = "SELECT id, token, items, sent_at FROM receipt WHERE sink = ?1 AND due_at <= ?2
        ORDER BY due_at, id LIMIT ?3";
    let due = |row: &Row<'_>| {
        Ok(DueReceipt {
            id: ReceiptId(row.get(0)?),
            token: row.get(1)?,
            items: code::count(row, 2)?,
            sent_at: row.get::<_, Time>(3)?.0,
            awaited: Vec::new(),
        })
    };
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![sink.0, now, code::limit(limit)], due)?;
    let mut receipts: Vec<DueReceipt> = rows.collect::<rusqlite::Result<_>>()?;
    for receipt in &mut receipts {
        receipt.awaited = awaited(connection, receipt.id, sink)?;
        postpone(work, receipt.id, until)?;
    }
    Ok(receipts)
}

fn awaited(connection: &Connection, receipt: ReceiptId, sink: SinkId) -> rusqlite::Result<Vec<Awaited>> {
    let sql = "SELECT a.position, d.event, d.tries, coalesce(d.retried_at, e.accepted_at), d.uncertain_since, d.dedup_key,
            e.origin
        FROM awaited a CROSS JOIN delivery d ON d.event = a.event AND d.sink = ?2
        CROSS JOIN event e ON e.seq = a.event
        WHERE a.receipt = ?1 AND d.status = 1 AND d.confirmation = 1 ORDER BY a.position";
    let awaited = |row: &Row<'_>| {
        let since: Option<Time> = row.get(4)?;
        let dedup_key = row.get(5)?;
        Ok(Awaited {
            id: DeliveryId { event: row.get(1)?, sink },
            position: code::count(row, 0)?,
            origin: row.get::<_, Coded<_>>(6)?.0,
            tries: row.get(2)?,
            waiting_since: row.get::<_, Time>(3)?.0,
            uncertain: since.map(|since| Uncertainty { since: since.0, dedup_key }),
        })
    };
    connection.prepare_cached(sql)?.query_map(params![receipt.0, sink.0], awaited)?.collect()
}

/// Has a receipt asked for again at `due_at`.
pub(in crate::sqlite) fn postpone(work: &Work<'_>, receipt: ReceiptId, due_at: At) -> rusqlite::Result<()> {
    let sql = "UPDATE receipt SET due_at = ?2 WHERE id = ?1";
    work.transaction.prepare_cached(sql)?.execute(params![receipt.0, due_at]).map(drop)
}

/// Writes verdicts and ends their receipt.
pub(in crate::sqlite) fn confirm(
    work: &mut Work<'_>,
    receipt: ReceiptId,
    verdicts: &[VerdictWrite],
    now: At,
) -> rusqlite::Result<()> {
    for verdict in verdicts {
        let Some(origin) = write(&work.transaction, verdict, now)? else { continue };
        if origin == Origin::Live {
            let sink = verdict.id.sink;
            work.tally.shift(sink, Status::Delivered, verdict.change.status);
            work.tally.shift_verdict(sink, Confirmation::Awaited, verdict.confirmation);
        }
    }
    for sql in ["DELETE FROM awaited WHERE receipt = ?1", "DELETE FROM receipt WHERE id = ?1"] {
        work.transaction.prepare_cached(sql)?.execute([receipt.0])?;
    }
    Ok(())
}

/// Writes one verdict; nothing where none is awaited. What is sent again is no longer what an external queue was handed
/// before.
fn write(connection: &Connection, verdict: &VerdictWrite, now: At) -> rusqlite::Result<Option<Origin>> {
    let sql = "UPDATE delivery SET status = ?3, due_at = ifnull(?4, due_at), tries = ?5,
            uncertain_since = ?6, dedup_key = ?7, reason = ?8, message = ifnull(?9, message),
            settled_at = iif(?3 = 0, NULL, iif(?3 = 1, settled_at, ?10)),
            publications = publications + (?3 = 0), confirmation = ?11
        WHERE event = ?1 AND sink = ?2 AND status = 1 AND confirmation = 1
        RETURNING origin";
    let VerdictWrite { id, confirmation, change } = verdict;
    let (since, dedup_key) = match &change.uncertain {
        Some(Uncertainty { since, dedup_key }) => (Some(At::from(*since)), dedup_key.as_deref()),
        None => (None, None),
    };
    let row = params![
        id.event,
        id.sink.0,
        Coded(change.status),
        change.due_at.map(At::from),
        change.tries,
        since,
        dedup_key,
        change.reason,
        change.message,
        now,
        Coded(*confirmation),
    ];
    let mut statement = connection.prepare_cached(sql)?;
    let origin = statement.query_row(row, |row| row.get::<_, Coded<Origin>>(0)).optional()?;
    Ok(origin.map(|origin| origin.0))
}
