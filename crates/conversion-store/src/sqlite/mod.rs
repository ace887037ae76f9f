//! The store in one file, by SQLite: no server, one service.
//!
//! One thread writes, each call in one transaction that is on disk before the call returns; a few connections read
//! beside it. What costs time and needs no database (compressing, above all) is done before and after, in the caller's
//! task. `write` is what runs on the writer thread, `read` what runs on the readers.

mod attributions;
mod bookings;
mod code;
mod confirmations;
mod connection;
mod details;
mod exchange;
mod lock;
mod pack;
mod queue;
mod read;
mod readers;
mod replays;
mod schema;
#[cfg(test)]
mod tests;
mod write;
mod writer;

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use conversion_core::Timestamp;
use conversion_core::sink::Related;
use rusqlite::Connection;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

use crate::Store;
use crate::admission::{Acceptance, Admission};
use crate::audit::Audit;
use crate::error::StoreError;
use crate::hold::{Hold, Parked, RegisteredSink, SinkRegistration, SinkState};
use crate::lease::{DeliveryId, Lease, LeaseRequest, RunId, SinkId};
use crate::queue::Driver;
use crate::record::{
    DeliveryDetail, DeliveryFilter, DeliveryRecord, EventFilter, EventRecord, Page, RetryOutcome,
};
use crate::settlement::{SettleOutcome, Settlement};
use readers::Readers;
use write::accept::Arrival;
use write::settle::Results;
use writer::{Work, Writer};

/// A store in an SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    // Before the writer: whoever closes the file last folds the log into it, and readers cannot.
    readers: Readers,
    writer: Option<Writer>,
}

impl SqliteStore {
    /// Opens the file for the one service that works on it, and creates or updates it.
    pub fn open(path: &str) -> Result<Self, StoreError> {
        let database = lock::locate(path)?;
        let lock = lock::lock(&database)?;
        lock::create(&database)?;
        let connection = connection::writer(&database).map_err(failed("be opened"))?;
        schema::migrate(&connection)?;
        let writer = Some(Writer::start(connection, lock)?);
        Ok(Self { readers: Readers::new(database.clone()), writer, path: database })
    }

    /// Whether a file could be at `path`: its folder is there.
    pub fn check_path(path: &str) -> Result<(), StoreError> {
        lock::locate(path).map(drop)
    }

    /// Opens the file for reading, also beside a running service. Every method that writes answers an error.
    pub fn open_read_only(path: &str) -> Result<Self, StoreError> {
        let database = lock::locate(path)?;
        if !database.exists() {
            return Err(StoreError::Address(format!("{path}: there is no such file")));
        }
        schema::check(&connection::reader(&database).map_err(failed("be opened"))?)?;
        Ok(Self { readers: Readers::new(database.clone()), writer: None, path: database })
    }

    /// SQL statements that have been run for reading, all calls together: that a call runs a fixed number of them,
    /// however many rows it reads, can be tested by it.
    pub fn statements_read(&self) -> u64 {
        self.readers.statements()
    }

    async fn write<T, F>(&self, action: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Work<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        match &self.writer {
            Some(writer) => writer.write(action, work).await,
            None => Err(StoreError::Database { action, source: "it was opened for reading only".into() }),
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("SqliteStore");
        debug.field("path", &self.path).field("read_only", &self.writer.is_none()).finish_non_exhaustive()
    }
}

/// What SQLite says where a file of the database itself cannot grow.
const DISK_FULL: &str = "database or disk is full";

/// Names what was tried when the database refused.
fn failed(action: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + Copy {
    move |error| {
        // For want of room SQLite says only that the index of its log cannot grow.
        let is_full = error.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_IOERR_SHMSIZE);
        let source = if is_full { DISK_FULL.into() } else { error.into() };
        StoreError::Database { action, source }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn start_run(&self, now: Timestamp, alive_until: Timestamp) -> Result<RunId, StoreError> {
        let action = "start a run";
        self.write(action, move |work| write::run::start(work, now.into(), alive_until.into())).await
    }

    async fn heartbeat(&self, run: RunId, now: Timestamp, alive_until: Timestamp) -> Result<(), StoreError> {
        let action = "renew a run";
        self.write(action, move |work| write::run::heartbeat(work, run, now.into(), alive_until.into())).await
    }

    async fn register_sinks(&self, sinks: &[SinkRegistration]) -> Result<Vec<RegisteredSink>, StoreError> {
        let sinks = sinks.to_vec();
        self.write("register sinks", move |work| write::hold::register(work, &sinks)).await
    }

    async fn accept(&self, admissions: &[Admission], now: Timestamp) -> Result<Vec<Acceptance>, StoreError> {
        let arrivals: Vec<_> = admissions.iter().map(Arrival::new).collect();
        self.write("accept events", move |work| write::accept::accept(work, &arrivals, now.into())).await
    }

    async fn lease(&self, request: LeaseRequest) -> Result<Vec<Lease>, StoreError> {
        let action = "lease deliveries";
        let packed = self.write(action, move |work| write::lease::lease(work, request)).await?;
        Ok(packed.into_iter().map(write::lease::Packed::unpack).collect())
    }

    async fn next_due(&self, sink: SinkId) -> Result<Option<Timestamp>, StoreError> {
        let action = "find what is due next";
        self.readers
            .read(action, move |connection| read::due::next_due(connection, sink, Driver::Builtin))
            .await
    }

    async fn settle(
        &self,
        settlements: &[Settlement],
        now: Timestamp,
    ) -> Result<Vec<Vec<SettleOutcome>>, StoreError> {
        let results: Vec<_> = settlements.iter().map(Results::new).collect();
        self.write("write results", move |work| write::settle::settle(work, &results, now.into())).await
    }

    async fn hold(&self, sink: SinkId, hold: &Hold) -> Result<(), StoreError> {
        let hold = hold.clone();
        self.write("hold a sink", move |work| write::hold::hold(work, sink, &hold)).await
    }

    async fn resume(
        &self,
        sink: SinkId,
        event_name: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Parked>, StoreError> {
        let event_name = event_name.map(str::to_owned);
        let parked = Parked { sink, event_name, resumed_at: now, driver: Driver::Builtin, after: None };
        self.write("resume a sink", move |work| write::hold::resume(work, parked)).await
    }

    async fn release(&self, parked: Parked) -> Result<Option<Parked>, StoreError> {
        self.write("release what was parked", move |work| write::hold::release(work, parked)).await
    }

    async fn related(&self, asked: &[(DeliveryId, String)]) -> Result<Vec<Vec<Related>>, StoreError> {
        let asked = asked.to_vec();
        let action = "find related deliveries";
        self.readers.read(action, move |connection| read::related::related(connection, &asked)).await
    }

    async fn retry(
        &self,
        delivery: DeliveryId,
        driver: Driver,
        now: Timestamp,
    ) -> Result<RetryOutcome, StoreError> {
        self.write("retry a delivery", move |work| write::retry::retry(work, delivery, driver, now.into()))
            .await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Page<DeliveryRecord>, StoreError> {
        let filter = filter.clone();
        let action = "list deliveries";
        self.readers.list(action, move |connection| read::delivery::list(connection, &filter)).await
    }

    async fn delivery(&self, delivery: DeliveryId) -> Result<Option<DeliveryDetail>, StoreError> {
        let action = "read a delivery";
        self.readers.list(action, move |connection| read::delivery::detail(connection, delivery)).await
    }

    async fn deliveries_of(
        &self,
        events: &[i64],
        with_attempts: bool,
    ) -> Result<Vec<DeliveryRecord>, StoreError> {
        let events = events.to_vec();
        let read =
            move |connection: &Connection| read::delivery::of_events(connection, &events, with_attempts);
        self.readers.list("list the deliveries of events", read).await
    }

    async fn events(&self, filter: &EventFilter) -> Result<(Vec<EventRecord>, Option<i64>), StoreError> {
        let filter = filter.clone();
        self.readers.list("list events", move |connection| read::event::list(connection, &filter)).await
    }

    async fn event(&self, name: &str, id: &str) -> Result<Option<EventRecord>, StoreError> {
        let (name, id) = (name.to_owned(), id.to_owned());
        let action = "read an event";
        self.readers.list(action, move |connection| read::event::event(connection, &name, &id)).await
    }

    async fn sinks(&self) -> Result<Vec<SinkState>, StoreError> {
        self.readers.list("list sinks", read::sinks::sinks).await
    }

    async fn audit(&self) -> Result<Audit, StoreError> {
        self.readers.list("make up the account", read::audit::audit).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.write("write", |work| write::probe::probe(work)).await
    }
}
