//! The few connections that read.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use tokio::sync::Semaphore;

use super::connection;
use super::failed;
use crate::error::StoreError;

/// How many reads run at once; more wait.
const READERS: usize = 3;
/// How many of them may be lists, which take as long as there is to look through: what is to be sent waits for none.
const LISTS: usize = 2;

/// Connections that only read, opened as they are needed.
#[derive(Clone)]
pub(super) struct Readers {
    path: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
    lists: Arc<Semaphore>,
    statements: Arc<AtomicU64>,
}

impl Readers {
    /// Readers of the file at `path`.
    pub(super) fn new(path: PathBuf) -> Self {
        let [permits, lists] = [READERS, LISTS].map(|at_once| Arc::new(Semaphore::new(at_once)));
        Self { path: Arc::new(path), idle: Arc::default(), permits, lists, statements: Arc::default() }
    }

    /// SQL statements that have been run.
    pub(super) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Reads what may take long, as [`Self::read`] reads.
    pub(super) async fn list<T, F>(&self, action: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        // The thread has it, not the caller: one that goes away does not end what it began.
        let permit = Arc::clone(&self.lists).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let work = move |connection: &Connection| {
            let result = work(connection);
            drop(permit);
            result
        };
        self.read(action, work).await
    }

    /// Reads from one snapshot, on a thread that may block.
    pub(super) async fn read<T, F>(&self, action: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let pool = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let result = pool.run(work).map_err(failed(action));
            drop(permit);
            result
        });
        task.await.map_err(|error| StoreError::Database { action, source: error.into() })?
    }

    fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = idle.map_or_else(|| self.connect(), Ok)?;
        let result = snapshot(&connection, work);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let mut connection = connection::reader(&self.path)?;
        let statements = Arc::clone(&self.statements);
        let count = move |_: TraceEvent<'_>| {
            statements.fetch_add(1, Ordering::Relaxed);
        };
        connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(count))?;
        Ok(connection)
    }
}

fn snapshot<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.unchecked_transaction()?;
    work(&transaction)
}
