//! One batch, sent and, where the platform refuses it for the sake of some items, taken apart until it is known which.

use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::failure::{Blame, Consequence, Failure};
use conversion_core::reason::HELD;
use conversion_core::report::Outcome;
use conversion_store::crash::{self, Room};
use conversion_store::{Change, Settlement};

use super::Station;
use super::prepare::Ready;
use super::send::{Answer, Verdict, change_only};
use crate::clock::after;
use crate::gate::PROBE_EVERY;
use crate::reason::ALL_REFUSED;
use crate::settle;

/// So many items of a batch must be refused alike, and nothing else become of any, to blame the settings.
const ENOUGH_TO_BLAME_SETTINGS: usize = 4;
/// What is sent now must still be settled while the lease is good: a token, a request, both again, and each slow.
const SEND_SPAN: Duration = Duration::from_secs(240);

/// One batch on its way, and what is known of its items.
pub(super) struct Dismantling<'a> {
    station: &'a Station,
    /// The reason of the hold that it is to test.
    probe: Option<&'a str>,
    size: usize,
    /// Requests until the search for what is bad is cut short.
    budget: usize,
    delivered: usize,
    refused: Vec<Refused>,
    /// Whether an item far from those that were refused has been tried.
    sampled: bool,
    times_held: u64,
    retry_after: Option<Duration>,
}

/// An item that was refused for good, unless a setting is to blame.
struct Refused {
    ready: Ready,
    failure: Failure,
    response_code: Option<u16>,
}

/// What is to blame for the refusals.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Culprit {
    /// The events that were refused.
    Events,
    /// A setting: every event would be refused.
    Setting,
    /// It was broken off, or another batch brought a hold, before that was known.
    Unknown,
}

impl<'a> Dismantling<'a> {
    pub(super) fn of(station: &'a Station, batch: &[Ready], probe: Option<&'a str>) -> Self {
        let size = batch.len();
        // One bad item among n is found with 2·log2(n) requests; past the budget there are many.
        let budget = 2 * size.max(1).ilog2() as usize + 2;
        Self {
            station,
            probe,
            size,
            budget,
            delivered: 0,
            refused: Vec::new(),
            sampled: false,
            times_held: station.gate.times_held(),
            retry_after: None,
        }
    }

    /// Sends `batch` and settles all of it. Returns the longest wait that the platform named.
    pub(super) async fn send(mut self, batch: Vec<Ready>) -> Option<Duration> {
        let mut parts = vec![batch];
        let mut is_broken_off = false;
        while let Some(part) = self.next(&mut parts) {
            if part.len() < self.size {
                crash::pass(Room::BetweenParts);
            }
            self.station.pace.wait().await;
            if !self.may_send().await {
                parts.push(part);
                is_broken_off = true;
                break;
            }
            self.budget = self.budget.saturating_sub(1);
            let answer = self.station.send(&part).await;
            self.retry_after = self.retry_after.max(answer.retry_after());
            if !self.teaches_nothing(&answer) {
                self.station.learn(&part, &answer).await;
            }
            crash::pass(Room::Learned);
            self.judge(part, answer, &mut parts).await;
        }
        let retry_after = self.retry_after;
        self.conclude(parts.into_iter().flatten().collect(), is_broken_off).await;
        retry_after
    }

    /// What is to be sent next. Where nothing but the same refusal comes back, one more item is tried, the farthest, as
    /// bad events may stand side by side; the rest is not sent if that is refused, too.
    fn next(&mut self, parts: &mut Vec<Vec<Ready>>) -> Option<Vec<Ready>> {
        let untried = parts.iter().map(Vec::len).sum();
        if self.budget > 0 || self.culprit(untried, false) != Culprit::Setting {
            return parts.pop();
        }
        if self.sampled {
            return None;
        }
        self.sampled = true;
        let farthest = parts.first_mut()?;
        let sample = farthest.pop();
        parts.retain(|part| !part.is_empty());
        sample.map(|ready| vec![ready])
    }

    /// Whether the sink was held meanwhile, though it may be open again. The settings may be others now: what was
    /// refused before is not to be judged by what goes through, nor the sink by what was refused.
    fn is_overtaken(&self) -> bool {
        self.probe.is_none() && self.station.gate.times_held() != self.times_held
    }

    /// Whether nothing holds the sink and the leases are good for another request.
    async fn may_send(&self) -> bool {
        let station = self.station;
        (self.probe.is_some() || station.gate.is_open())
            && !self.is_overtaken()
            && !station.stop.is_cancelled()
            && station.run.is_good_for(SEND_SPAN).await
    }

    /// A probe of a hold for refusals that is refused: that the platform answers was never in doubt.
    fn teaches_nothing(&self, answer: &Answer) -> bool {
        self.probe == Some(ALL_REFUSED.name)
            && answer.verdict.as_ref().is_err_and(|failure| is_refusal(failure, 1))
    }

    async fn judge(&mut self, part: Vec<Ready>, answer: Answer, parts: &mut Vec<Vec<Ready>>) {
        match answer.verdict.clone() {
            Ok(outcomes) => self.judge_each(part, outcomes, answer, parts).await,
            Err(failure) => self.judge_all(part, failure, answer, parts).await,
        }
    }

    async fn judge_each(
        &mut self,
        part: Vec<Ready>,
        outcomes: Vec<Outcome>,
        answer: Answer,
        parts: &mut Vec<Vec<Ready>>,
    ) {
        self.delivered += outcomes.iter().filter(|o| matches!(o, Outcome::Delivered { .. })).count();
        // Where each item was judged alone, all is said; a request that was refused may be refused again for others.
        let was_refused = self.station.descriptor.atomic || outcomes.contains(&Outcome::RefusedWithOthers);
        let is_open = |outcome: &Outcome| match outcome {
            Outcome::Delivered { .. } => false,
            Outcome::Failed(failure) => was_refused && is_refusal(failure, 1),
            Outcome::RefusedWithOthers => true,
        };
        let outcomes: Vec<_> = outcomes
            .into_iter()
            .map(|outcome| match is_open(&outcome) {
                true => (outcome, Verdict::Open),
                false => (outcome, Verdict::Final),
            })
            .collect();
        let response_code = answer.response_code();
        self.station.settle(&part, answer, &outcomes).await;
        let mut sound = Vec::new();
        for (ready, outcome) in part.into_iter().zip(outcomes) {
            match outcome {
                (Outcome::RefusedWithOthers, _) => sound.push(ready),
                (Outcome::Failed(failure), Verdict::Open) => {
                    self.refused.push(Refused { ready, failure, response_code });
                }
                _ => {}
            }
        }
        if !sound.is_empty() {
            parts.push(sound);
        }
    }

    async fn judge_all(
        &mut self,
        part: Vec<Ready>,
        failure: Failure,
        answer: Answer,
        parts: &mut Vec<Vec<Ready>>,
    ) {
        let is_about_some =
            failure.blame == Blame::Unknown || failure.class.consequence() == Consequence::Halve;
        let is_divisible = part.len() > 1 && is_about_some;
        let is_open = is_divisible || is_refusal(&failure, part.len());
        let verdict = if is_open { Verdict::Open } else { Verdict::Final };
        let outcomes = vec![(Outcome::Failed(failure.clone()), verdict); part.len()];
        let (sent_at, response_code) = (answer.sent_at, answer.response_code());
        self.station.settle(&part, answer, &outcomes).await;
        if !is_open {
            return;
        }
        let part = mark_uncertain(part, &failure, sent_at);
        if !is_divisible {
            let refused = |ready| Refused { ready, failure: failure.clone(), response_code };
            self.refused.extend(part.into_iter().map(refused));
        } else if self.budget == 0 {
            parts.extend(part.into_iter().map(|ready| vec![ready]));
        } else {
            halve(part, parts);
        }
    }

    /// Settles what was refused, and the `rest` that was not sent.
    async fn conclude(self, rest: Vec<Ready>, is_broken_off: bool) {
        let (station, now) = (self.station, self.station.clock.now());
        if self.probe == Some(ALL_REFUSED.name) && self.delivered > 0 {
            station.gate.absolve();
        }
        let culprit = self.culprit(rest.len(), is_broken_off);
        let is_handing_back = !rest.is_empty();
        let reproach = self.refused.first().map(|first| first.failure.clone());
        let rest = rest.into_iter().map(|ready| {
            let standing = station.standing(&ready.work.lease, ready.work.event.event_time);
            let change = match (culprit, &reproach) {
                // Not at once: the hold does not stand yet. Before the probe, to be the one to test the hold with.
                (Culprit::Setting, Some(failure)) => {
                    settle::waiting(&standing, after(now, PROBE_EVERY / 2), HELD, &failure.message)
                }
                _ => settle::handed_back(&standing, now),
            };
            change_only(&ready.work.lease, change)
        });
        let refused = self.refused.iter().map(|Refused { ready, failure, response_code }| {
            let standing = station.standing(&ready.work.lease, ready.work.event.event_time);
            let change = match culprit {
                Culprit::Events => settle::failed(&standing, failure.class.failed(), &failure.message),
                // With the probe and not before, so that another delivery is the one, where there is another.
                Culprit::Setting => {
                    settle::waiting(&standing, after(now, PROBE_EVERY), HELD, &failure.message)
                }
                Culprit::Unknown => settle::handed_back(&standing, now),
            };
            let (response_code, consent) = (*response_code, Some(ready.consent));
            change_only(&ready.work.lease, Change { response_code, consent, ..change })
        });
        let items: Vec<_> = rest.chain(refused).collect();
        if items.is_empty() {
            return;
        }
        if is_handing_back {
            crash::pass(Room::HandingBack);
        }
        station.ledger.settle(Settlement::unsent(items, now)).await;
        if let (Culprit::Setting, Some(failure)) = (culprit, reproach) {
            // Parked first, held then: a resume finds all that it is to release.
            station.ledger.flush().await;
            crash::pass(Room::Parked);
            let message = ALL_REFUSED.tell(&[&failure.message]);
            let change = station.gate.hold_for(ALL_REFUSED, &message, failure.code.as_deref(), now);
            station.record(Some(change)).await;
        }
    }

    /// Who is to blame, as far as is known while so many are `untried`: a setting if nothing but refusals with one code
    /// has come back, and that code has not proved to be single events' own.
    fn culprit(&self, untried: usize, is_broken_off: bool) -> Culprit {
        let code = self.refused.first().and_then(|first| first.failure.code.as_deref());
        let is_alike = code.is_some() && self.refused.iter().all(|item| item.failure.code.as_deref() == code);
        let is_all = self.refused.len() + untried == self.size;
        let is_enough =
            self.refused.len() >= ENOUGH_TO_BLAME_SETTINGS || self.probe == Some(ALL_REFUSED.name);
        match is_alike && is_all && !self.station.gate.is_absolved(code) {
            true if is_broken_off || self.is_overtaken() => Culprit::Unknown,
            true if is_enough => Culprit::Setting,
            _ => Culprit::Events,
        }
    }
}

/// Whether the platform refused `items` for good. What cannot be halved any more is refused like any other.
fn is_refusal(failure: &Failure, items: usize) -> bool {
    match failure.class.consequence() {
        Consequence::Fail => true,
        Consequence::Halve => items == 1,
        _ => false,
    }
}

/// What was perhaps received stays so, whatever becomes of the parts.
fn mark_uncertain(mut part: Vec<Ready>, failure: &Failure, sent_at: Timestamp) -> Vec<Ready> {
    if matches!(failure.class.consequence(), Consequence::Retry { perhaps_received: true, .. }) {
        for ready in &mut part {
            let before = ready.work.lease.uncertain.as_ref();
            let known = settle::known_after_sending(before, sent_at, ready.payload.dedup_key.as_deref());
            ready.work.lease.uncertain = Some(known);
        }
    }
    part
}

fn halve(mut part: Vec<Ready>, parts: &mut Vec<Vec<Ready>>) {
    let right = part.split_off(part.len() / 2);
    parts.push(right);
    parts.push(part);
}
