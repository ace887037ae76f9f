//! The schema and its versions.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::failed;
use crate::error::StoreError;

/// Each brings the schema from the version of its index to the next. One that was released is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_initial.sql"),
    include_str!("../../migrations/sqlite/0002_bookings_attributions_queue.sql"),
];

/// Brings the schema up to date.
pub(super) fn migrate(connection: &Connection) -> Result<(), StoreError> {
    let wrong = failed("bring its schema up to date");
    let transaction =
        Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(wrong)?;
    let found = version(&transaction)?;
    for migration in MIGRATIONS.iter().skip(found) {
        transaction.execute_batch(migration).map_err(wrong)?;
    }
    transaction.pragma_update(None, "user_version", known()).map_err(wrong)?;
    transaction.commit().map_err(wrong)
}

/// Whether the schema is the one that this program reads.
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    if version(connection)? == MIGRATIONS.len() {
        return Ok(());
    }
    Err(StoreError::Address("the store is not set up for this version; start the service once".to_owned()))
}

// How many migrations the schema has seen.
fn version(connection: &Connection) -> Result<usize, StoreError> {
    let query = connection.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0));
    let found = query.map_err(failed("read its schema's version"))?;
    if found > known() {
        return Err(StoreError::Newer { found, known: known() });
    }
    Ok(usize::try_from(found).unwrap_or(usize::MAX))
}

fn known() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}
