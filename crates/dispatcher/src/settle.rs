//! The next state of a delivery, decided from what its platform said. Pure.

use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::backoff::Backoff;
use conversion_core::failure::{Consequence, Failure};
use conversion_core::reason::{Place, Reason};
use conversion_core::skip::Skip;
use conversion_store::{Change, Status, Uncertainty};

use crate::clock::after;
use crate::gate::HoldHistory;
use crate::reason::{DEDUP_WINDOW_OVER, EVENT_TOO_OLD, RETRY_PERIOD_OVER};

/// What waits for its time is spread over so much.
const WAIT_JITTER: Duration = Duration::from_secs(600);

/// How a delivery stands when its platform is, or would be, told.
#[derive(Clone, Debug)]
pub struct Standing {
    /// When its event happened.
    pub event_time: Timestamp,
    /// Since when it waits: its event's acceptance, or a later time at which patience with it began anew.
    pub waiting_since: Timestamp,
    /// Tries that failed in a way that counts.
    pub tries: u32,
    /// Set where the platform may have it already.
    pub uncertain: Option<Uncertainty>,
}

/// For how long deliveries of a sink are tried.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The platform takes no older events, or the operator wants none sent.
    pub max_event_age: Option<Duration>,
    /// The platform recognises a repetition for this long; nothing means for ever.
    pub dedup_window: Option<Duration>,
    /// After [`Standing::waiting_since`], holds not counted.
    pub retry_for: Duration,
}

/// When a delivery is given up, and why then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// When.
    pub at: Timestamp,
    /// The reason.
    pub reason: &'static Reason,
}

impl Patience {
    /// The earliest of the platform's age limit, the end of its dedup window after it may first have had the delivery,
    /// and the operator's patience.
    pub fn deadline(&self, standing: &Standing, holds: &HoldHistory, now: Timestamp) -> Deadline {
        let held = holds.held_between(standing.waiting_since, now);
        let patience = after(after(standing.waiting_since, self.retry_for), held);
        let age = self.max_event_age.map(|age| after(standing.event_time, age));
        [
            Some(Deadline { at: patience, reason: RETRY_PERIOD_OVER }),
            age.map(|at| Deadline { at, reason: EVENT_TOO_OLD }),
            self.recognised_until(standing),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|deadline| deadline.at)
        .unwrap_or(Deadline { at: patience, reason: RETRY_PERIOD_OVER })
    }

    /// When the platform no longer recognises what it may have had first, if it ever forgets.
    pub fn recognised_until(&self, standing: &Standing) -> Option<Deadline> {
        let (uncertain, window) = standing.uncertain.as_ref().zip(self.dedup_window)?;
        Some(Deadline { at: after(uncertain.since, window), reason: DEDUP_WINDOW_OVER })
    }
}

/// What a failed attempt was like.
#[derive(Clone, Copy, Debug)]
pub struct FailedAttempt<'a> {
    /// What the platform said.
    pub failure: &'a Failure,
    /// When it was told.
    pub sent_at: Timestamp,
    /// The dedup key that the item bore, if any.
    pub dedup_key: Option<&'a str>,
    /// After this time it is no longer too early.
    pub not_yet_until: Option<Timestamp>,
    /// The wait before the next try, where another than the store decides it.
    pub retry_in: Option<Duration>,
    /// Now.
    pub now: Timestamp,
    /// Uniform over its range.
    pub random: u64,
}

/// The platform has it.
pub fn delivered(standing: &Standing, note: Option<String>) -> Change {
    Change { message: note, ..change_to(Status::Delivered, standing) }
}

/// Given up for this reason.
pub fn failed(standing: &Standing, reason: &Reason, message: impl Into<String>) -> Change {
    Change {
        reason: Some(reason.name_in(Place::Failed).to_owned()),
        message: Some(message.into()),
        ..change_to(Status::Failed, standing)
    }
}

/// Not sent, for this reason.
pub fn skipped(standing: &Standing, skip: &Skip) -> Change {
    Change {
        reason: Some(skip.reason.name.to_owned()),
        message: Some(skip.message.clone()),
        ..change_to(Status::Skipped, standing)
    }
}

/// Waits until `due_at`, for this reason.
pub fn waiting(
    standing: &Standing,
    due_at: Timestamp,
    reason: &Reason,
    message: impl Into<String>,
) -> Change {
    let reason = reason.name_in(Place::Pending).to_owned();
    Change { reason: Some(reason), message: Some(message.into()), ..handed_back(standing, due_at) }
}

/// Made to wait until `due_at` before it is tried, for this reason: patience with it begins then.
pub fn postponed(
    standing: &Standing,
    due_at: Timestamp,
    reason: &Reason,
    message: impl Into<String>,
) -> Change {
    Change { waiting_since: Some(due_at), ..waiting(standing, due_at, reason, message) }
}

/// When that is due which is to wait until `at`: in the future whatever `at` says, and spread, so that what came
/// together does not leave in one moment.
pub fn due_after(at: Timestamp, now: Timestamp, random: u64) -> Timestamp {
    after(at.max(now), jitter(WAIT_JITTER, random))
}

/// Not worked on after all: due again, as if nothing had been.
pub fn handed_back(standing: &Standing, due_at: Timestamp) -> Change {
    Change { due_at: Some(due_at), ..change_to(Status::Pending, standing) }
}

/// A state that nothing more is said about. That the platform may have it is forgotten only when it has.
pub fn change_to(status: Status, standing: &Standing) -> Change {
    Change {
        status,
        reason: None,
        message: None,
        due_at: None,
        waiting_since: None,
        tries: standing.tries,
        uncertain: standing.uncertain.clone().filter(|_| status != Status::Delivered),
        response_code: None,
        consent: None,
    }
}

/// What follows for one delivery from a failed attempt. What follows for its sink, the gate decides.
pub fn after_failure(
    standing: &Standing,
    attempt: FailedAttempt<'_>,
    deadline: impl Fn(&Standing) -> Deadline,
) -> Change {
    let FailedAttempt { failure, sent_at, dedup_key, not_yet_until, retry_in, now, random } = attempt;
    let class = failure.class;
    let message = failure.message.as_str();
    match class.consequence() {
        Consequence::Fail | Consequence::Halve => failed(standing, class.failed(), message),
        Consequence::Later(wait) => {
            // A tenth more at most, so that what was refused together does not come back in one moment.
            let due_at = after(now, wait + jitter(wait / 10, random));
            match not_yet_until {
                Some(until) if now >= until => failed(standing, class.failed(), message),
                // The last try is at that time.
                Some(until) => unless_over(standing, due_at.min(until), class.waiting(), message, deadline),
                None => unless_over(standing, due_at, class.waiting(), message, deadline),
            }
        }
        // The sink is held from now on; the delivery is due whenever that ends.
        Consequence::Pause(_) | Consequence::Hold(_) => waiting(standing, now, class.waiting(), message),
        Consequence::Retry { retry_after, perhaps_received } => {
            if perhaps_received && dedup_key.is_none() {
                let message =
                    format!("{message}; perhaps received, and the platform would not recognise a repetition");
                return failed(standing, class.failed(), message);
            }
            let mut next = Standing { tries: standing.tries + 1, ..standing.clone() };
            if perhaps_received {
                next.uncertain = Some(known_after_sending(standing.uncertain.as_ref(), sent_at, dedup_key));
            }
            let wait = retry_in.unwrap_or_else(|| Backoff::DELIVERY.delay(next.tries, random));
            let wait = wait.max(retry_after.unwrap_or_default());
            unless_over(&next, after(now, wait), class.waiting(), message, deadline)
        }
    }
}

/// A part of `span`, by a number that is uniform over its range.
pub fn jitter(span: Duration, random: u64) -> Duration {
    Duration::from_millis(random % u64::try_from(span.as_millis()).unwrap_or(u64::MAX).saturating_add(1))
}

/// What is known after sending what was perhaps received: since the first time, under the key that it now bore.
pub fn known_after_sending(
    before: Option<&Uncertainty>,
    sent_at: Timestamp,
    dedup_key: Option<&str>,
) -> Uncertainty {
    let since = before.map_or(sent_at, |before| before.since);
    Uncertainty { since, dedup_key: dedup_key.map(str::to_owned) }
}

fn unless_over(
    standing: &Standing,
    due_at: Timestamp,
    reason: &Reason,
    message: &str,
    deadline: impl Fn(&Standing) -> Deadline,
) -> Change {
    let deadline = deadline(standing);
    if due_at >= deadline.at {
        return failed(standing, deadline.reason, format!("given up at its deadline; last: {message}"));
    }
    waiting(standing, due_at, reason, message)
}

#[cfg(test)]
mod tests;
