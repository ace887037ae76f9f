//! What happens to appointments, and the webhooks that tell of it.

use tokio::time::{Duration, Instant};

use super::appointment::Appointment;
use super::booking::{Booking, Edit};
use super::settings::{AcuitySettings, Twins};
use super::webhook::{Action, Webhook};
use super::{AcuityReport, time};
use crate::chance::Chance;
use crate::state::State;

/// So many appointments are kept.
const APPOINTMENTS: usize = 100_000;

/// So many webhooks may wait.
const WEBHOOKS: u64 = 100_000;

/// Why nothing happens to an appointment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcuityError {
    /// A time that is none, or without an offset.
    #[error("{field}: {text:?} is not a time with an offset, such as 2026-12-01T10:15:00-0500")]
    Time {
        /// The field.
        field: &'static str,
        /// What it says.
        text: String,
    },
    /// No appointment has the id.
    #[error("id: there is no appointment {0}")]
    Unknown(u64),
    /// The appointment is cancelled.
    #[error("id: appointment {0} is cancelled")]
    Canceled(u64),
    /// The sandbox is full.
    #[error(
        "the sandbox keeps at most {APPOINTMENTS} appointments and {WEBHOOKS} waiting webhooks; reset it"
    )]
    Full,
}

pub(super) fn book(state: &State, booking: Booking) -> Result<u64, AcuityError> {
    let account = &state.acuity;
    if account.appointments().len() >= APPOINTMENTS {
        return Err(AcuityError::Full);
    }
    let starts = time_of("datetime", &booking.datetime)?;
    let created = match &booking.datetime_created {
        Some(text) => time_of("datetime_created", text)?,
        None => time::now(state.clock_us(), &starts),
    };
    let room = room(state)?;
    let id = account.fresh_id();
    let appointment = Appointment::new(id, booking, starts, created, state.chance.name());
    // Until both are done nobody can ask: a webhook never precedes its appointment.
    let mut appointments = account.appointments();
    room.tell(Action::Scheduled, &appointment);
    appointments.insert(id, appointment);
    account.counts().bookings += 1;
    Ok(id)
}

pub(super) fn reschedule(state: &State, id: u64, datetime: &str) -> Result<(), AcuityError> {
    let starts = time_of("datetime", datetime)?;
    change(state, id, Action::Rescheduled, |appointment| appointment.starts = starts)?;
    count(state, |counts| &mut counts.reschedules);
    Ok(())
}

pub(super) fn cancel(state: &State, id: u64) -> Result<(), AcuityError> {
    change(state, id, Action::Canceled, |appointment| appointment.canceled = true)?;
    count(state, |counts| &mut counts.cancellations);
    Ok(())
}

pub(super) fn edit(state: &State, id: u64, edit: Edit) -> Result<(), AcuityError> {
    change(state, id, Action::Changed, |appointment| appointment.edit(edit))?;
    count(state, |counts| &mut counts.edits);
    Ok(())
}

fn count(state: &State, which: impl FnOnce(&mut AcuityReport) -> &mut u64) {
    *which(&mut state.acuity.counts()) += 1;
}

/// Changes an appointment and tells of it. What is cancelled can only be edited.
fn change(
    state: &State,
    id: u64,
    action: Action,
    change: impl FnOnce(&mut Appointment),
) -> Result<(), AcuityError> {
    let room = room(state)?;
    let mut appointments = state.acuity.appointments();
    let appointment = appointments.get_mut(&id).ok_or(AcuityError::Unknown(id))?;
    if appointment.canceled && action != Action::Changed {
        return Err(AcuityError::Canceled(id));
    }
    change(appointment);
    room.tell(action, appointment);
    Ok(())
}

fn time_of(field: &'static str, text: &str) -> Result<jiff::ZonedDateTime, AcuityError> {
    time::parse(text).ok_or_else(|| AcuityError::Time { field, text: text.to_owned() })
}

/// The outbox, known to have room.
struct Room<'a>(&'a State);

fn room(state: &State) -> Result<Room<'_>, AcuityError> {
    if state.acuity.outbox.len() < WEBHOOKS { Ok(Room(state)) } else { Err(AcuityError::Full) }
}

impl Room<'_> {
    /// Puts the webhooks of one act on their way, if anyone is to be told.
    fn tell(&self, action: Action, appointment: &Appointment) {
        let Self(state) = self;
        let settings = state.acuity.settings();
        if !settings.webhooks || settings.webhook_target.is_none() {
            return;
        }
        let now = Instant::now();
        let wait = Duration::from_millis(settings.shuffle_ms);
        for _ in 0..=settings.repeats {
            for action in actions(action, &settings, &state.chance) {
                let wait = if wait.is_zero() { wait } else { wait.mul_f64(state.chance.draw()) };
                state.acuity.outbox.put(now + wait, Webhook::of(action, appointment));
            }
        }
    }
}

/// One act's actions in the order in which they are told.
fn actions(action: Action, settings: &AcuitySettings, chance: &Chance) -> Vec<Action> {
    if action == Action::Changed || settings.only_changed {
        return vec![Action::Changed];
    }
    match settings.twins {
        Twins::None => vec![action],
        Twins::Before => vec![Action::Changed, action],
        Twins::After => vec![action, Action::Changed],
        Twins::Either if chance.hit(0.5) => vec![Action::Changed, action],
        Twins::Either => vec![action, Action::Changed],
    }
}
