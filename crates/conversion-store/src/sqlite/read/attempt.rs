//! Attempts with their exchanges.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use crate::lease::DeliveryId;
use crate::record::{AttemptRecord, RecordedExchange};
use crate::sqlite::code::list;
use crate::sqlite::exchange;
use crate::sqlite::pack::damaged;

/// An attempt whose exchange is not read yet.
pub(super) struct Bare {
    number: u32,
    exchange: i64,
    position: usize,
    result: String,
    note: Option<String>,
}

impl Bare {
    /// Reads one from five columns: number, exchange, position, result, note. Nothing where the first is NULL.
    pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Self>> {
        let Some(number) = row.get(first)? else { return Ok(None) };
        Ok(Some(Self {
            number,
            exchange: row.get(first + 1)?,
            position: usize::try_from(row.get::<_, i64>(first + 2)?).map_err(damaged)?,
            result: row.get(first + 3)?,
            note: row.get(first + 4)?,
        }))
    }
}

/// Exchanges, each read once however many attempts shared it, and all of them by one statement.
pub(super) struct Exchanges(HashMap<i64, Arc<RecordedExchange>>);

impl Exchanges {
    /// Reads those of these attempts, with the attempts' own items alone: a request may have a thousand, and a list
    /// may have as many requests.
    pub(super) fn own<'a>(
        connection: &Connection,
        attempts: impl Iterator<Item = &'a Bare>,
    ) -> rusqlite::Result<Self> {
        let mut wanted: HashMap<i64, BTreeSet<usize>> = HashMap::new();
        for attempt in attempts {
            wanted.entry(attempt.exchange).or_default().insert(attempt.position);
        }
        let numbers: Vec<_> = wanted.keys().copied().collect();
        Self::read(connection, &numbers, |number, exchange| match wanted.get(&number) {
            Some(positions) => RecordedExchange { body: exchange.body.with_items_at(positions), ..exchange },
            None => exchange,
        })
    }

    fn read(
        connection: &Connection,
        numbers: &[i64],
        cut: impl Fn(i64, RecordedExchange) -> RecordedExchange,
    ) -> rusqlite::Result<Self> {
        let sql = format!("{} WHERE x.seq IN (SELECT value FROM json_each(?1))", exchange::SELECT);
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map([list(numbers)], |row| {
            let number = row.get(0)?;
            Ok((number, Arc::new(cut(number, exchange::recorded(row)?))))
        })?;
        rows.collect::<rusqlite::Result<_>>().map(Self)
    }

    /// The attempt with its exchange.
    pub(super) fn complete(&self, attempt: Bare) -> rusqlite::Result<AttemptRecord> {
        let Bare { number, exchange, position, result, note } = attempt;
        let exchange = self.0.get(&exchange).cloned().ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        Ok(AttemptRecord { number, position, result, note, exchange })
    }
}

/// All attempts of a delivery, oldest first.
pub(super) fn all(connection: &Connection, id: DeliveryId) -> rusqlite::Result<Vec<AttemptRecord>> {
    let sql = "SELECT number, exchange, position, result, note FROM attempt
        WHERE event = ?1 AND sink = ?2 ORDER BY number";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![id.event, id.sink.0], |row| Bare::read(row, 0))?;
    let found: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    let attempts: Vec<_> = found.into_iter().flatten().collect();
    let numbers: Vec<_> = attempts.iter().map(|attempt| attempt.exchange).collect();
    let exchanges = Exchanges::read(connection, &numbers, |_, exchange| exchange)?;
    attempts.into_iter().map(|attempt| exchanges.complete(attempt)).collect()
}
