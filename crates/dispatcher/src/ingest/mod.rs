//! The way in: is it a valid canonical event, was it seen before. Knows no platform.

mod commit;
mod split;

use std::sync::Arc;

use conversion_core::event::{EventError, FieldError, Vocabulary};
use conversion_core::{CanonicalEvent, Timestamp};
use conversion_store::{Acceptance, StoreError};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use utoipa::ToSchema;

pub(crate) use commit::next_until;
pub use commit::{Committer, Lane};
pub use split::{SplitError, split};

use crate::clock::Clock;

/// Requests that wait to be committed; past it callers are told to come again.
const WAITING: usize = 1024;

/// Where every entrance hands in its events. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ingest {
    vocabulary: Arc<Vocabulary>,
    clock: Clock,
    sender: mpsc::Sender<Submission>,
}

/// Valid events of one request, on their way to a commit.
#[derive(Debug)]
struct Submission {
    events: Vec<Arc<CanonicalEvent>>,
    committed: oneshot::Sender<Result<Vec<Acceptance>, Arc<StoreError>>>,
}

/// What became of one event of a request.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EventResult)]
pub struct IngestResult {
    /// Its place in the request.
    pub index: usize,
    /// Its id, if it has a valid one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Its name, if it has a valid one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
    /// What became of it.
    pub status: IngestStatus,
    /// For a duplicate: whether its content is another than the first's, which stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differs: Option<bool>,
    /// All that is wrong with it; empty unless rejected.
    #[schema(value_type = Vec<crate::api::FieldErrorBody>)]
    pub errors: Vec<FieldError>,
}

/// What became of an event at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = EventResultStatus)]
pub enum IngestStatus {
    /// Kept, and will be delivered.
    Accepted,
    /// Kept before.
    Duplicate,
    /// Not a valid event.
    Rejected,
}

/// Why a whole request could not be taken.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IngestError {
    /// Too much is waiting.
    #[error("too many requests are waiting to be written; try again in a second")]
    Overloaded,
    /// The store cannot commit.
    #[error("nothing can be accepted now: {0}")]
    Store(Arc<StoreError>),
    /// The service is shutting down.
    #[error("the service is shutting down; try again in a few seconds")]
    Closed,
}

impl<T> From<mpsc::error::TrySendError<T>> for IngestError {
    fn from(error: mpsc::error::TrySendError<T>) -> Self {
        match error {
            mpsc::error::TrySendError::Full(_) => Self::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Self::Closed,
        }
    }
}

impl Ingest {
    /// The way in, and the committer that must run for it to lead anywhere.
    pub fn open(
        vocabulary: Arc<Vocabulary>,
        clock: Clock,
        committer: Committer,
    ) -> (Self, impl Future<Output = ()>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self { vocabulary, clock, sender }, committer.run(receiver))
    }

    /// Takes the events of one request. A bad one does not cost the good ones. Returns after the commit.
    pub async fn take(&self, events: &[&str]) -> Result<Vec<IngestResult>, IngestError> {
        let now = self.clock.latest();
        let read: Vec<_> = events.iter().map(|json| self.read(json, now)).collect();
        let valid: Vec<_> = read.iter().filter_map(|event| event.as_ref().ok().cloned()).collect();
        let mut acceptances = self.commit(valid).await?.into_iter();
        let result = |(index, event): (usize, Result<Arc<CanonicalEvent>, EventError>)| match event {
            // One acceptance for each valid event, in order: the store's word.
            Ok(event) => match acceptances.next() {
                Some(acceptance) => Ok(IngestResult::kept(index, &event, acceptance)),
                None => Err(IngestError::Closed),
            },
            Err(error) => Ok(IngestResult::rejected(index, error)),
        };
        read.into_iter().enumerate().map(result).collect()
    }

    /// Reads and checks one event.
    pub fn read(&self, json: &str, now: Timestamp) -> Result<Arc<CanonicalEvent>, EventError> {
        CanonicalEvent::parse(json, &self.vocabulary, now).map(Arc::new)
    }

    async fn commit(&self, events: Vec<Arc<CanonicalEvent>>) -> Result<Vec<Acceptance>, IngestError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let (committed, wait) = oneshot::channel();
        self.sender.try_send(Submission { events, committed })?;
        wait.await.map_err(|_| IngestError::Closed)?.map_err(IngestError::Store)
    }
}

impl IngestResult {
    fn kept(index: usize, event: &CanonicalEvent, acceptance: Acceptance) -> Self {
        let (status, differs) = match acceptance {
            Acceptance::Accepted { .. } => (IngestStatus::Accepted, None),
            Acceptance::Duplicate { differs } => (IngestStatus::Duplicate, Some(differs)),
        };
        let (event_id, event_name) = (Some(event.event_id.clone()), Some(event.event_name.clone()));
        Self { index, event_id, event_name, status, differs, errors: Vec::new() }
    }

    fn rejected(index: usize, error: EventError) -> Self {
        let EventError { event_id, event_name, errors } = error;
        Self { index, event_id, event_name, status: IngestStatus::Rejected, differs: None, errors }
    }
}
