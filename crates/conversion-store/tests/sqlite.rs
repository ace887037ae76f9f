//! The SQLite store keeps the rules of every store, and some of its own.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it shares with others")]

mod conformance;

use std::sync::Arc;

use conformance::fixture::{Fixture, admission, at, block_on, change};
use conformance::{Backend, Rows};
use conversion_store::sqlite::SqliteStore;
use conversion_store::{
    Access, Admission, AppointmentFilter, BookingStore as _, DeliveryFilter, Driver, EventFilter, SinkId,
    Status, Store, StoreError, open,
};
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

    /// Version of the schema, and the schema.
    fn version(&self) -> (u32, Vec<String>) {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        let mut schema =
            connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
        let schema = schema.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        (connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap(), schema)
    }

    /// Runs this beside the store.
    fn run(&self, sql: &str) {
        rusqlite::Connection::open(self.path()).unwrap().execute_batch(sql).unwrap();
    }
}

impl Backend for Sqlite {
    fn open(&self) -> Arc<dyn Store> {
        open(&format!("sqlite://{}", self.path()), Access::ReadWrite).unwrap()
    }

    fn refuse(&self, rows: Rows, sink: SinkId) {
        let table = match rows {
            Rows::Deliveries => "delivery",
            Rows::Attempts => "attempt",
            Rows::Counters => "counter",
        };
        let trigger = format!(
            "CREATE TRIGGER refuse BEFORE INSERT ON {table} WHEN new.sink = {}
            BEGIN SELECT raise(ABORT, 'refused'); END",
            sink.0
        );
        self.run(&trigger);
    }

    fn relent(&self) {
        self.run("DROP TRIGGER refuse");
    }
}

conformance!(Sqlite);

#[test]
fn migrations_run_once() {
    let sqlite = Sqlite::default();
    drop(SqliteStore::open(&sqlite.path()).unwrap());
    let first = sqlite.version();
    assert_eq!(first.0, 2);
    drop(SqliteStore::open(&sqlite.path()).unwrap());
    assert_eq!(sqlite.version(), first);
}

#[test]
fn a_store_of_the_first_schema_is_brought_up_with_all_that_is_in_it() {
    const FIRST: &str = include_str!("../migrations/sqlite/0001_initial.sql");
    const ROWS: &str = "
        INSERT INTO run VALUES (1, 0, 0);
        INSERT INTO sink VALUES (1, 'tiktok', 'tiktok', 'TIKTOK', x'07070707070707070707070707070707', NULL);
        INSERT INTO route VALUES (1, '1');
        INSERT INTO event VALUES (1, 'TRIAL_BOOKED', 'free', NULL, zeroblob(16), 0, 1800000000000000, 1);
        INSERT INTO event VALUES (2, 'TRIAL_BOOKED', 'lost', NULL, zeroblob(16), 0, 1800000000000000, 1);
        INSERT INTO body VALUES (1, CAST('{}' AS BLOB)), (2, CAST('{}' AS BLOB));
        INSERT INTO delivery (event, sink, origin, due_at, owner, fence)
            VALUES (1, 1, 0, 1800000000000000, NULL, 0), (2, 1, 0, 1800000060000000, 1, 1);
        INSERT INTO counter VALUES (0, 6, 2), (1, 4, 2), (1, 0, 2);
        PRAGMA user_version = 1;";
    block_on(async {
        let sqlite = Sqlite::default();
        let first = rusqlite::Connection::open(sqlite.path()).unwrap();
        first.execute_batch(FIRST).unwrap();
        first.execute_batch(ROWS).unwrap();
        drop(first);
        let unread = SqliteStore::open_read_only(&sqlite.path()).unwrap_err();
        assert!(unread.to_string().contains("start the service once"), "{unread}");

        // Twice: what has been brought up stays as it is.
        drop(SqliteStore::open(&sqlite.path()).unwrap());
        let version = sqlite.version();
        let fixture = Fixture::new(&sqlite).await;
        assert_eq!(sqlite.version(), version);
        fixture.assert_balanced().await;
        let account = fixture.store.audit().await.unwrap().sinks["tiktok"];
        assert_eq!((account.routed, account.pending), (2, 2));
        let event = fixture.store.event("TRIAL_BOOKED", "free").await.unwrap().unwrap();
        assert_eq!((event.appointment, event.deliveries[0].driver), (None, Driver::Builtin));
        let leases = fixture.lease(0, 10).await;
        assert_eq!(leases.iter().map(|lease| lease.id.event).collect::<Vec<_>>(), [1, 2]);
        assert!(leases[1].uncertain.is_some() && leases[0].uncertain.is_none());
        for lease in leases {
            fixture.settle(&lease, change(Status::Delivered), 1).await;
        }
        fixture.assert_balanced().await;
        drop(fixture);
        let fixture = Fixture::new(&sqlite).await;
        fixture.assert_balanced().await;
        assert_eq!(fixture.store.audit().await.unwrap().sinks["tiktok"].delivered, 2);
        let installation = fixture.store.installation().await.unwrap();
        drop(fixture);
        assert_eq!(Fixture::new(&sqlite).await.store.installation().await.unwrap(), installation);
    });
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

#[test]
fn a_list_is_read_in_as_many_statements_however_long_it_is() {
    block_on(async {
        let sqlite = Sqlite::default();
        let fixture = Fixture::new(&sqlite).await;
        for n in 0..40 {
            let id = format!("e{n}");
            let appointment = Some(n.to_string());
            let both = admission(&id, &[fixture.tiktok, fixture.google]);
            fixture.accept(Admission { appointment, ..both }).await;
            let lease = fixture.lease(0, 1).await.remove(0);
            fixture.settle(&lease, change(Status::Delivered), 1).await;
        }
        drop(fixture);
        let store = SqliteStore::open(&sqlite.path()).unwrap();
        let run = async |n: usize| {
            let appointments = (0..n).map(|n| n.to_string()).collect::<Vec<_>>();
            let before = store.statements_read();
            let filter = AppointmentFilter { limit: n, ..AppointmentFilter::default() };
            assert_eq!(store.appointments(&filter).await.unwrap().0.len(), n);
            let filter = EventFilter {
                appointments: Some(appointments),
                first_of_each: Some(1),
                since: Some(at(0)),
                limit: n,
                ..EventFilter::default()
            };
            let events = store.events(&filter).await.unwrap().0;
            let events: Vec<_> = events.iter().map(|event| event.seq).collect();
            let deliveries = store.deliveries_of(&events, true).await.unwrap();
            let sent = deliveries.iter().filter(|delivery| delivery.last_attempt.is_some()).count();
            assert_eq!((deliveries.len(), sent), (2 * n, n));
            let filter = DeliveryFilter { limit: 2 * n, with_attempts: true, ..DeliveryFilter::default() };
            assert_eq!(store.deliveries(&filter).await.unwrap().items.len(), 2 * n);
            store.statements_read() - before
        };
        let few = run(2).await;
        assert!(few > 0);
        assert_eq!(run(40).await, few);
    });
}
