//! Not built yet.
use super::*;
use crate::*;
use conversion_core::attribution::Attribution;

fn unbuilt<T>() -> Result<T, StoreError> {
    Err(StoreError::Database { action: "do this yet", source: "not built".into() })
}

#[async_trait]
impl AttributionStore for SqliteStore {
    async fn keep_attributions(&self, _: &[Attribution]) -> Result<(), StoreError> {
        unbuilt()
    }
    async fn attributions(&self, _: &[String]) -> Result<Vec<Attribution>, StoreError> {
        Ok(Vec::new())
    }
    async fn forget_attributions(&self, _: Timestamp, _: usize) -> Result<u64, StoreError> {
        unbuilt()
    }
}

#[async_trait]
impl BookingStore for SqliteStore {
    async fn keep_notices(&self, _: &[NewNotice], _: Timestamp) -> Result<(), StoreError> {
        unbuilt()
    }
    async fn due_notices(&self, _: &str, _: Timestamp, _: usize) -> Result<Vec<Notice>, StoreError> {
        unbuilt()
    }
    async fn next_notice_due(&self, _: &str) -> Result<Option<Timestamp>, StoreError> {
        unbuilt()
    }
    async fn settle_notices(
        &self,
        _: &[NoticeSettlement],
        _: Timestamp,
    ) -> Result<Vec<NoticeOutcome>, StoreError> {
        unbuilt()
    }
    async fn retry_notice(&self, _: NoticeId, _: Timestamp) -> Result<RetryOutcome, StoreError> {
        unbuilt()
    }
    async fn notices(&self, _: &NoticeFilter) -> Result<(Vec<NoticeRecord>, Option<NoticeId>), StoreError> {
        unbuilt()
    }
    async fn notice_counts(&self, _: &str) -> Result<NoticeCounts, StoreError> {
        unbuilt()
    }
    async fn known(&self, _: &[String]) -> Result<Vec<Option<OwnedAppointment>>, StoreError> {
        unbuilt()
    }
    async fn appointments(
        &self,
        _: &AppointmentFilter,
    ) -> Result<(Vec<AppointmentRecord>, Option<i64>), StoreError> {
        unbuilt()
    }
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
