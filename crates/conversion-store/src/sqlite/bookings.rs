//! Notices and appointments in SQLite.

use async_trait::async_trait;
use conversion_core::Timestamp;

use super::code::At;
use super::write::notice::Told;
use super::{SqliteStore, read, write};
use crate::booking::{
    AppointmentFilter, AppointmentRecord, BookingStore, NewNotice, Notice, NoticeCounts, NoticeFilter,
    NoticeId, NoticeOutcome, NoticeRecord, NoticeRetry, NoticeSettlement, OwnedAppointment,
};
use crate::error::StoreError;

#[async_trait]
impl BookingStore for SqliteStore {
    async fn keep_notices(
        &self,
        notices: &[NewNotice],
        under_way: &[NoticeId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (notices, under_way) = (notices.to_vec(), under_way.to_vec());
        let action = "keep notices";
        self.write(action, move |work| write::notice::keep(work, &notices, &under_way, now.into())).await
    }

    async fn due_notices(
        &self,
        source: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Notice>, StoreError> {
        let (source, now) = (source.to_owned(), At::from(now));
        let action = "find notices that are due";
        self.readers.read(action, move |connection| read::notice::due(connection, &source, now, limit)).await
    }

    async fn next_notice_due(&self, source: &str) -> Result<Option<Timestamp>, StoreError> {
        let source = source.to_owned();
        let action = "find what notice is due next";
        self.readers.read(action, move |connection| read::notice::next_due(connection, &source)).await
    }

    async fn settle_notices(
        &self,
        settlements: &[NoticeSettlement],
        now: Timestamp,
    ) -> Result<Vec<NoticeOutcome>, StoreError> {
        let told: Vec<_> = settlements.iter().map(Told::new).collect();
        self.write("settle notices", move |work| write::notice::settle(work, &told, now.into())).await
    }

    async fn retry_notice(&self, notice: NoticeId, now: Timestamp) -> Result<NoticeRetry, StoreError> {
        self.write("retry a notice", move |work| write::notice::retry(work, notice, now.into())).await
    }

    async fn notices(
        &self,
        filter: &NoticeFilter,
    ) -> Result<(Vec<NoticeRecord>, Option<NoticeId>), StoreError> {
        let filter = filter.clone();
        self.readers.list("list notices", move |connection| read::notice::list(connection, &filter)).await
    }

    async fn notice_counts(&self, source: &str) -> Result<NoticeCounts, StoreError> {
        let source = source.to_owned();
        self.readers.list("count notices", move |connection| read::notice::counts(connection, &source)).await
    }

    async fn known(&self, ids: &[String]) -> Result<Vec<Option<OwnedAppointment>>, StoreError> {
        let ids = ids.to_vec();
        let action = "read appointments";
        self.readers.read(action, move |connection| read::appointment::known(connection, &ids)).await
    }

    async fn appointments(
        &self,
        filter: &AppointmentFilter,
    ) -> Result<(Vec<AppointmentRecord>, Option<i64>), StoreError> {
        let filter = filter.clone();
        let action = "list appointments";
        self.readers.list(action, move |connection| read::appointment::list(connection, &filter)).await
    }
}
