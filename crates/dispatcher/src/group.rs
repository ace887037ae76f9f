//! Committing in groups: whoever waits shares one transaction with all who wait.

use std::sync::Arc;

use conversion_store::StoreError;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::ingest::{IngestError, next_until};

/// Items in one transaction, about.
const GROUP: usize = 500;
/// Submissions that wait to be committed; past it callers are told to come again.
const WAITING: usize = 1024;

/// Items on their way to a commit.
#[derive(Debug)]
struct Submission<T> {
    items: Vec<T>,
    committed: oneshot::Sender<Result<(), Arc<StoreError>>>,
}

/// Where items are handed in.
#[derive(Debug)]
pub struct Entrance<T>(mpsc::Sender<Submission<T>>);

/// Where they come out, for the one who writes them.
#[derive(Debug)]
pub struct Exit<T>(mpsc::Receiver<Submission<T>>);

/// A way to a commit.
pub fn way<T>() -> (Entrance<T>, Exit<T>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Entrance(sender), Exit(receiver))
}

impl<T> Entrance<T> {
    /// Hands in items and waits for the commit. They are committed even if the caller stops waiting.
    pub async fn commit(&self, items: Vec<T>) -> Result<(), IngestError> {
        let (committed, wait) = oneshot::channel();
        self.0.try_send(Submission { items, committed })?;
        wait.await.map_err(|_| IngestError::Closed)?.map_err(IngestError::Store)
    }
}

impl<T> Exit<T> {
    /// Writes what comes with `write`, until `stop`, and then what has come in before it.
    pub async fn run<W>(mut self, stop: CancellationToken, write: impl Fn(Vec<T>) -> W)
    where
        W: Future<Output = Result<(), StoreError>>,
    {
        while let Some(Submission { mut items, committed }) = next_until(&stop, &mut self.0).await {
            let mut waiting = vec![committed];
            while items.len() < GROUP
                && let Ok(next) = self.0.try_recv()
            {
                items.extend(next.items);
                waiting.push(next.committed);
            }
            let written = write(items).await.map_err(Arc::new);
            if let Err(error) = &written {
                tracing::error!(%error, "what came in cannot be kept");
            }
            for committed in waiting {
                // Whoever has gone needs no answer.
                drop(committed.send(written.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn all_who_wait_share_one_write_and_nobody_is_left_at_the_end() {
        let (entrance, exit) = way();
        let written = Mutex::new(Vec::new());
        let stop = CancellationToken::new();
        stop.cancel();
        let write = async |items: Vec<u8>| {
            written.lock().unwrap().push(items);
            Ok(())
        };
        let (first, second, ()) =
            tokio::join!(entrance.commit(vec![1, 2]), entrance.commit(vec![3]), exit.run(stop, write));
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(*written.lock().unwrap(), [[1, 2, 3]]);
        assert!(matches!(entrance.commit(vec![4]).await, Err(IngestError::Closed)));
    }
}
