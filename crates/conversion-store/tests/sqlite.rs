//! The SQLite store keeps the rules of every store, and some of its own.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it shares with others")]

mod conformance;

use std::sync::Arc;

use conformance::Backend;
use conformance::fixture::{Fixture, admission, at, block_on};
use conversion_store::sqlite::SqliteStore;
use conversion_store::{Access, Store, StoreError, open};
use tempfile::TempDir;

/// An SQLite file in a folder of its own.
struct Sqlite {
    folder: TempDir,
}

impl Default for Sqlite {
    fn default() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }
}

impl Sqlite {
    fn path(&self) -> String {
        self.folder.path().join("signalbox.db").display().to_string()
    }
}

impl Backend for Sqlite {
    fn open(&self) -> Arc<dyn Store> {
        open(&format!("sqlite://{}", self.path()), Access::ReadWrite).unwrap()
    }
}

conformance!(Sqlite);

#[test]
fn migrations_run_once() {
    let sqlite = Sqlite::default();
    for _ in 0..2 {
        drop(SqliteStore::open(&sqlite.path()).unwrap());
    }
    let version = rusqlite::Connection::open(sqlite.path()).unwrap();
    assert_eq!(version.query_row("PRAGMA user_version", [], |row| row.get(0)), Ok(2));
}

#[test]
fn a_newer_schema_is_refused() {
    let sqlite = Sqlite::default();
    drop(SqliteStore::open(&sqlite.path()).unwrap());
    let newer = rusqlite::Connection::open(sqlite.path()).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    for result in [SqliteStore::open(&sqlite.path()), SqliteStore::open_read_only(&sqlite.path())] {
        assert!(matches!(result, Err(StoreError::Newer { found: 99, known: 2 })), "{result:?}");
    }
}

#[test]
fn a_second_service_is_refused_while_commands_may_read() {
    block_on(async {
        let sqlite = Sqlite::default();
        let fixture = Fixture::new(&sqlite).await;
        let second = SqliteStore::open(&sqlite.path());
        assert!(matches!(second, Err(StoreError::InUse(_))), "{second:?}");

        let reader = open(&format!("sqlite://{}", sqlite.path()), Access::ReadOnly).unwrap();
        fixture.delivery("a").await;
        assert_eq!(reader.audit().await.unwrap().accepted, 1);
        let refused = reader.accept(&[admission("b", &[])], at(0)).await.unwrap_err();
        assert_eq!(refused.to_string(), "the store cannot accept events: it was opened for reading only");

        drop(fixture);
        drop(SqliteStore::open(&sqlite.path()).unwrap());
        assert_eq!(reader.audit().await.unwrap().accepted, 1);
    });
}

#[test]
fn a_link_to_the_file_is_the_same_file() {
    let sqlite = Sqlite::default();
    let store = SqliteStore::open(&sqlite.path()).unwrap();
    let link = sqlite.folder.path().join("link.db");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(sqlite.path(), &link).unwrap();
        assert!(matches!(SqliteStore::open(&link.display().to_string()), Err(StoreError::InUse(_))));
    }
    drop((store, link));
}

#[test]
fn a_closed_store_can_be_read_and_a_missing_one_cannot() {
    block_on(async {
        let sqlite = Sqlite::default();
        let missing = SqliteStore::open_read_only(&sqlite.path()).unwrap_err();
        assert!(missing.to_string().contains("there is no such file"), "{missing}");
        assert!(!std::fs::exists(sqlite.path()).unwrap());
        std::fs::write(sqlite.path(), "").unwrap();
        let empty = SqliteStore::open_read_only(&sqlite.path()).unwrap_err();
        assert!(empty.to_string().contains("start the service once"), "{empty}");

        let fixture = Fixture::new(&sqlite).await;
        fixture.delivery("a").await;
        drop(fixture);
        let reader = SqliteStore::open_read_only(&sqlite.path()).unwrap();
        assert_eq!(reader.audit().await.unwrap().accepted, 1);
    });
}

#[test]
fn an_unusable_place_is_told() {
    let error = SqliteStore::open("/nowhere/at/all.db").unwrap_err();
    assert!(error.to_string().contains("the folder /nowhere/at cannot be used"), "{error}");
}
