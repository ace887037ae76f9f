//! Comparing appointments that the booking system lists with what is known of them.

use conversion_core::booking::Appointment;
use conversion_store::{NewNotice, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Desk;
use super::finding::{Finding, View};
use crate::ingest::IngestError;

/// What of a listed appointment is not known yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The appointment, where it could be read.
    pub appointment_id: Option<String>,
    /// The event that follows from it as it is listed; nothing where all is known.
    pub event_name: Option<String>,
    /// Why no event can be made of it.
    pub error: Option<String>,
}

impl Desk {
    /// What follows from each of `appointments`, as the booking system writes them, in order. Changes nothing.
    pub async fn compare(&self, appointments: &[Box<RawValue>]) -> Result<Vec<Comparison>, StoreError> {
        let read: Vec<Result<Appointment, String>> =
            appointments.iter().map(|appointment| self.source.read(appointment)).collect();
        let ids: Vec<String> = read.iter().flatten().map(|appointment| appointment.id.clone()).collect();
        let mut known = self.store.known(&ids).await?.into_iter();
        let now = self.clock.now();
        let view = View {
            source: &self.name,
            sources: &self.sources,
            vocabulary: &self.vocabulary,
            noticed_at: now,
            now,
        };
        let compare = |read: Result<Appointment, String>| match read {
            // One for each that was read, in order: the store's word.
            Ok(appointment) => {
                let before = known.next().flatten();
                Comparison::of(appointment.id.clone(), Finding::of(before.as_ref(), &appointment, view))
            }
            Err(error) => Comparison { appointment_id: None, event_name: None, error: Some(error) },
        };
        Ok(read.into_iter().map(compare).collect())
    }

    /// Queues a notice for each appointment from which an event follows: it is fetched anew.
    pub async fn queue(&self, compared: &[Comparison]) -> Result<(), IngestError> {
        let differing = compared.iter().filter(|comparison| comparison.event_name.is_some());
        let notices: Vec<NewNotice> = differing
            .map(|comparison| NewNotice {
                source: self.name.clone(),
                action: "reconcile".to_owned(),
                appointment: comparison.appointment_id.clone(),
                ignored: None,
            })
            .collect();
        if notices.is_empty() { Ok(()) } else { self.keep(notices).await }
    }
}

impl Comparison {
    fn of(appointment: String, finding: Finding) -> Self {
        let (event_name, error) = match finding {
            Finding::Event(event) => (Some(event.event_name), None),
            Finding::Nothing(_) => (None, None),
            Finding::Refused(refused) => (None, Some(format!("{}; {}", refused.message, refused.reason.fix))),
        };
        Self { appointment_id: Some(appointment), event_name, error }
    }
}
