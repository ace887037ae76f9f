//! Acuity Scheduling: appointments that can be booked and changed, the API that shows them, and signed webhooks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::reply::Reply;
use crate::state::{State, lock};

mod act;
mod api;
mod appointment;
mod booking;
mod control;
mod delivery;
mod forms;
mod list;
mod outbox;
mod report;
mod settings;
mod time;
mod webhook;

pub(crate) use api::{answer, is_api};
pub(crate) use control::{ActRefusal, act};
pub(crate) use delivery::deliver;

pub use act::AcuityError;
pub use booking::{Booking, Edit};
pub use report::AcuityReport;
pub use settings::{AcuitySettings, AcuitySettingsError, Twins};

use appointment::Appointment;
use outbox::Outbox;

/// The name in reports and control requests.
pub(crate) const NAME: &str = "acuity";

/// The emulated Acuity of a sandbox: what happens to its appointments, each told by webhooks in the background.
///
/// Webhooks go out while [`Sandbox::serve`](crate::Sandbox::serve) runs.
#[derive(Clone, Debug)]
pub struct Acuity {
    state: Arc<State>,
}

impl Acuity {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    /// Replaces the settings.
    pub fn configure(&self, settings: AcuitySettings) {
        self.state.acuity.configure(settings);
    }

    /// Books an appointment; gives its id.
    pub fn book(&self, booking: Booking) -> Result<u64, AcuityError> {
        act::book(&self.state, booking)
    }

    /// Moves an appointment to another time, written as [`Booking::datetime`] is.
    pub fn reschedule(&self, id: u64, datetime: &str) -> Result<(), AcuityError> {
        act::reschedule(&self.state, id, datetime)
    }

    /// Cancels an appointment.
    pub fn cancel(&self, id: u64) -> Result<(), AcuityError> {
        act::cancel(&self.state, id)
    }

    /// Changes details of an appointment, cancelled or not.
    pub fn edit(&self, id: u64, edit: Edit) -> Result<(), AcuityError> {
        act::edit(&self.state, id, edit)
    }

    /// The appointment as the API shows it.
    pub fn appointment(&self, id: u64) -> Option<serde_json::Value> {
        self.state.acuity.show(id)
    }
}

/// One account: its appointments, its settings and what has been asked of it.
#[derive(Debug)]
pub(crate) struct Account {
    settings: Mutex<Arc<AcuitySettings>>,
    appointments: Mutex<BTreeMap<u64, Appointment>>,
    next_id: AtomicU64,
    counts: Mutex<AcuityReport>,
    second: Mutex<(u64, u64)>,
    outbox: Outbox,
}

impl Account {
    /// Ids begin at the time in milliseconds, so that an account made later does not use them again.
    pub(crate) fn new(now_us: u64) -> Self {
        Self {
            settings: Mutex::default(),
            appointments: Mutex::default(),
            next_id: AtomicU64::new(now_us / 1000),
            counts: Mutex::default(),
            second: Mutex::default(),
            outbox: Outbox::default(),
        }
    }

    pub(crate) fn configure(&self, settings: AcuitySettings) {
        *lock(&self.settings) = Arc::new(settings);
    }

    /// Forgets appointments, waiting webhooks and counts; ids go on.
    pub(crate) fn reset(&self) {
        lock(&self.appointments).clear();
        self.outbox.clear();
        *self.counts() = AcuityReport::default();
    }

    pub(crate) fn report(&self) -> AcuityReport {
        AcuityReport { webhooks_waiting: self.outbox.len(), ..self.counts().clone() }
    }

    fn settings(&self) -> Arc<AcuitySettings> {
        Arc::clone(&lock(&self.settings))
    }

    fn appointments(&self) -> MutexGuard<'_, BTreeMap<u64, Appointment>> {
        lock(&self.appointments)
    }

    fn counts(&self) -> MutexGuard<'_, AcuityReport> {
        lock(&self.counts)
    }

    fn fresh_id(&self) -> u64 {
        self.next_id.fetch_add(1, Relaxed)
    }

    fn show(&self, id: u64) -> Option<serde_json::Value> {
        self.appointments().get(&id).map(|appointment| appointment.to_json(true))
    }

    /// Counts a request; says how many came within the same second, this one included.
    fn requested(&self, at_us: u64) -> u64 {
        self.counts().api_requests += 1;
        let mut counted = lock(&self.second);
        let second = at_us / 1_000_000;
        let so_far = if counted.0 == second { counted.1 } else { 0 };
        *counted = (second, so_far + 1);
        counted.1
    }

    fn answered(&self, reply: &Reply) {
        *self.counts().api_by_outcome.entry(reply.outcome()).or_default() += 1;
    }
}
