//! Deliveries that an external queue drives, in SQLite.

use async_trait::async_trait;
use conversion_core::Timestamp;

use super::code::At;
use super::{SqliteStore, read, write};
use crate::error::StoreError;
use crate::lease::{RunId, SinkId};
use crate::queue::{Driver, Publication, QueueItem, QueueStore, Taken, Ticket};

#[async_trait]
impl QueueStore for SqliteStore {
    async fn queue_due(
        &self,
        sink: SinkId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<QueueItem>, StoreError> {
        let now = At::from(now);
        let action = "find what the queue is to have";
        self.readers.read(action, move |connection| read::due::queue_due(connection, sink, now, limit)).await
    }

    async fn installation(&self) -> Result<String, StoreError> {
        let sql = "SELECT id FROM installation";
        let action = "tell which store it is";
        self.readers.read(action, move |connection| connection.query_row(sql, [], |row| row.get(0))).await
    }

    async fn next_queue_due(&self, sink: SinkId) -> Result<Option<Timestamp>, StoreError> {
        let action = "find what the queue is to have next";
        self.readers
            .read(action, move |connection| read::due::next_due(connection, sink, Driver::Queue))
            .await
    }

    async fn published(&self, published: &[Publication]) -> Result<(), StoreError> {
        let published = published.to_vec();
        let action = "write what the queue has";
        self.write(action, move |work| write::queue::published(work, &published)).await
    }

    async fn take(&self, ticket: Ticket, run: RunId, now: Timestamp) -> Result<Taken, StoreError> {
        let now = At::from(now);
        let action = "lease a delivery to the queue";
        let taken = self.write(action, move |work| write::queue::take(work, ticket, run, now)).await?;
        Ok(taken.unpack())
    }

    async fn leave_to_queue(&self, ticket: Ticket, check_at: Timestamp) -> Result<(), StoreError> {
        let action = "leave a delivery to the queue";
        self.write(action, move |work| write::queue::leave(work, ticket, check_at.into())).await
    }

    async fn give_up(
        &self,
        ticket: Ticket,
        reason: &str,
        message: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (reason, message) = (reason.to_owned(), message.to_owned());
        let action = "give up a delivery";
        self.write(action, move |work| write::queue::give_up(work, ticket, &reason, &message, now.into()))
            .await
    }
}
