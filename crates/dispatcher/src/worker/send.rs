//! One request: sent, recorded, and settled item by item.

use std::sync::Arc;
use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::exchange::Exchange;
use conversion_core::failure::{Blame, Consequence, Failure, HoldScope};
use conversion_core::report::{Outcome, SendReport};
use conversion_core::sink::Payload;
use conversion_core::skip::Skip;
use conversion_store::crash::{self, Room};
use conversion_store::{Attempt, Change, ItemSettlement, Lease, Receipt, Settlement};

use super::Station;
use super::prepare::Ready;
use crate::clock::after;
use crate::config::OutboundMode;
use crate::gate::GateChange;
use crate::settle::{self, FailedAttempt};

/// What came of one request.
pub(super) struct Answer {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) verdict: Result<Vec<Outcome>, Failure>,
    pub(super) sent_at: Timestamp,
    /// Set where the platform judges later what it has taken.
    pub(super) receipt: Option<Receipt>,
}

/// A result without an exchange.
pub(crate) fn change_only(lease: &Lease, change: Change) -> ItemSettlement {
    ItemSettlement { id: lease.id, fence: lease.fence, attempts: Vec::new(), change: Some(change) }
}

impl Answer {
    /// The item's part in each exchange: the last brought `result`, those before were refused for their token.
    pub(super) fn attempts(&self, position: usize, payload: &Payload, outcome: &Outcome) -> Vec<Attempt> {
        let last = self.exchanges.len().saturating_sub(1);
        (0..self.exchanges.len())
            .map(|exchange| {
                let (result, note) = match outcome {
                    _ if exchange < last => ("unauthorized", None),
                    Outcome::Delivered { note } => ("delivered", note.clone()),
                    Outcome::Failed(failure) => (failure.class.name(), failure.code.clone()),
                    Outcome::RefusedWithOthers => ("refused_with_others", None),
                };
                let notes =
                    payload.notes.iter().map(|note| (*note).to_owned()).chain(note).collect::<Vec<_>>();
                let note = (!notes.is_empty()).then(|| notes.join(", "));
                Attempt { exchange, position, result, note }
            })
            .collect()
    }

    /// The longest wait that the platform named for items that failed in passing.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let failures: Vec<&Failure> = match &self.verdict {
            Err(failure) => vec![failure],
            Ok(outcomes) => outcomes
                .iter()
                .filter_map(|outcome| match outcome {
                    Outcome::Failed(failure) => Some(failure),
                    Outcome::Delivered { .. } | Outcome::RefusedWithOthers => None,
                })
                .collect(),
        };
        let waits = failures.into_iter().filter_map(|failure| match failure.class.consequence() {
            Consequence::Retry { retry_after, .. } => retry_after,
            _ => None,
        });
        waits.max()
    }

    /// HTTP status of the last answer.
    pub(super) fn response_code(&self) -> Option<u16> {
        self.exchanges.last().and_then(|exchange| exchange.reply.as_ref()).map(|reply| reply.status)
    }
}

impl Station {
    /// Sends `part` as one request.
    pub(super) async fn send(&self, part: &[Ready]) -> Answer {
        let payloads: Vec<&Payload> = part.iter().map(|ready| &ready.payload).collect();
        let request = Arc::new(self.sink.compose(&payloads));
        let sent_at = self.clock.now();
        crash::pass(Room::BeforeSend);
        let report = self.sink.send(request).await;
        crash::pass(Room::AfterSend);
        let receipt = self.receipt(&report, sent_at);
        let (exchanges, verdict) = report.into_parts();
        let failure = verdict.as_ref().err().map(|failure| failure.message.as_str());
        tracing::debug!(sink = %self.name, items = part.len(), failure, "told the platform");
        Answer { exchanges, verdict, sent_at, receipt }
    }

    fn receipt(&self, report: &SendReport, sent_at: Timestamp) -> Option<Receipt> {
        let (token, schedule) = report.receipt().zip(self.confirmation)?;
        Some(Receipt { token: token.to_owned(), ask_at: after(sent_at, schedule.first) })
    }

    /// The state of what the platform took. What it judges later it may yet refuse: that it was sent, and under which
    /// key, is kept until then.
    pub(super) fn delivered(&self, ready: &Ready, note: Option<String>, answer: &Answer) -> Change {
        let standing = self.standing(&ready.work.lease, ready.work.event.event_time);
        let delivered = settle::delivered(&standing, note);
        if answer.receipt.is_none() {
            return delivered;
        }
        let dedup_key = ready.payload.dedup_key.as_deref();
        let known = settle::known_after_sending(standing.uncertain.as_ref(), answer.sent_at, dedup_key);
        Change { uncertain: Some(known), ..delivered }
    }

    /// In mock mode: skips `part`, keeping the request that would have been sent.
    pub(super) async fn mock(&self, part: &[Ready]) {
        let payloads: Vec<&Payload> = part.iter().map(|ready| &ready.payload).collect();
        let request = Arc::new(self.sink.compose(&payloads));
        let exchange = Exchange { request, reply: None, duration: Duration::ZERO };
        let skip = Skip::mock_mode(self.descriptor.platform);
        let items = part.iter().enumerate().map(|(position, ready)| {
            let change = self.mocked(&skip, ready);
            let attempts = vec![Attempt { exchange: 0, position, result: "mock", note: None }];
            ItemSettlement { attempts, ..change_only(&ready.work.lease, change) }
        });
        let items = items.collect();
        self.ledger
            .settle(Settlement { exchanges: vec![exchange], ..Settlement::unsent(items, self.clock.now()) })
            .await;
    }

    fn mocked(&self, skip: &Skip, ready: &Ready) -> Change {
        let standing = self.standing(&ready.work.lease, ready.work.event.event_time);
        Change { consent: Some(ready.consent), ..settle::skipped(&standing, skip) }
    }

    /// Whether platforms are not to be told.
    pub(crate) fn is_mock(&self) -> bool {
        self.mode == OutboundMode::Mock
    }

    /// Writes the exchange, and for each item what follows from its outcome; nothing for those that `outcomes` leaves
    /// open.
    pub(super) async fn settle(&self, part: &[Ready], answer: Answer, outcomes: &[(Outcome, Verdict)]) {
        let now = self.clock.now();
        let response_code = answer.response_code();
        let items = part.iter().zip(outcomes).enumerate().map(|(position, (ready, (outcome, verdict)))| {
            let change = match verdict {
                Verdict::Open => None,
                Verdict::Final => Some(Change {
                    response_code,
                    consent: Some(ready.consent),
                    ..self.change(ready, outcome, &answer, now)
                }),
            };
            let attempts = answer.attempts(position, &ready.payload, outcome);
            ItemSettlement { id: ready.work.lease.id, fence: ready.work.lease.fence, attempts, change }
        });
        let items = items.collect();
        let Answer { exchanges, sent_at, receipt, .. } = answer;
        self.ledger.settle(Settlement { exchanges, sent_at, items, receipt }).await;
    }

    fn change(&self, ready: &Ready, outcome: &Outcome, answer: &Answer, now: Timestamp) -> Change {
        let standing = self.standing(&ready.work.lease, ready.work.event.event_time);
        match outcome {
            Outcome::Delivered { note } => self.delivered(ready, note.clone(), answer),
            Outcome::RefusedWithOthers => settle::handed_back(&standing, now),
            Outcome::Failed(failure) => {
                let dedup_key = ready.payload.dedup_key.as_deref();
                let not_yet_until = ready.payload.not_yet_until;
                let random = rand::random();
                let retry_in = ready.work.retry_in;
                let attempt = FailedAttempt {
                    failure,
                    sent_at: answer.sent_at,
                    dedup_key,
                    not_yet_until,
                    retry_in,
                    now,
                    random,
                };
                let (patience, holds) = (self.patience(&ready.payload), self.gate.history());
                settle::after_failure(&standing, attempt, |standing| patience.deadline(standing, &holds, now))
            }
        }
    }

    /// Tells the gate what a request taught about the sink.
    pub(super) async fn learn(&self, part: &[Ready], answer: &Answer) {
        let now = self.clock.now();
        let changes = match &answer.verdict {
            // A refusal for the sake of some items is an answer like any other.
            Err(failure) if failure.blame != Blame::Batch => vec![self.gate.answered(answer.sent_at, now)],
            Err(failure) => {
                let lesson = Lesson::of_failure(failure, common_event_name(part));
                vec![self.take_in(lesson, answer.sent_at, now)]
            }
            Ok(outcomes) => self.lessons(part, outcomes, answer.sent_at, now),
        };
        for change in changes {
            self.record(change).await;
        }
    }

    fn lessons(
        &self,
        part: &[Ready],
        outcomes: &[Outcome],
        sent_at: Timestamp,
        now: Timestamp,
    ) -> Vec<Option<GateChange>> {
        let mut changes = Vec::new();
        let mut strongest = None;
        for (ready, outcome) in part.iter().zip(outcomes) {
            let event_name = ready.work.event.event_name.as_str();
            let lesson = match outcome {
                Outcome::Delivered { .. } => {
                    changes.push(self.gate.event_name_delivered(event_name));
                    Lesson::Answered
                }
                Outcome::RefusedWithOthers => Lesson::Answered,
                Outcome::Failed(failure) => Lesson::of_failure(failure, Some(event_name)),
            };
            match lesson {
                Lesson::AboutEventName(..) => changes.push(self.take_in(lesson, sent_at, now)),
                _ if strongest.is_none_or(|other: Lesson<'_>| other.weight() < lesson.weight()) => {
                    strongest = Some(lesson);
                }
                _ => {}
            }
        }
        changes.extend(strongest.map(|lesson| self.take_in(lesson, sent_at, now)));
        changes
    }

    fn take_in(&self, lesson: Lesson<'_>, sent_at: Timestamp, now: Timestamp) -> Option<GateChange> {
        match lesson {
            Lesson::Answered => self.gate.answered(sent_at, now),
            Lesson::Passing(failure) | Lesson::Holding(failure) => {
                self.gate.failed(failure, None, sent_at, now)
            }
            Lesson::AboutEventName(failure, name) => self.gate.failed(failure, Some(name), sent_at, now),
        }
    }
}

/// What one outcome teaches about the sink. Later ones outweigh earlier ones: a passing failure of some items teaches
/// nothing where others were judged; what holds the sink counts even beside items that went through.
#[derive(Clone, Copy)]
enum Lesson<'a> {
    Passing(&'a Failure),
    Answered,
    AboutEventName(&'a Failure, &'a str),
    Holding(&'a Failure),
}

impl<'a> Lesson<'a> {
    fn of_failure(failure: &'a Failure, event_name: Option<&'a str>) -> Self {
        match (failure.class.consequence(), event_name) {
            (Consequence::Fail | Consequence::Halve | Consequence::Later(_), _) => Self::Answered,
            (Consequence::Hold(HoldScope::EventName), Some(name)) => Self::AboutEventName(failure, name),
            (Consequence::Hold(_) | Consequence::Pause(_), _) => Self::Holding(failure),
            (Consequence::Retry { .. }, _) => Self::Passing(failure),
        }
    }

    fn weight(self) -> u8 {
        match self {
            Self::Passing(_) => 0,
            Self::Answered => 1,
            Self::AboutEventName(..) => 2,
            Self::Holding(_) => 3,
        }
    }
}

fn common_event_name(part: &[Ready]) -> Option<&str> {
    let name = part.first()?.work.event.event_name.as_str();
    part.iter().all(|ready| ready.work.event.event_name == name).then_some(name)
}

/// Whether an item's outcome is its last in this batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is.
    Final,
    /// The batch is still being taken apart: the lease goes on.
    Open,
}

#[cfg(test)]
mod tests {
    use conversion_core::failure::FailureClass;

    use super::*;

    #[test]
    fn the_longest_wait_of_what_failed_in_passing_counts() {
        let wait = |seconds| Some(Duration::from_secs(seconds));
        let unavailable = |retry_after| Failure::new(FailureClass::Unavailable { retry_after }, "said");
        let limited = Failure::new(FailureClass::RateLimited { retry_after: wait(900) }, "said");
        let items = |failures: Vec<Failure>| {
            Ok(failures.into_iter().map(Outcome::Failed).chain([Outcome::DELIVERED]).collect())
        };
        for (verdict, expected) in [
            (Err(unavailable(wait(30))), wait(30)),
            (Err(unavailable(None)), None),
            // A pause is the sink's, not the delivery's.
            (Err(limited.clone()), None),
            (items(vec![unavailable(wait(30)), unavailable(wait(60)), limited]), wait(60)),
            (items(Vec::new()), None),
        ] {
            let sent_at = Timestamp::UNIX_EPOCH;
            let answer = Answer { exchanges: Vec::new(), verdict, sent_at, receipt: None };
            assert_eq!(answer.retry_after(), expected, "{:?}", answer.verdict);
        }
    }
}
