//! The one thread that writes.

use std::fs::File;
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::failed;
use super::write::intern::Interned;
use super::write::tally::Tally;
use crate::crash::{self, Point};
use crate::error::StoreError;

/// Calls that may wait for the thread; more wait at the door.
const QUEUE: usize = 64;

type Command = Box<dyn FnOnce(&mut Session) + Send>;

/// The way to the thread. Dropping it waits until what was asked for is written and the file is closed.
pub(super) struct Writer {
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

/// One transaction and what is kept beside it.
pub(super) struct Work<'a> {
    /// The transaction.
    pub(super) transaction: Transaction<'a>,
    /// Numbers of repeated texts.
    pub(super) interned: &'a mut Interned,
    /// Counters that move when it commits.
    pub(super) tally: Tally,
}

struct Session {
    connection: Connection,
    interned: Interned,
}

impl Writer {
    /// Starts the thread. It holds the lock until it ends.
    pub(super) fn start(connection: Connection, lock: File) -> Result<Self, StoreError> {
        let (commands, queue) = mpsc::channel(QUEUE);
        let session = Session { connection, interned: Interned::default() };
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || {
            run(session, queue);
            drop(lock);
        });
        let thread =
            thread.map_err(|source| StoreError::Database { action: "start", source: source.into() })?;
        Ok(Self { commands: Some(commands), thread: Some(thread) })
    }

    /// Does the work in one transaction. What was handed over is done even if the caller goes away.
    pub(super) async fn write<T, F>(&self, action: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Work<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let command: Command = Box::new(move |session| {
            if reply.send(session.transact(action, work)).is_err() {
                tracing::debug!(action, "store.caller_gone");
            }
        });
        let commands = self.commands.as_ref().ok_or(StoreError::Closed)?;
        commands.send(command).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?.map_err(failed(action))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer thread panicked");
        }
    }
}

fn run(mut session: Session, mut queue: mpsc::Receiver<Command>) {
    while let Some(command) = queue.blocking_recv() {
        command(&mut session);
    }
}

impl Session {
    fn transact<T>(
        &mut self,
        action: &'static str,
        work: impl FnOnce(&mut Work<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let result = attempt(&self.connection, &mut self.interned, action, work);
        if result.is_err() {
            // Numbers given within the transaction went with it.
            self.interned = Interned::default();
        }
        result
    }
}

// Every way out but the last line rolls back.
fn attempt<T>(
    connection: &Connection,
    interned: &mut Interned,
    action: &'static str,
    work: impl FnOnce(&mut Work<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let mut work_on = Work { transaction, interned, tally: Tally::default() };
    let result = work(&mut work_on)?;
    let Work { transaction, tally, .. } = work_on;
    tally.write(&transaction)?;
    crash::reach(Point::Written(action));
    transaction.commit()?;
    crash::reach(Point::Committed(action));
    Ok(result)
}
