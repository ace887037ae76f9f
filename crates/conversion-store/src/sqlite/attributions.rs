//! Attributions in SQLite.

use async_trait::async_trait;
use conversion_core::Timestamp;
use conversion_core::attribution::Attribution;

use super::{SqliteStore, read, write};
use crate::attribution::AttributionStore;
use crate::error::StoreError;

#[async_trait]
impl AttributionStore for SqliteStore {
    async fn keep_attributions(&self, visits: &[Attribution]) -> Result<(), StoreError> {
        let visits = visits.to_vec();
        self.write("keep attributions", move |work| write::attribution::keep(work, visits)).await
    }

    async fn attributions(&self, ids: &[String]) -> Result<Vec<Attribution>, StoreError> {
        let ids = ids.to_vec();
        let action = "read attributions";
        self.readers.read(action, move |connection| read::attribution::those(connection, &ids)).await
    }

    async fn forget_attributions(
        &self,
        last_seen_before: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let before = last_seen_before.into();
        self.write("forget attributions", move |work| write::attribution::forget(work, before, limit)).await
    }
}
