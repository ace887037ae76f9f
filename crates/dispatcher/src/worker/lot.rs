//! Working off a lot of leased deliveries: prepared, parted into batches, each batch sent and, where the platform
//! refuses it whole for the sake of some items, taken apart.

use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::failure::{Blame, Consequence, Failure};
use conversion_core::report::Outcome;
use conversion_store::{Settlement, Uncertainty};

use super::Station;
use super::prepare::{Prepared, Ready};
use super::send::{Answer, Verdict, change_only};
use crate::batch;
use crate::clock::after;
use crate::gate::PROBE_EVERY;
use crate::intake::Work;
use crate::settle;

/// Reason of a hold because a whole batch was refused for one and the same cause: a setting, not that many bad events.
const ALL_REFUSED: &str = "all_refused";
/// A batch of so many must be refused whole to be blamed on the settings.
const ENOUGH_TO_BLAME_SETTINGS: usize = 4;
/// What is sent now must still be settled while the lease is good.
const SEND_SPAN: Duration = Duration::from_secs(30);

/// Prepares and sends `lot`. `probe` names the reason of the hold that it is to test.
pub(super) async fn work_off(station: &Station, lot: Vec<Work>, probe: Option<&str>) {
    let now = station.clock.now();
    let mut ready = Vec::with_capacity(lot.len());
    let mut settled = Vec::new();
    for work in lot {
        match station.prepare(work, now).await {
            Prepared::Ready(item) => ready.push(item),
            Prepared::Settled(work, change) => settled.push(change_only(&work.lease, change)),
        }
    }
    station.ledger.settle(Settlement { exchanges: Vec::new(), sent_at: now, items: settled }).await;
    for part in batch::form(ready, |ready| &ready.payload, station.limits) {
        if station.is_mock() {
            station.mock(&part).await;
        } else {
            Dismantling::of(station, &part, probe).send(part).await;
        }
    }
}

/// One batch on its way, and what is known of its items.
struct Dismantling<'a> {
    station: &'a Station,
    probe: Option<&'a str>,
    size: usize,
    budget: usize,
    delivered: usize,
    refused: Vec<(Ready, Failure)>,
}

impl<'a> Dismantling<'a> {
    fn of(station: &'a Station, batch: &[Ready], probe: Option<&'a str>) -> Self {
        let size = batch.len();
        // One bad item among n is found with 2·log2(n) requests; past the budget there are many, and each goes alone.
        let budget = 2 * size.max(1).ilog2() as usize + 2;
        Self { station, probe, size, budget, delivered: 0, refused: Vec::new() }
    }

    async fn send(mut self, batch: Vec<Ready>) {
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            if !self.may_send().await {
                parts.push(part);
                break;
            }
            self.budget = self.budget.saturating_sub(1);
            let answer = self.station.send(&part).await;
            self.station.learn(&part, &answer).await;
            self.judge(part, answer, &mut parts).await;
        }
        self.station.hand_back(parts.into_iter().flatten().map(|ready| ready.work)).await;
        self.conclude().await;
    }

    /// Whether the sink was not held meanwhile and the leases are good for another request.
    async fn may_send(&self) -> bool {
        let gate = &self.station.gate;
        (self.probe.is_some() || gate.is_open()) && self.station.run.is_good_for(SEND_SPAN).await
    }

    async fn judge(&mut self, part: Vec<Ready>, answer: Answer, parts: &mut Vec<Vec<Ready>>) {
        let failure = match &answer.verdict {
            Ok(outcomes) => {
                self.delivered += outcomes.iter().filter(|o| matches!(o, Outcome::Delivered { .. })).count();
                let outcomes: Vec<_> =
                    outcomes.iter().map(|outcome| (outcome.clone(), Verdict::Final)).collect();
                return self.station.settle(&part, answer, &outcomes).await;
            }
            Err(failure) => failure.clone(),
        };
        let fails = failure.class.consequence() == Consequence::Fail;
        let can_part = part.len() > 1;
        let verdict = match failure.blame {
            _ if can_part && failure.class.consequence() == Consequence::Halve => Verdict::Open,
            Blame::Unknown | Blame::Item(_) if can_part => Verdict::Open,
            _ if fails && self.station.descriptor.atomic => Verdict::Open,
            _ => Verdict::Final,
        };
        let outcomes = vec![(Outcome::Failed(failure.clone()), verdict); part.len()];
        let sent_at = answer.sent_at;
        self.station.settle(&part, answer, &outcomes).await;
        if verdict == Verdict::Open {
            let part = mark_uncertain(part, &failure, sent_at);
            self.take_apart(part, failure, can_part, parts);
        }
    }

    fn take_apart(
        &mut self,
        mut part: Vec<Ready>,
        failure: Failure,
        can_part: bool,
        parts: &mut Vec<Vec<Ready>>,
    ) {
        match failure.blame {
            Blame::Item(position) if can_part && position < part.len() => {
                let blamed = part.remove(position);
                self.refused.push((blamed, failure));
                parts.push(part);
            }
            _ if can_part && self.budget == 0 => parts.extend(part.into_iter().map(|ready| vec![ready])),
            Blame::Unknown | Blame::Item(_) if can_part => halve(part, parts),
            Blame::Batch if can_part && failure.class.consequence() == Consequence::Halve => {
                halve(part, parts)
            }
            _ => self.refused.extend(part.into_iter().map(|ready| (ready, failure.clone()))),
        }
    }

    /// Settles what was refused, once it is known whether anything of the batch went through.
    async fn conclude(self) {
        let Some((_, first)) = self.refused.first() else { return };
        let same_code =
            first.code.is_some() && self.refused.iter().all(|(_, failure)| failure.code == first.code);
        let all_refused = self.size >= ENOUGH_TO_BLAME_SETTINGS && self.refused.len() == self.size;
        let still_refused = self.probe == Some(ALL_REFUSED) && self.delivered == 0;
        let station = self.station;
        let now = station.clock.now();
        let is_setting = same_code && (all_refused || still_refused);
        if is_setting {
            let message = format!(
                "every event was refused with the same code; a setting may be wrong. {}",
                first.message
            );
            station.record(Some(station.gate.hold_for(ALL_REFUSED, &message, now))).await;
        }
        let items = self.refused.iter().map(|(ready, failure)| {
            let standing = station.standing(&ready.work.lease, ready.work.event.event_time);
            let change = if is_setting {
                // Later than the probe, so that another delivery is the one to test the hold with.
                settle::waiting(&standing, after(now, PROBE_EVERY), ALL_REFUSED, &failure.message)
            } else {
                settle::failed(&standing, failure.class.name(), &failure.message)
            };
            let change = conversion_store::Change { consent: Some(ready.consent), ..change };
            change_only(&ready.work.lease, change)
        });
        let items = items.collect();
        station.ledger.settle(Settlement { exchanges: Vec::new(), sent_at: now, items }).await;
    }
}

/// What was perhaps received stays so, whatever becomes of the parts.
fn mark_uncertain(mut part: Vec<Ready>, failure: &Failure, sent_at: Timestamp) -> Vec<Ready> {
    if matches!(failure.class.consequence(), Consequence::Retry { perhaps_received: true, .. }) {
        for ready in &mut part {
            let dedup_key = ready.payload.dedup_key.clone();
            ready.work.lease.uncertain.get_or_insert(Uncertainty { since: sent_at, dedup_key });
        }
    }
    part
}

fn halve(mut part: Vec<Ready>, parts: &mut Vec<Vec<Ready>>) {
    let right = part.split_off(part.len() / 2);
    parts.push(right);
    parts.push(part);
}
