//! Not built yet.
use super::*;
use crate::*;

fn unbuilt<T>() -> Result<T, StoreError> {
    Err(StoreError::Database { action: "do this yet", source: "not built".into() })
}

#[async_trait]
impl QueueStore for SqliteStore {
    async fn queue_due(&self, _: SinkId, _: Timestamp, _: usize) -> Result<Vec<QueueItem>, StoreError> {
        unbuilt()
    }
    async fn next_queue_due(&self, _: SinkId) -> Result<Option<Timestamp>, StoreError> {
        unbuilt()
    }
    async fn published(&self, _: &[Publication]) -> Result<(), StoreError> {
        unbuilt()
    }
    async fn take(&self, _: DeliveryId, _: RunId, _: Timestamp) -> Result<Taken, StoreError> {
        unbuilt()
    }
    async fn leave_to_queue(&self, _: DeliveryId, _: Timestamp) -> Result<(), StoreError> {
        unbuilt()
    }
    async fn give_up(&self, _: DeliveryId, _: &str, _: &str, _: Timestamp) -> Result<bool, StoreError> {
        unbuilt()
    }
}
