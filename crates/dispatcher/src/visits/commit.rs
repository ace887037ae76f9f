//! Committing visits in groups: whoever waits shares one transaction with all who wait.

use std::sync::Arc;

use conversion_core::attribution::Attribution;
use conversion_store::{Store, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::ingest::{IngestError, next_until};

/// Visits in one transaction.
const GROUP: usize = 500;

/// A visit on its way to a commit.
#[derive(Debug)]
pub(super) struct Submission {
    visit: Attribution,
    committed: oneshot::Sender<Result<(), Arc<StoreError>>>,
}

/// Hands in a visit and waits for the commit.
pub(super) async fn commit(sender: &mpsc::Sender<Submission>, visit: Attribution) -> Result<(), IngestError> {
    let (committed, wait) = oneshot::channel();
    sender.try_send(Submission { visit, committed })?;
    wait.await.map_err(|_| IngestError::Closed)?.map_err(IngestError::Store)
}

/// The one writer of visits, until `stop`, and then until what has come in is committed.
pub(super) async fn run(
    store: Arc<dyn Store>,
    stop: CancellationToken,
    mut submissions: mpsc::Receiver<Submission>,
) {
    while let Some(first) = next_until(&stop, &mut submissions).await {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = submissions.try_recv()
        {
            group.push(next);
        }
        let (visits, waiting): (Vec<_>, Vec<_>) =
            group.into_iter().map(|submission| (submission.visit, submission.committed)).unzip();
        let written = store.keep_attributions(&visits).await.map_err(Arc::new);
        if let Err(error) = &written {
            tracing::error!(%error, "visits cannot be kept");
        }
        for committed in waiting {
            // A visitor who has gone needs no answer.
            drop(committed.send(written.clone()));
        }
    }
}
