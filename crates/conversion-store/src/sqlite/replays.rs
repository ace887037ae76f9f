//! Replays in SQLite.

use std::num::NonZeroU32;

use async_trait::async_trait;
use conversion_core::Timestamp;

use super::{SqliteStore, read, write};
use crate::error::StoreError;
use crate::lease::DeliveryId;
use crate::queue::Driver;
use crate::replay::{Candidates, ReplayItem, ReplaySelection, ReplayStore};

#[async_trait]
impl ReplayStore for SqliteStore {
    async fn replayable(
        &self,
        selection: &ReplaySelection,
        after: Option<DeliveryId>,
    ) -> Result<Candidates, StoreError> {
        let selection = selection.clone();
        let action = "find what can be replayed";
        self.readers
            .list(action, move |connection| read::replay::candidates(connection, &selection, after))
            .await
    }

    async fn replay(
        &self,
        items: &[ReplayItem],
        driver: Driver,
        rate: NonZeroU32,
        now: Timestamp,
    ) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let items = items.to_vec();
        let action = "replay deliveries";
        self.write(action, move |work| write::replay::replay(work, &items, driver, rate, now.into())).await
    }
}
