//! Whether a sink may be told now: its holds, and what ends them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::backoff::Backoff;
use conversion_core::failure::{Consequence, Failure, FailureClass, HoldScope};
use conversion_core::reason::{Place, Reason};
use conversion_store::{Hold, HoldPeriod};
use tokio::sync::watch;

use crate::clock::after;

/// A held sink is probed this often with one real delivery, in case a human mended the account.
pub const PROBE_EVERY: Duration = Duration::from_secs(15 * 60);
/// So many failures in a row hold the sink.
const STREAK: u32 = 5;
/// A delivery that was handed to an external queue to be the probe has not come back by then.
const PROBE_LOST: Duration = Duration::from_secs(60);

/// The state of one sink's gate.
#[derive(Debug)]
pub struct Gate {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    hold: Option<Hold>,
    by_event_name: HashMap<String, Hold>,
    /// Whether a probe is out that has taught nothing yet.
    probing: watch::Sender<bool>,
    /// When an external queue was last asked for a probe under this hold.
    asked_at: Option<Timestamp>,
    streak: u32,
    /// How often all the sink was held or a hold of it was renewed.
    times_held: u64,
    /// When the hold was last set or renewed: what was sent before says nothing new.
    held_at: Option<Timestamp>,
    history: Arc<HoldHistory>,
    /// The platform's code that the hold is blamed on, and those that turned out to be single events'.
    blamed_code: Option<String>,
    absolved: HashSet<String>,
}

/// Holds of all the sink that have ended, and the one in force.
#[derive(Clone, Debug, Default)]
pub struct HoldHistory {
    /// Oldest first.
    past: Vec<HoldPeriod>,
    since: Option<Timestamp>,
}

/// So many periods are told apart; the oldest are taken as one.
const PERIODS: usize = 1000;

impl HoldHistory {
    fn end(&mut self, period: HoldPeriod) {
        self.since = None;
        self.past.push(period);
        if self.past.len() > PERIODS {
            let oldest = self.past.remove(0);
            if let Some(next) = self.past.first_mut() {
                next.from = oldest.from;
            }
        }
    }

    /// For how long the sink was held between these times.
    pub fn held_between(&self, from: Timestamp, to: Timestamp) -> Duration {
        let current = self.since.map(|since| HoldPeriod { from: since, to });
        let past = self.past.iter().rev().copied().take_while(|period| period.to > from);
        past.chain(current)
            .filter_map(|period| {
                let overlap = period.to.min(to).duration_since(period.from.max(from));
                Duration::try_from(overlap).ok()
            })
            .sum()
    }
}

/// Whether deliveries may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// They may.
    Open,
    /// One may, to see whether the hold can end.
    Probe,
    /// None may before this time; without one, before a human resumes.
    Closed(Option<Timestamp>),
}

/// What the gate decided: to be written to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateChange {
    /// A hold begins or goes on.
    Held(Hold),
    /// The hold of all the sink has ended.
    Resumed,
    /// The hold of one event name has ended.
    EventNameResumed(String),
}

impl GateChange {
    /// The event name that it concerns; all the sink without one.
    pub fn event_name(&self) -> Option<&str> {
        match self {
            Self::Held(hold) => hold.event_name.as_deref(),
            Self::Resumed => None,
            Self::EventNameResumed(name) => Some(name),
        }
    }
}

impl Gate {
    /// A gate as it was left.
    pub fn restored(holds: Vec<Hold>, mut past: Vec<HoldPeriod>) -> Self {
        past.sort_by_key(|period| period.to);
        let mut state = State { history: Arc::new(HoldHistory { past, since: None }), ..State::default() };
        for hold in holds {
            state.set(hold);
        }
        Self { state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether deliveries may leave now. A probe is granted to one caller, until it reports.
    pub fn passage(&self, now: Timestamp) -> Passage {
        let state = self.lock();
        let Some(hold) = &state.hold else { return Passage::Open };
        let is_due = hold.until.is_some_and(|until| until <= now);
        if is_due && !state.is_probing() {
            state.probing.send_replace(true);
            return Passage::Probe;
        }
        Passage::Closed(if is_due { None } else { hold.until })
    }

    /// The same for an external queue: whether deliveries may be handed to it, of which each then asks for its passage.
    /// Nothing is granted. One is asked for as a probe, and another only once it must be lost.
    pub fn passage_by_queue(&self, now: Timestamp) -> Passage {
        let mut state = self.lock();
        let Some(hold) = &state.hold else { return Passage::Open };
        let is_due = hold.until.is_some_and(|until| until <= now);
        match state.probe_lost_at(now) {
            _ if !is_due => Passage::Closed(hold.until),
            _ if state.is_probing() => Passage::Closed(None),
            Some(lost_at) => Passage::Closed(Some(lost_at)),
            _ => {
                state.asked_at = Some(now);
                Passage::Probe
            }
        }
    }

    /// The probe that was granted is not used: whoever asks next is granted it.
    pub fn return_probe(&self) {
        self.lock().probing.send_replace(false);
    }

    /// Whether the probe that was granted is out, and an external queue may yet bring another that was asked for first.
    pub fn is_asked_for(&self, now: Timestamp) -> bool {
        let state = self.lock();
        state.is_probing() && state.probe_lost_at(now).is_some()
    }

    /// The external queue that was asked for a probe had nothing to be one.
    pub fn asked_in_vain(&self) {
        self.lock().asked_at = None;
    }

    /// The delivery that an external queue was asked for as a probe taught nothing: another may be asked for at once.
    pub fn ask_for_another(&self) {
        let mut state = self.lock();
        state.probing.send_replace(false);
        state.asked_at = None;
    }

    /// The hold in force of an event name; of all the sink without one.
    pub fn hold(&self, event_name: Option<&str>) -> Option<Hold> {
        let state = self.lock();
        match event_name {
            Some(name) => state.by_event_name.get(name).cloned(),
            None => state.hold.clone(),
        }
    }

    /// Whether nothing holds all the sink.
    pub fn is_open(&self) -> bool {
        self.lock().hold.is_none()
    }

    /// How often all the sink was held so far: whether it was meanwhile, though it is open again.
    pub fn times_held(&self) -> u64 {
        self.lock().times_held
    }

    /// The probe is over. If it taught nothing, because nothing was due, a hold for the platform's state ends with its
    /// time, and the next delivery will tell; one for a human's mistake goes on.
    pub fn probe_over(&self, now: Timestamp) -> Option<GateChange> {
        let mut state = self.lock();
        if !state.probing.send_replace(false) {
            return None;
        }
        match &state.hold {
            Some(hold) if FailureClass::is_passing(&hold.reason) => state.end(now),
            Some(hold) => {
                let renewed = Hold { until: Some(after(now, PROBE_EVERY)), ..hold.clone() };
                state.set(renewed.clone());
                Some(GateChange::Held(renewed))
            }
            None => None,
        }
    }

    /// The hold of an event name, while nothing of it may leave. A probe is granted when its time has come; it then
    /// moves on, so that one delivery passes.
    pub fn event_name_hold(&self, event_name: &str, now: Timestamp) -> Option<Hold> {
        let mut state = self.lock();
        let hold = state.by_event_name.get_mut(event_name)?;
        if hold.until.is_some_and(|until| until <= now) {
            hold.until = Some(after(now, PROBE_EVERY));
            return None;
        }
        Some(hold.clone())
    }

    /// The platform judged a request: it is at work, and whatever held the sink when it was sent is over.
    pub fn answered(&self, sent_at: Timestamp, now: Timestamp) -> Option<GateChange> {
        let mut state = self.lock();
        if state.was_held_after(sent_at) {
            return None;
        }
        state.probing.send_replace(false);
        state.streak = 0;
        state.end(now)
    }

    /// An event of this name was delivered: whatever held that name is over.
    pub fn event_name_delivered(&self, event_name: &str) -> Option<GateChange> {
        let mut state = self.lock();
        state
            .by_event_name
            .remove(event_name)
            .map(|hold| GateChange::EventNameResumed(hold.event_name.unwrap_or_default()))
    }

    /// A request failed. `event_name` is that of the item, where one item failed.
    pub fn failed(
        &self,
        failure: &Failure,
        event_name: Option<&str>,
        sent_at: Timestamp,
        now: Timestamp,
    ) -> Option<GateChange> {
        let mut state = self.lock();
        let consequence = failure.class.consequence();
        if let (Consequence::Hold(HoldScope::EventName), Some(name)) = (consequence, event_name) {
            return Some(state.hold(Some(name), failure.class.waiting(), &failure.message, now, PROBE_EVERY));
        }
        if state.was_held_after(sent_at) {
            return None;
        }
        state.probing.send_replace(false);
        let failures = state.hold.as_ref().map_or(0, |hold| hold.failures) + 1;
        let wait = match consequence {
            Consequence::Hold(_) => PROBE_EVERY,
            // A wait of nothing would make a loop at the network's speed.
            Consequence::Pause(wait) => {
                wait.filter(|wait| !wait.is_zero()).unwrap_or_else(|| Backoff::SINK.ceiling(failures))
            }
            Consequence::Retry { retry_after, .. } => {
                state.streak += 1;
                if state.streak < STREAK && state.hold.is_none() {
                    return None;
                }
                Backoff::SINK.ceiling(failures).max(retry_after.unwrap_or_default())
            }
            Consequence::Fail | Consequence::Halve | Consequence::Later(_) => return None,
        };
        Some(state.hold(None, failure.class.waiting(), &failure.message, now, wait))
    }

    /// Holds the sink for a reason that no answer states, because of `code`, if one is to blame.
    pub fn hold_for(&self, reason: &Reason, message: &str, code: Option<&str>, now: Timestamp) -> GateChange {
        let mut state = self.lock();
        state.probing.send_replace(false);
        state.blamed_code = code.map(str::to_owned);
        state.hold(None, reason, message, now, PROBE_EVERY)
    }

    /// The delivery that tested a hold went through: the code that was blamed for it is not a setting's.
    pub fn absolve(&self) {
        let mut state = self.lock();
        let code = state.blamed_code.take();
        state.absolved.extend(code);
    }

    /// Whether a hold for this code has proved wrong.
    pub fn is_absolved(&self, code: Option<&str>) -> bool {
        code.is_some_and(|code| self.lock().absolved.contains(code))
    }

    /// Stable name of the reason for which all the sink is held.
    pub fn reason(&self) -> Option<String> {
        self.hold(None).map(|hold| hold.reason)
    }

    /// A human, or a change of settings, ends every hold. Returns the event names that were held, besides.
    pub fn resume(&self, now: Timestamp) -> Vec<GateChange> {
        let mut state = self.lock();
        state.streak = 0;
        state.probing.send_replace(false);
        state.absolved.clear();
        let names = std::mem::take(&mut state.by_event_name);
        state.end(now).into_iter().chain(names.into_keys().map(GateChange::EventNameResumed)).collect()
    }

    /// The holds so far, for deadlines.
    pub fn history(&self) -> Arc<HoldHistory> {
        Arc::clone(&self.lock().history)
    }

    /// Whether a probe is out that has taught nothing yet.
    pub fn is_probing(&self) -> bool {
        self.lock().is_probing()
    }

    /// Returns once no probe is out.
    pub async fn probe_is_back(&self) {
        let mut probing = self.lock().probing.subscribe();
        // The sender lives as long as this: the wait ends only with the probe.
        drop(probing.wait_for(|is_out| !is_out).await);
    }
}

impl State {
    fn is_probing(&self) -> bool {
        *self.probing.borrow()
    }

    fn set(&mut self, hold: Hold) {
        match &hold.event_name {
            Some(name) => drop(self.by_event_name.insert(name.clone(), hold)),
            None => {
                Arc::make_mut(&mut self.history).since = Some(hold.since);
                self.asked_at = None;
                self.hold = Some(hold);
            }
        }
    }

    /// When the probe that an external queue was asked for is lost, unless none was or it is.
    fn probe_lost_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.asked_at.map(|asked_at| after(asked_at, PROBE_LOST)).filter(|lost_at| now < *lost_at)
    }

    fn was_held_after(&self, sent_at: Timestamp) -> bool {
        self.hold.is_some() && self.held_at.is_some_and(|held_at| sent_at < held_at)
    }

    fn hold(
        &mut self,
        name: Option<&str>,
        reason: &Reason,
        message: &str,
        now: Timestamp,
        wait: Duration,
    ) -> GateChange {
        let earlier = match name {
            Some(name) => self.by_event_name.get(name),
            None => self.hold.as_ref(),
        };
        let hold = Hold {
            event_name: name.map(str::to_owned),
            reason: reason.name_in(Place::Held).to_owned(),
            message: message.to_owned(),
            since: earlier.map_or(now, |hold| hold.since),
            until: Some(after(now, wait)),
            failures: earlier.map_or(0, |hold| hold.failures) + 1,
        };
        if name.is_none() {
            self.held_at = Some(now);
            self.times_held += 1;
        }
        self.set(hold.clone());
        GateChange::Held(hold)
    }

    fn end(&mut self, now: Timestamp) -> Option<GateChange> {
        let hold = self.hold.take()?;
        let history = Arc::make_mut(&mut self.history);
        history.end(HoldPeriod { from: hold.since, to: now });
        Some(GateChange::Resumed)
    }
}

#[cfg(test)]
mod tests;
