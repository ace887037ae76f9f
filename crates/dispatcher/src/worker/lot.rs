//! Working off a lot of leased deliveries: prepared, parted into batches, each batch sent and, where the platform
//! refuses it whole for the sake of some items, taken apart.

use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::failure::{Blame, Consequence, Failure};
use conversion_core::reason::HELD;
use conversion_core::report::Outcome;
use conversion_store::crash::{self, Room};
use conversion_store::{Change, ItemSettlement, Settlement, Status};

use super::prepare::{Prepared, Ready};
use super::send::{Answer, Verdict, change_only};
use super::{STORE_RETRY, Station};
use crate::batch;
use crate::clock::after;
use crate::gate::PROBE_EVERY;
use crate::intake::Work;
use crate::reason::ALL_REFUSED;
use crate::settle;

/// A batch of so many must be refused whole to be blamed on the settings.
const ENOUGH_TO_BLAME_SETTINGS: usize = 4;
/// What is sent now must still be settled while the lease is good: a token, a request, both again, and each slow.
const SEND_SPAN: Duration = Duration::from_secs(240);

/// What came of a lot.
#[derive(Debug, Default)]
pub(super) struct Worked {
    /// The longest wait that the platform named for what failed in passing.
    pub(super) retry_after: Option<Duration>,
    /// Whether something has to wait for its time before it can be sent.
    pub(super) waits: bool,
}

/// Prepares and sends `lot`. `probe` names the reason of the hold that it is to test.
pub(super) async fn work_off(station: &Station, lot: Vec<Work>, probe: Option<&str>) -> Worked {
    let now = station.clock.now();
    crash::pass(Room::TakenUp);
    let surroundings = match station.look_up(&lot).await {
        Ok(surroundings) => surroundings,
        Err(error) => {
            tracing::error!(sink = %station.name, %error, "the store cannot be read");
            station.hand_back(lot, after(now, STORE_RETRY)).await;
            return Worked::default();
        }
    };
    let mut ready = Vec::with_capacity(lot.len());
    let mut settled = Vec::new();
    for work in lot {
        match station.prepare(work, &surroundings, now).await {
            Prepared::Ready(item) => ready.push(item),
            Prepared::Settled(work, change) => settled.push(change_only(&work.lease, change)),
        }
    }
    crash::pass(Room::Prepared);
    let waits =
        |item: &ItemSettlement| item.change.as_ref().is_some_and(|change| change.status == Status::Pending);
    let mut worked = Worked { retry_after: None, waits: settled.iter().any(waits) };
    station.ledger.settle(Settlement::unsent(settled, now)).await;
    for part in batch::form(ready, |ready| &ready.payload, station.limits) {
        if station.is_mock() {
            station.mock(&part).await;
        } else {
            let retry_after = Dismantling::of(station, &part, probe).send(part).await;
            worked.retry_after = worked.retry_after.max(retry_after);
        }
    }
    worked
}

/// One batch on its way, and what is known of its items.
struct Dismantling<'a> {
    station: &'a Station,
    probe: Option<&'a str>,
    size: usize,
    budget: usize,
    delivered: usize,
    refused: Vec<Refused>,
    retry_after: Option<Duration>,
}

/// An item that was refused for good, unless all were.
struct Refused {
    ready: Ready,
    failure: Failure,
    response_code: Option<u16>,
}

impl<'a> Dismantling<'a> {
    fn of(station: &'a Station, batch: &[Ready], probe: Option<&'a str>) -> Self {
        let size = batch.len();
        // One bad item among n is found with 2·log2(n) requests; past the budget there are many, and each goes alone.
        let budget = 2 * size.max(1).ilog2() as usize + 2;
        Self { station, probe, size, budget, delivered: 0, refused: Vec::new(), retry_after: None }
    }

    async fn send(mut self, batch: Vec<Ready>) -> Option<Duration> {
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            if part.len() < self.size {
                crash::pass(Room::BetweenParts);
            }
            self.station.pace.wait().await;
            if !self.may_send().await {
                parts.push(part);
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
        let rest = parts.into_iter().flatten().map(|ready| ready.work);
        self.station.hand_back(rest, self.station.clock.now()).await;
        let retry_after = self.retry_after;
        self.conclude().await;
        retry_after
    }

    /// Whether the sink was not held meanwhile and the leases are good for another request.
    async fn may_send(&self) -> bool {
        let station = self.station;
        (self.probe.is_some() || station.gate.is_open())
            && !station.stop.is_cancelled()
            && station.run.is_good_for(SEND_SPAN).await
    }

    /// A probe of a hold for refusals that is refused: that the platform answers was never in doubt.
    fn teaches_nothing(&self, answer: &Answer) -> bool {
        self.probe == Some(ALL_REFUSED.name)
            && answer.verdict.as_ref().is_err_and(|failure| is_refusal(failure, 1))
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
        let can_part = part.len() > 1;
        let verdict = match failure.blame {
            _ if can_part && failure.class.consequence() == Consequence::Halve => Verdict::Open,
            Blame::Unknown | Blame::Item(_) if can_part => Verdict::Open,
            _ if is_refusal(&failure, part.len()) => Verdict::Open,
            _ => Verdict::Final,
        };
        let outcomes = vec![(Outcome::Failed(failure.clone()), verdict); part.len()];
        let (sent_at, response_code) = (answer.sent_at, answer.response_code());
        self.station.settle(&part, answer, &outcomes).await;
        if verdict == Verdict::Open {
            let part = mark_uncertain(part, &failure, sent_at);
            self.take_apart(part, failure, response_code, parts);
        }
    }

    fn take_apart(
        &mut self,
        mut part: Vec<Ready>,
        failure: Failure,
        response_code: Option<u16>,
        parts: &mut Vec<Vec<Ready>>,
    ) {
        let can_part = part.len() > 1;
        let fails = is_refusal(&failure, part.len());
        match failure.blame {
            Blame::Item(position) if can_part && position < part.len() => {
                let ready = part.remove(position);
                // What must wait, or holds something, says so again when it is sent alone.
                if fails {
                    self.refused.push(Refused { ready, failure, response_code });
                } else {
                    parts.push(vec![ready]);
                }
                parts.push(part);
            }
            _ if can_part && self.budget == 0 => parts.extend(part.into_iter().map(|ready| vec![ready])),
            Blame::Unknown | Blame::Item(_) if can_part => halve(part, parts),
            Blame::Batch if can_part && failure.class.consequence() == Consequence::Halve => {
                halve(part, parts)
            }
            _ => self.refused.extend(part.into_iter().map(|ready| Refused {
                ready,
                failure: failure.clone(),
                response_code,
            })),
        }
    }

    /// Settles what was refused, once it is known whether anything of the batch went through.
    async fn conclude(self) {
        let (station, now) = (self.station, self.station.clock.now());
        if self.probe == Some(ALL_REFUSED.name) && self.delivered > 0 {
            station.gate.absolve();
        }
        let Some(first) = self.refused.first() else { return };
        let is_setting = self.blames_settings();
        let items = self.refused.iter().map(|Refused { ready, failure, response_code }| {
            let standing = station.standing(&ready.work.lease, ready.work.event.event_time);
            let change = if is_setting {
                // Later than the probe, so that another delivery is the one to test the hold with.
                settle::waiting(&standing, after(now, PROBE_EVERY), HELD, &failure.message)
            } else {
                settle::failed(&standing, failure.class.failed(), &failure.message)
            };
            let (response_code, consent) = (*response_code, Some(ready.consent));
            change_only(&ready.work.lease, Change { response_code, consent, ..change })
        });
        let items = items.collect();
        station.ledger.settle(Settlement::unsent(items, now)).await;
        if is_setting {
            // Parked first, held then: a resume finds all that it is to release.
            station.ledger.flush().await;
            crash::pass(Room::Parked);
            let message = ALL_REFUSED.tell(&[&first.failure.message]);
            let change = station.gate.hold_for(ALL_REFUSED, &message, first.failure.code.as_deref(), now);
            station.record(Some(change)).await;
        }
    }

    /// Whether everything was refused with one code, which has not proved to be single events' own.
    fn blames_settings(&self) -> bool {
        let code = self.refused.first().and_then(|first| first.failure.code.as_deref());
        let same_code =
            code.is_some() && self.refused.iter().all(|item| item.failure.code.as_deref() == code);
        let all_refused = self.size >= ENOUGH_TO_BLAME_SETTINGS && self.refused.len() == self.size;
        let still_refused = self.probe == Some(ALL_REFUSED.name) && self.delivered == 0;
        same_code && (all_refused || still_refused) && !self.station.gate.is_absolved(code)
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
