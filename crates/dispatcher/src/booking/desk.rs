//! A configured booking system: what comes from it, and how it stands.

use std::sync::Arc;
use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::event::Vocabulary;
use conversion_core::reason::Place;
use conversion_core::source::{BookingSource, Ignored, NotGenuine, SourceDescriptor};
use conversion_store::{Driver, NewNotice, Store};
use tokio_util::sync::CancellationToken;

use super::UnderWay;
use crate::alarm::Alarm;
use crate::clock::Clock;
use crate::gate::{Gate, GateChange};
use crate::group::{Entrance, Exit};
use crate::ingest::IngestError;
use crate::watch::Watch;
use crate::worker::Station;

/// Everything that is known of a source and its surroundings. Shared by its clerk and the API.
#[derive(Debug)]
pub struct Desk {
    /// The source's name.
    pub name: String,
    /// The names of all configured sources.
    pub sources: Arc<[String]>,
    /// Its booking system.
    pub descriptor: &'static SourceDescriptor,
    /// The connector.
    pub source: Arc<dyn BookingSource>,
    /// Whether the booking system may be asked now. Not remembered across starts: the first fetch tells.
    pub gate: Gate,
    /// When to look into the store.
    pub alarm: Alarm,
    /// When the desk opened: of earlier holds nothing is known.
    pub opened_at: Timestamp,
    /// How long a notice is worked on after it began to wait, or after the desk opened; holds not counted.
    pub retry_for: Duration,
    /// The way of new notices into the store.
    pub entrance: Entrance<NewNotice>,
    /// What is being worked on.
    pub under_way: UnderWay,
    /// Every sink.
    pub stations: Vec<Arc<Station>>,
    /// Who drives new deliveries.
    pub driver: Driver,
    /// Names of event fields.
    pub vocabulary: Arc<Vocabulary>,
    /// The time.
    pub clock: Clock,
    /// The account.
    pub store: Arc<dyn Store>,
    /// Notices when work breaks.
    pub watch: Watch,
    /// Cancelled when the service stops.
    pub stop: CancellationToken,
}

impl Desk {
    /// The path that the booking system posts its webhooks to.
    pub fn path(&self) -> String {
        webhook_path(self.descriptor, &self.name)
    }

    /// Reads a webhook, if its signature proves it genuine.
    pub fn read(&self, signature: Option<&[u8]>, body: &[u8]) -> Result<NewNotice, NotGenuine> {
        let notice = self.source.receive(signature, body)?;
        let (appointment, ignored) = match notice.appointment {
            Ok(appointment) => (Some(appointment), None),
            Err(Ignored { reason, message }) => {
                (None, Some((reason.name_in(Place::NoticeIgnored).to_owned(), message)))
            }
        };
        Ok(NewNotice { source: self.name.clone(), action: notice.action, appointment, ignored })
    }

    /// Keeps notices and wakes the clerk, even if the caller stops waiting. They are on disk when this returns.
    pub async fn keep(&self, notices: Vec<NewNotice>) -> Result<(), IngestError> {
        self.entrance.commit(notices).await
    }

    /// Writes notices that come in, until `stop`, and then what has come in before it.
    pub async fn file(self: Arc<Self>, exit: Exit<NewNotice>, stop: CancellationToken) {
        let file = |notices: Vec<NewNotice>| {
            let desk = Arc::clone(&self);
            async move {
                let now = desk.clock.now();
                desk.store.keep_notices(&notices, &desk.under_way.all(), now).await?;
                desk.alarm.set(now);
                Ok(())
            }
        };
        exit.run(stop, file).await;
    }

    /// Ends the hold, as a human asks.
    pub fn resume(&self) {
        let now = self.clock.now();
        for change in self.gate.resume(now) {
            self.log(&change);
        }
        self.alarm.set(now);
        self.alarm.wake();
    }

    /// Says what the gate decided.
    pub(super) fn log(&self, change: &GateChange) {
        match change {
            GateChange::Held(hold) => {
                tracing::warn!(source = %self.name, reason = %hold.reason, "held: {}", hold.message);
            }
            GateChange::Resumed | GateChange::EventNameResumed(_) => {
                tracing::info!(source = %self.name, "resumed");
            }
        }
    }
}

/// The path that webhooks of the source of this name come to.
pub fn webhook_path(descriptor: &SourceDescriptor, name: &str) -> String {
    format!("/api/webhooks/{}/{name}", descriptor.kind)
}
