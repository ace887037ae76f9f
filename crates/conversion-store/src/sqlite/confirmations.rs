//! Later verdicts in SQLite.

use async_trait::async_trait;
use conversion_core::Timestamp;

use super::{SqliteStore, read, write};
use crate::confirmation::{ConfirmationStore, DueReceipt, ReceiptId, VerdictWrite};
use crate::error::StoreError;
use crate::lease::SinkId;

#[async_trait]
impl ConfirmationStore for SqliteStore {
    async fn take_receipts(
        &self,
        sink: SinkId,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<DueReceipt>, StoreError> {
        let (now, until) = (now.into(), until.into());
        self.write("take receipts", move |work| write::confirmation::take(work, sink, now, until, limit))
            .await
    }

    async fn next_receipt(&self, sink: SinkId) -> Result<Option<Timestamp>, StoreError> {
        let action = "find the next receipt";
        self.readers.read(action, move |connection| read::due::next_receipt(connection, sink)).await
    }

    async fn postpone_receipt(&self, receipt: ReceiptId, due_at: Timestamp) -> Result<(), StoreError> {
        let action = "postpone a receipt";
        self.write(action, move |work| write::confirmation::postpone(work, receipt, due_at.into())).await
    }

    async fn confirm(
        &self,
        receipt: ReceiptId,
        verdicts: &[VerdictWrite],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let verdicts = verdicts.to_vec();
        let action = "write verdicts";
        self.write(action, move |work| write::confirmation::confirm(work, receipt, &verdicts, now.into()))
            .await
    }
}
