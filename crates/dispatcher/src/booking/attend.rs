//! Working off the notices of one appointment: it is fetched, and what follows is written in one piece.

use std::sync::Arc;

use conversion_core::booking::{Appointment, Known};
use conversion_core::failure::{Consequence, Failure};
use conversion_core::reason::Place;
use conversion_core::{CanonicalEvent, Timestamp};
use conversion_store::crash::{self, Room};
use conversion_store::{
    Admission, AppointmentWrite, NewDelivery, Notice, NoticeChange, NoticeId, NoticeOutcome,
    NoticeSettlement, Origin, OwnedAppointment, StoreError,
};
use tokio::task::{JoinError, JoinSet};

use super::Desk;
use super::finding::{Finding, Told, View};
use super::waiting::FailedFetch;
use crate::gate::GateChange;
use crate::reason::INTERNAL_ERROR;
use crate::route::{Route, admission};

/// So often an event is derived from an appointment that was written meanwhile, before its notices wait for a moment.
const STALE_TRIES: usize = 10;

/// Why notices were left unsettled: they are still due.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("an appointment is written by others, again and again")]
    Contended,
}

/// What came of asking for an appointment; the error is that of a connector that broke.
type Fetched = Result<Result<Appointment, Failure>, JoinError>;

impl Desk {
    /// Fetches the appointment of `notices`, all of which are about it, and writes what follows.
    pub(super) async fn attend(&self, notices: &[Notice]) -> Result<(), Trouble> {
        let Some(first) = notices.first() else { return Ok(()) };
        let _begun = self.under_way.begin(notices);
        let sent_at = self.clock.now();
        let Some(fetched) = self.fetch(first.appointment.clone()).await else { return Ok(()) };
        crash::pass(Room::AppointmentFetched);
        let now = self.clock.now();
        if let Some(change) = self.learn(&fetched, sent_at, now) {
            self.log(&change);
        }
        let changes = match fetched {
            Ok(Ok(appointment)) => return self.tell(notices, &appointment).await,
            Ok(Err(failure)) => {
                let (holds, random) = (self.gate.history(), rand::random());
                FailedFetch {
                    failure: &failure,
                    opened_at: self.opened_at,
                    retry_for: self.retry_for,
                    holds: &holds,
                    now,
                    random,
                }
                .changes(notices)
            }
            Err(_) => notices.iter().map(|_| broken()).collect(),
        };
        let settlements: Vec<_> = notices
            .iter()
            .zip(changes)
            .map(|(notice, change)| NoticeSettlement { notices: vec![notice.id], change, appointment: None })
            .collect();
        self.settle(&settlements).await?;
        Ok(())
    }

    /// In a task of its own: a connector that breaks on one appointment must not cost the others. Nothing where the
    /// program ends.
    async fn fetch(&self, appointment: String) -> Option<Fetched> {
        let source = Arc::clone(&self.source);
        let mut fetching = JoinSet::new();
        fetching.spawn(async move { source.fetch(&appointment).await });
        fetching.join_next().await
    }

    fn learn(&self, fetched: &Fetched, sent_at: Timestamp, now: Timestamp) -> Option<GateChange> {
        match fetched {
            Ok(Err(failure)) if is_about_the_source(failure) => self.gate.failed(failure, None, sent_at, now),
            Ok(_) => self.gate.answered(sent_at, now),
            Err(_) => None,
        }
    }

    /// Writes the appointment, and the event that follows.
    async fn tell(&self, notices: &[Notice], appointment: &Appointment) -> Result<(), Trouble> {
        let noticed_at = notices.iter().map(|notice| notice.received_at).min();
        for _ in 0..STALE_TRIES {
            let now = self.clock.now();
            let known = self.store.known(std::slice::from_ref(&appointment.id)).await?;
            let before = known.into_iter().next().flatten();
            let noticed_at = noticed_at.unwrap_or(now);
            let view = View {
                source: &self.name,
                sources: &self.sources,
                vocabulary: &self.vocabulary,
                noticed_at,
                now,
            };
            let finding = Finding::of(before.as_ref(), appointment, view);
            let ids = notices.iter().map(|notice| notice.id).collect();
            let settlement = self.settlement(ids, before, appointment, finding, now);
            if self.settle(&[settlement]).await? == [NoticeOutcome::Applied] {
                return Ok(());
            }
        }
        Err(Trouble::Contended)
    }

    fn settlement(
        &self,
        notices: Vec<NoticeId>,
        before: Option<OwnedAppointment>,
        appointment: &Appointment,
        finding: Finding,
        now: Timestamp,
    ) -> NoticeSettlement {
        let (change, event) = match finding {
            Finding::Event(event) => (NoticeChange::Done, Some(event)),
            Finding::Nothing(Told { reason, message }) => {
                let reason = reason.name_in(Place::NoticeIgnored).to_owned();
                (NoticeChange::Ignored { reason, message }, None)
            }
            // What is not told must not be taken for known: a retry derives it again.
            Finding::Refused(Told { reason, message }) => {
                let reason = reason.name_in(Place::NoticeFailed).to_owned();
                let change = NoticeChange::Failed { reason, message };
                return NoticeSettlement { notices, change, appointment: None };
            }
        };
        let write = AppointmentWrite {
            id: appointment.id.clone(),
            source: self.name.clone(),
            known: Known::after(before.as_ref().map(|before| &before.known), appointment, event.as_deref()),
            before,
            booked_at: appointment.booked_at,
            details: appointment.details.to_json().into(),
            event: event.map(|event| self.admit(&event, now)),
        };
        NoticeSettlement { notices, change, appointment: Some(write) }
    }

    /// The event with its deliveries: free, so that a crash leaves them due.
    fn admit(&self, event: &CanonicalEvent, now: Timestamp) -> Admission {
        let due_at = event.event_time.max(now);
        let deliveries = self.stations.iter().map(|station| NewDelivery {
            sink: station.id,
            due_at,
            leased_to: None,
            driver: self.driver,
        });
        admission(event, Origin::Live, Route(deliveries.collect()))
    }

    /// Writes what became of notices, and wakes the workers of what follows.
    async fn settle(&self, settlements: &[NoticeSettlement]) -> Result<Vec<NoticeOutcome>, StoreError> {
        let outcomes = self.store.settle_notices(settlements, self.clock.now()).await?;
        for (settlement, _) in
            settlements.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == NoticeOutcome::Applied)
        {
            if let NoticeChange::Failed { reason, message } = &settlement.change {
                tracing::warn!(source = %self.name, notices = ?settlement.notices, reason, "failed: {message}");
            }
            let event = settlement.appointment.as_ref().and_then(|write| write.event.as_ref());
            for delivery in event.iter().flat_map(|event| &event.deliveries) {
                if let Some(station) = self.stations.iter().find(|station| station.id == delivery.sink) {
                    station.alarm.set(delivery.due_at);
                }
            }
        }
        Ok(outcomes)
    }
}

/// Whether a failure says something of the booking system or our access to it, and not of one appointment.
fn is_about_the_source(failure: &Failure) -> bool {
    matches!(
        failure.class.consequence(),
        Consequence::Pause(_) | Consequence::Hold(_) | Consequence::Retry { .. }
    )
}

fn broken() -> NoticeChange {
    NoticeChange::Failed {
        reason: INTERNAL_ERROR.name_in(Place::NoticeFailed).to_owned(),
        message: INTERNAL_ERROR.tell(&["appointment"]),
    }
}
