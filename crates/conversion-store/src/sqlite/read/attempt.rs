//! Attempts with their exchanges.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use crate::lease::DeliveryId;
use crate::record::{AttemptRecord, RecordedExchange};
use crate::sqlite::exchange;
use crate::sqlite::pack::damaged;

/// Reads attempts; an exchange that many deliveries shared is read once.
pub(super) struct Attempts<'a> {
    connection: &'a Connection,
    exchanges: HashMap<i64, Arc<RecordedExchange>>,
}

impl<'a> Attempts<'a> {
    /// A reader of attempts.
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, exchanges: HashMap::new() }
    }

    /// The delivery's last attempt.
    pub(super) fn last(&mut self, id: DeliveryId) -> rusqlite::Result<Option<AttemptRecord>> {
        let sql = "SELECT number, exchange, position, result, note FROM attempt
            WHERE event = ?1 AND sink = ?2 ORDER BY number DESC LIMIT 1";
        Ok(self.read(sql, id)?.pop())
    }

    /// All its attempts, oldest first.
    pub(super) fn all(&mut self, id: DeliveryId) -> rusqlite::Result<Vec<AttemptRecord>> {
        let sql = "SELECT number, exchange, position, result, note FROM attempt
            WHERE event = ?1 AND sink = ?2 ORDER BY number";
        self.read(sql, id)
    }

    fn read(&mut self, sql: &str, id: DeliveryId) -> rusqlite::Result<Vec<AttemptRecord>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![id.event, id.sink.0])?;
        let mut attempts = Vec::new();
        while let Some(row) = rows.next()? {
            attempts.push(self.attempt(row)?);
        }
        Ok(attempts)
    }

    fn attempt(&mut self, row: &Row<'_>) -> rusqlite::Result<AttemptRecord> {
        let exchange = match self.exchanges.entry(row.get(1)?) {
            Entry::Occupied(known) => Arc::clone(known.get()),
            Entry::Vacant(new) => {
                let exchange = exchange::read(self.connection, *new.key())?;
                Arc::clone(new.insert(Arc::new(exchange)))
            }
        };
        Ok(AttemptRecord {
            number: row.get(0)?,
            position: usize::try_from(row.get::<_, i64>(2)?).map_err(damaged)?,
            result: row.get(3)?,
            note: row.get(4)?,
            exchange,
        })
    }
}
