//! Asking a platform for the verdicts that it gives later than its answers.

use std::sync::Arc;
use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::confirmation::ConfirmationSchedule;
use conversion_store::crash::{self, Room};
use conversion_store::{DueReceipt, Status, StoreError};

use super::{STORE_RETRY, Station};
use crate::alarm::Alarm;
use crate::clock::after;
use crate::verdict::{self, Next};

/// Receipts that are taken at once.
const AT_ONCE: usize = 16;
/// What was taken is due again after this much: longer than it takes to ask for all of it.
const TAKEN_FOR: Duration = Duration::from_secs(1800);

/// Asks for the verdicts that one sink awaits.
#[derive(Debug)]
pub struct Confirmer {
    station: Arc<Station>,
    schedule: ConfirmationSchedule,
    alarm: Arc<Alarm>,
}

impl Confirmer {
    /// One for this station, which looks into the store whenever `alarm` goes off.
    pub fn new(station: Arc<Station>, schedule: ConfirmationSchedule, alarm: Arc<Alarm>) -> Self {
        Self { station, schedule, alarm }
    }

    /// Works until the station is stopped. What is asked for then is asked for again after the next start.
    pub async fn run(self) {
        let station = Arc::clone(&self.station);
        while !station.stop.is_cancelled() {
            if self.alarm.take(station.clock.now())
                && let Err(error) = self.ask_for_all().await
            {
                tracing::error!(sink = %station.name, %error, "later verdicts wait for the store");
                self.alarm.set(after(station.clock.now(), STORE_RETRY));
            }
            let alarm = self.alarm.time().unwrap_or(Timestamp::MAX);
            tokio::select! {
                () = self.alarm.changed() => {}
                () = station.clock.sleep_until(alarm) => {}
                () = station.stop.cancelled() => {}
            }
        }
    }

    /// Asks for everything that is due, and sets the alarm to what is due next.
    async fn ask_for_all(&self) -> Result<(), StoreError> {
        let station = &self.station;
        loop {
            let now = station.clock.now();
            let due = station.store.take_receipts(station.id, now, after(now, TAKEN_FOR), AT_ONCE).await?;
            if due.is_empty() {
                break;
            }
            for receipt in due {
                crash::pass(Room::ReceiptTaken);
                station.pace.wait().await;
                tokio::select! {
                    asked = self.ask(&receipt) => asked?,
                    () = station.stop.cancelled() => return Ok(()),
                }
            }
        }
        if let Some(next) = station.store.next_receipt(station.id).await? {
            self.alarm.set(next);
        }
        Ok(())
    }

    async fn ask(&self, receipt: &DueReceipt) -> Result<(), StoreError> {
        let station = &self.station;
        let answer = station.sink.confirm(&receipt.token, receipt.items).await;
        crash::pass(Room::Judged);
        if let Err(failure) = &answer {
            tracing::warn!(sink = %station.name, "a later verdict cannot be had: {}", failure.message);
        }
        let (now, patience) = (station.clock.now(), station.patience.retry_for);
        match verdict::follow(receipt, &answer, self.schedule, patience, now, rand::random()) {
            Next::AskAgain(at) => station.store.postpone_receipt(receipt.id, at).await,
            Next::Write(verdicts) => {
                station.store.confirm(receipt.id, &verdicts, now).await?;
                for written in &verdicts {
                    let message = written.change.message.as_deref().unwrap_or_default();
                    match (written.change.status, written.change.due_at) {
                        (Status::Failed, _) => {
                            tracing::warn!(delivery = %written.id, "refused later: {message}");
                        }
                        (_, Some(due_at)) => station.alarm.set(due_at),
                        _ => {}
                    }
                }
                Ok(())
            }
        }
    }
}
