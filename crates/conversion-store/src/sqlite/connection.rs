//! Connections and their settings.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// Pages are 4 KiB; a negative cache size is in KiB. A commit returns when the log is on disk (FULL). The log is
/// folded into the database at 16 MiB and cut to 64 MiB where a long read made it grow.
const WRITER_SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = OFF;
    PRAGMA cache_size = -8192;
    PRAGMA wal_autocheckpoint = 4096;
    PRAGMA journal_size_limit = 67108864;
";
const READER_SETTINGS: &str = "
    PRAGMA foreign_keys = OFF;
    PRAGMA cache_size = -2048;
";
/// Only checkpoints and closing processes are waited for: there is one writer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The connection that writes; creates the file.
pub(super) fn writer(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    connect(path, flags, WRITER_SETTINGS)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX, READER_SETTINGS)
}

fn connect(path: &Path, flags: OpenFlags, settings: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(settings)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_returns_when_the_log_is_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let connection = writer(&folder.path().join("store.db")).unwrap();
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        let sync: u32 = connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        // sqlite.org/pragma.html#pragma_synchronous: FULL is 2.
        assert_eq!((mode.as_str(), sync), ("wal", 2));
    }
}
