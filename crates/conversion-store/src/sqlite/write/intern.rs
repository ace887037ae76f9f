//! Texts that repeat in nearly every row, kept once and numbered.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _};

/// More are looked up instead of remembered.
const REMEMBERED: usize = 1024;

/// Numbers of texts that were used before.
#[derive(Default)]
pub(in crate::sqlite) struct Interned {
    routes: HashMap<String, i64>,
    endpoints: HashMap<String, i64>,
}

impl Interned {
    /// Number of a set of sinks.
    pub(super) fn route(&mut self, connection: &Connection, sinks: &str) -> rusqlite::Result<i64> {
        let select = "SELECT id FROM route WHERE sinks = ?1";
        let insert = "INSERT INTO route (sinks) VALUES (?1)";
        number(&mut self.routes, connection, sinks, [select, insert])
    }

    /// Number of an address with headers.
    pub(super) fn endpoint(&mut self, connection: &Connection, head: &str) -> rusqlite::Result<i64> {
        let select = "SELECT id FROM endpoint WHERE head = ?1";
        let insert = "INSERT INTO endpoint (head) VALUES (?1)";
        number(&mut self.endpoints, connection, head, [select, insert])
    }
}

fn number(
    known: &mut HashMap<String, i64>,
    connection: &Connection,
    text: &str,
    [select, insert]: [&str; 2],
) -> rusqlite::Result<i64> {
    if let Some(id) = known.get(text) {
        return Ok(*id);
    }
    let found = connection.prepare_cached(select)?.query_row([text], |row| row.get(0)).optional()?;
    let id = match found {
        Some(id) => id,
        None => connection.prepare_cached(insert)?.insert([text])?,
    };
    if known.len() < REMEMBERED {
        known.insert(text.to_owned(), id);
    }
    Ok(id)
}
