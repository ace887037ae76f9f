//! What follows from a verdict that a platform gives later than its answer. Pure.

use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::backoff::Backoff;
use conversion_core::confirmation::{Confirmation as Answer, ConfirmationSchedule, LateVerdict};
use conversion_core::failure::{Consequence, Failure};
use conversion_core::reason::Place;
use conversion_store::{Awaited, Change, Confirmation, DueReceipt, Origin, Status, VerdictWrite};

use crate::clock::after;
use crate::settle::jitter;

/// What follows from asking a platform for its verdict on a request.
#[derive(Clone, Debug)]
pub enum Next {
    /// It is asked again then.
    AskAgain(Timestamp),
    /// What is awaited ends so.
    Write(Vec<VerdictWrite>),
}

/// What follows from the platform's answer, or from there being none. `patience` is for how long a platform that cannot
/// be asked is asked.
pub fn follow(
    receipt: &DueReceipt,
    answer: &Result<Answer, Failure>,
    schedule: ConfirmationSchedule,
    patience: Duration,
    now: Timestamp,
    random: u64,
) -> Next {
    let age = Duration::try_from(now.duration_since(receipt.sent_at)).unwrap_or_default();
    let again = || Next::AskAgain(next_ask(receipt.sent_at, age, schedule, now));
    match answer {
        Ok(Answer::Judged(verdicts)) if verdicts.len() == receipt.items => {
            let judged = |awaited| write(awaited, verdicts, now, random);
            Next::Write(receipt.awaited.iter().map(judged).collect())
        }
        Ok(Answer::Judged(verdicts)) => {
            unconfirmed(receipt, &format!("the platform judged {} of {}", verdicts.len(), receipt.items))
        }
        Ok(Answer::Processing) if age < schedule.last => again(),
        Ok(Answer::Processing) => {
            unconfirmed(receipt, "the platform was still at it when it was asked for the last time")
        }
        Err(_) if age < patience => again(),
        Err(failure) => {
            unconfirmed(receipt, &format!("the platform could not be asked; last: {}", failure.message))
        }
    }
}

/// The next time of the schedule: each lies twice as far from the sending as the one before, and the last where the
/// schedule says. Past that, as long again.
fn next_ask(sent_at: Timestamp, age: Duration, schedule: ConfirmationSchedule, now: Timestamp) -> Timestamp {
    if age >= schedule.last {
        return after(now, schedule.last);
    }
    let mut ask = schedule.first.max(Duration::from_secs(1));
    while ask <= age {
        ask = ask.saturating_mul(2);
    }
    after(sent_at, ask.min(schedule.last))
}

fn unconfirmed(receipt: &DueReceipt, message: &str) -> Next {
    let write = |awaited: &Awaited| VerdictWrite {
        id: awaited.id,
        confirmation: Confirmation::Unconfirmed,
        change: change_to(Status::Delivered, awaited, Some(message.to_owned())),
    };
    Next::Write(receipt.awaited.iter().map(write).collect())
}

fn write(awaited: &Awaited, verdicts: &[LateVerdict], now: Timestamp, random: u64) -> VerdictWrite {
    let (confirmation, change) = match verdicts.get(awaited.position) {
        Some(LateVerdict::Confirmed { note }) => {
            (Confirmation::Confirmed, change_to(Status::Delivered, awaited, note.clone()))
        }
        Some(LateVerdict::Refused(failure)) => refused(awaited, failure, now, random),
        Some(LateVerdict::Unknown { message }) => {
            (Confirmation::Unconfirmed, change_to(Status::Delivered, awaited, Some(message.clone())))
        }
        None => (Confirmation::Unconfirmed, change_to(Status::Delivered, awaited, None)),
    };
    VerdictWrite { id: awaited.id, confirmation, change }
}

/// What passes is sent again. What would hold the sink has failed: a probe is taken at the door whatever comes later.
fn refused(awaited: &Awaited, failure: &Failure, now: Timestamp, random: u64) -> (Confirmation, Change) {
    let message = Some(failure.message.clone());
    let again = |tries: u32, wait: Duration, uncertain| {
        let change = Change {
            reason: Some(failure.class.waiting().name_in(Place::Pending).to_owned()),
            due_at: Some(after(now, wait)),
            tries,
            uncertain,
            ..change_to(Status::Pending, awaited, message.clone())
        };
        (Confirmation::None, change)
    };
    match failure.class.consequence() {
        Consequence::Later(wait) if awaited.origin == Origin::Live => {
            again(awaited.tries, wait + jitter(wait / 10, random), None)
        }
        Consequence::Retry { retry_after, perhaps_received } if awaited.origin == Origin::Live => {
            let tries = awaited.tries.saturating_add(1);
            let wait = Backoff::DELIVERY.delay(tries, random).max(retry_after.unwrap_or_default());
            again(tries, wait, awaited.uncertain.clone().filter(|_| perhaps_received))
        }
        _ => {
            let reason = Some(failure.class.failed().name_in(Place::Failed).to_owned());
            let change = Change { reason, ..change_to(Status::Failed, awaited, message.clone()) };
            (Confirmation::Refused, change)
        }
    }
}

/// A state that is known for certain.
fn change_to(status: Status, awaited: &Awaited, message: Option<String>) -> Change {
    Change {
        status,
        reason: None,
        message,
        due_at: None,
        waiting_since: None,
        tries: awaited.tries,
        uncertain: None,
        response_code: None,
        consent: None,
    }
}

#[cfg(test)]
mod tests {
    use conversion_core::failure::{FailureClass, HoldScope};
    use conversion_store::{DeliveryId, ReceiptId, SinkId, Uncertainty};

    use super::*;

    const SCHEDULE: ConfirmationSchedule =
        ConfirmationSchedule { first: Duration::from_secs(1800), last: Duration::from_secs(24 * 3600) };
    const PATIENCE: Duration = Duration::from_secs(14 * 86_400);
    const SIX_HOURS: Duration = Duration::from_secs(6 * 3600);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
    }

    fn sent() -> Option<Uncertainty> {
        Some(Uncertainty { since: at(0), dedup_key: Some("key".to_owned()) })
    }

    /// A request of two items, of which the second is awaited, sent at 0.
    fn receipt(origin: Origin) -> DueReceipt {
        let id = DeliveryId { event: 7, sink: SinkId(1) };
        let awaited = Awaited { id, position: 1, origin, tries: 2, waiting_since: at(-5), uncertain: sent() };
        let token = "request-7".to_owned();
        DueReceipt { id: ReceiptId(1), token, items: 2, sent_at: at(0), awaited: vec![awaited] }
    }

    fn judged(verdict: LateVerdict) -> Result<Answer, Failure> {
        Ok(Answer::Judged(vec![LateVerdict::Unknown { message: "a neighbour's".to_owned() }, verdict]))
    }

    fn only(next: Next) -> VerdictWrite {
        match next {
            Next::Write(mut writes) if writes.len() == 1 => writes.remove(0),
            other => panic!("{other:?}"),
        }
    }

    fn after_asking(answer: &Result<Answer, Failure>, minutes: i64) -> Next {
        follow(&receipt(Origin::Live), answer, SCHEDULE, PATIENCE, at(minutes), 0)
    }

    #[test]
    fn it_is_asked_after_half_an_hour_twice_as_long_each_time_and_last_after_a_day() {
        let processing = Ok(Answer::Processing);
        for (asked, expected) in [
            (30, Some(60)),
            (31, Some(60)),
            (60, Some(120)),
            (120, Some(240)),
            (250, Some(480)),
            (480, Some(960)),
            (960, Some(1440)),
            (1439, Some(1440)),
            (1440, None),
            (9000, None),
        ] {
            let next = match after_asking(&processing, asked) {
                Next::AskAgain(at) => Some(at),
                Next::Write(writes) => {
                    assert_eq!(writes[0].confirmation, Confirmation::Unconfirmed);
                    assert_eq!(writes[0].change.status, Status::Delivered);
                    None
                }
            };
            assert_eq!(next, expected.map(at), "asked after {asked} minutes");
        }
    }

    #[test]
    fn who_cannot_be_asked_is_asked_for_as_long_as_anything_is_tried() {
        let down = Err(Failure::new(FailureClass::Unavailable { retry_after: None }, "HTTP 503"));
        for (asked, expected) in [(30, 60), (1440, 2 * 1440), (3000, 3000 + 1440)] {
            assert!(matches!(after_asking(&down, asked), Next::AskAgain(next) if next == at(expected)));
        }
        let over = only(after_asking(&down, 14 * 1440));
        assert_eq!(over.confirmation, Confirmation::Unconfirmed);
        assert!(over.change.message.unwrap().ends_with("HTTP 503"));
    }

    #[test]
    fn a_verdict_of_another_size_judges_nobody() {
        let one = Ok(Answer::Judged(vec![LateVerdict::Confirmed { note: None }]));
        let written = only(after_asking(&one, 30));
        assert_eq!(written.confirmation, Confirmation::Unconfirmed);
        assert_eq!(written.change.message.as_deref(), Some("the platform judged 1 of 2"));
    }

    #[test]
    fn each_verdict_leads_to_its_state() {
        use Confirmation::{Confirmed, None as Again, Refused, Unconfirmed};
        use Status::{Delivered, Failed, Pending};
        let refused = |class| LateVerdict::Refused(Failure::new(class, "said"));
        let confirmed = LateVerdict::Confirmed { note: Some("said".to_owned()) };
        let unknown = LateVerdict::Unknown { message: "said".to_owned() };
        let hold = FailureClass::Unauthorized { scope: HoldScope::Sink };
        let not_yet = FailureClass::NotYet { wait: SIX_HOURS };
        let down = FailureClass::Unavailable { retry_after: Some(SIX_HOURS) };
        for (verdict, confirmation, status, reason, due, tries, keeps) in [
            (confirmed, Confirmed, Delivered, None, None, 2, false),
            (unknown, Unconfirmed, Delivered, None, None, 2, false),
            (refused(FailureClass::Rejected), Refused, Failed, Some("rejected"), None, 2, false),
            (refused(hold), Refused, Failed, Some("unauthorized"), None, 2, false),
            (refused(not_yet), Again, Pending, Some("not_yet"), Some(390), 2, false),
            (refused(down), Again, Pending, Some("unavailable"), Some(390), 3, true),
            (refused(FailureClass::Unreachable), Again, Pending, Some("unreachable"), None, 3, false),
        ] {
            let VerdictWrite { confirmation: found, change, .. } = only(after_asking(&judged(verdict), 30));
            assert_eq!((found, change.status, change.reason.as_deref()), (confirmation, status, reason));
            assert_eq!((change.message.as_deref(), change.tries), (Some("said"), tries));
            assert_eq!(change.uncertain, sent().filter(|_| keeps), "{reason:?}");
            assert_eq!(change.due_at.is_some(), status == Pending);
            if let Some(due) = due {
                assert_eq!(change.due_at, Some(at(due)));
            }
        }
    }

    #[test]
    fn a_test_is_not_sent_again() {
        for class in [FailureClass::NotYet { wait: SIX_HOURS }, FailureClass::Interrupted] {
            let verdict = judged(LateVerdict::Refused(Failure::new(class, "said")));
            let next = follow(&receipt(Origin::Test), &verdict, SCHEDULE, PATIENCE, at(30), 0);
            assert_eq!(only(next).change.status, Status::Failed);
        }
    }
}
