use conversion_core::failure::{FailureClass, HoldScope};
use proptest::prelude::*;

use super::*;

const HOUR: u64 = 3600;
const PATIENCE: Patience = Patience {
    max_event_age: None,
    dedup_window: Some(Duration::from_secs(48 * HOUR)),
    retry_for: Duration::from_secs(14 * 24 * HOUR),
};

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
}

fn standing() -> Standing {
    Standing { event_time: at(0), waiting_since: at(0), tries: 0, uncertain: None }
}

fn uncertain(since: i64) -> Option<Uncertainty> {
    Some(Uncertainty { since: at(since), dedup_key: Some("key".into()) })
}

fn fail(standing: &Standing, class: FailureClass, now: Timestamp) -> Change {
    fail_by_chance(standing, class, now, 7)
}

fn fail_by_chance(standing: &Standing, class: FailureClass, now: Timestamp, random: u64) -> Change {
    let failure = Failure::new(class, "said");
    let attempt = FailedAttempt {
        failure: &failure,
        sent_at: now,
        dedup_key: Some("key"),
        not_yet_until: None,
        retry_in: None,
        now,
        random,
    };
    after_failure(standing, attempt, |standing| PATIENCE.deadline(standing, &HoldHistory::default(), now))
}

#[test]
fn each_class_has_its_consequence() {
    let wait = Duration::from_secs(6 * HOUR);
    for (class, status, tries, ambiguous) in [
        (FailureClass::Rejected, Status::Failed, 0, false),
        (FailureClass::TooLarge, Status::Failed, 0, false),
        (FailureClass::NotYet { wait }, Status::Pending, 0, false),
        (FailureClass::RateLimited { retry_after: None }, Status::Pending, 0, false),
        (FailureClass::Unauthorized { scope: HoldScope::Sink }, Status::Pending, 0, false),
        (FailureClass::Unavailable { retry_after: None }, Status::Pending, 1, true),
        (FailureClass::Unreachable, Status::Pending, 1, false),
        (FailureClass::Interrupted, Status::Pending, 1, true),
    ] {
        let change = fail(&standing(), class, at(1));
        assert_eq!((change.status, change.tries), (status, tries), "{class:?}");
        assert_eq!(change.uncertain.is_some(), ambiguous, "{class:?}");
        assert_eq!(change.reason.as_deref(), Some(class.name()));
    }
}

#[test]
fn what_is_delivered_keeps_the_platforms_note_and_is_not_uncertain_any_more() {
    let change =
        delivered(&Standing { uncertain: uncertain(0), tries: 3, ..standing() }, Some("note".into()));
    assert_eq!((change.status, change.message.as_deref()), (Status::Delivered, Some("note")));
    assert_eq!((change.uncertain, change.reason), (None, None));
}

#[test]
fn what_is_skipped_or_waits_says_why() {
    let change = skipped(&standing(), &Skip::event_too_old(Duration::from_secs(72 * HOUR)));
    assert_eq!((change.status, change.reason.as_deref()), (Status::Skipped, Some("event_too_old")));
    assert!(change.message.unwrap().contains("3 days"));

    let change = fail(&standing(), FailureClass::RateLimited { retry_after: None }, at(1));
    assert_eq!((change.status, change.due_at), (Status::Pending, Some(at(1))));
    assert_eq!(change.message.as_deref(), Some("said"));
}

#[test]
fn not_yet_waits_as_long_as_the_platform_asks() {
    let wait = Duration::from_secs(6 * HOUR);
    let tenth = Duration::from_secs(36 * 60);
    for (random, more) in [(0, Duration::ZERO), (36 * 60_000, tenth), (36 * 60_000 + 1, Duration::ZERO)] {
        let change = fail_by_chance(&standing(), FailureClass::NotYet { wait }, at(1), random);
        assert_eq!(change.due_at, Some(after(at(7), more)), "a tenth more at most: {random}");
    }
}

/// A connector that asked for what is past would else be asked again at once, for ever.
#[test]
fn what_has_to_wait_is_due_in_the_future() {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    for (until, random, due) in [
        (6, 0, at(6)),
        (6, 300_000, after(at(6), minutes(5))),
        (6, 600_000, after(at(6), minutes(10))),
        (-9, 300_000, after(at(1), minutes(5))),
    ] {
        assert_eq!(due_after(at(until), at(1), random), due, "{until} {random}");
    }
}

#[test]
fn patience_begins_when_there_is_something_to_try() {
    let change = postponed(&standing(), at(6), crate::reason::WAITING_FOR_EARLIER, "said");
    assert_eq!((change.due_at, change.waiting_since), (Some(at(6)), Some(at(6))));
    let failed = fail(&standing(), FailureClass::Unreachable, at(1));
    assert_eq!(failed.waiting_since, None, "trying uses it up");
}

/// A retraction whose conversion was delivered at 0.
#[test]
fn where_not_yet_ends_there_is_a_last_try_at_that_time() {
    let failure = Failure::new(FailureClass::NotYet { wait: Duration::from_secs(6 * HOUR) }, "said");
    for (now, due) in [
        (1, Some((7, 8))),
        (17, Some((23, 24))),
        (18, Some((24, 24))),
        (23, Some((24, 24))),
        (24, None),
        (25, None),
    ] {
        let attempt = FailedAttempt {
            failure: &failure,
            sent_at: at(now),
            dedup_key: Some("key"),
            not_yet_until: Some(at(24)),
            retry_in: None,
            now: at(now),
            random: 5 * 60 * 1000,
        };
        let change =
            after_failure(&standing(), attempt, |_| Deadline { at: at(99), reason: RETRY_PERIOD_OVER });
        assert_eq!(change.reason.as_deref(), Some("not_yet"), "{now}");
        match due {
            Some((earliest, latest)) => {
                let due_at = change.due_at.unwrap();
                assert!((at(earliest)..=at(latest)).contains(&due_at), "{now}: {due_at}");
            }
            None => assert_eq!(change.status, Status::Failed, "{now}"),
        }
    }
}

#[test]
fn what_was_perhaps_received_is_given_up_when_the_platform_forgets_it() {
    let first_sent = Standing { uncertain: uncertain(0), ..standing() };
    assert_eq!(PATIENCE.deadline(&first_sent, &HoldHistory::default(), at(1)).at, at(48));
    let change = fail(&first_sent, FailureClass::Interrupted, at(48));
    assert_eq!((change.status, change.reason.as_deref()), (Status::Failed, Some("dedup_window_over")));
    let earlier = fail(&first_sent, FailureClass::Interrupted, at(40));
    assert_eq!(earlier.status, Status::Pending);
    assert_eq!(earlier.uncertain, uncertain(0), "the first time counts");
}

#[test]
fn what_was_refused_for_its_token_is_not_bound_by_the_dedup_window() {
    let change = fail(&standing(), FailureClass::Unauthorized { scope: HoldScope::Sink }, at(72));
    assert_eq!(change.status, Status::Pending);
}

#[test]
fn without_a_dedup_key_nothing_is_sent_twice() {
    let failure = Failure::new(FailureClass::Interrupted, "said");
    let attempt = FailedAttempt {
        failure: &failure,
        sent_at: at(0),
        dedup_key: None,
        not_yet_until: None,
        retry_in: None,
        now: at(0),
        random: 0,
    };
    let change = after_failure(&standing(), attempt, |_| Deadline { at: at(99), reason: RETRY_PERIOD_OVER });
    assert_eq!(change.status, Status::Failed);
    assert!(change.message.unwrap().contains("perhaps received"));
}

#[test]
fn time_held_does_not_use_up_patience() {
    let history = crate::gate::Gate::restored(Vec::new(), Vec::new());
    let unauthorized = Failure::new(FailureClass::Unauthorized { scope: HoldScope::Sink }, "said");
    history.failed(&unauthorized, None, at(24), at(24));
    history.resume(at(24 + 240));
    let deadline = PATIENCE.deadline(&standing(), &history.history(), at(300));
    assert_eq!(deadline, Deadline { at: at((14 + 10) * 24), reason: RETRY_PERIOD_OVER });
}

/// A queue that has the retries knows its own waits; the platform's `Retry-After` and the deadline still count.
#[test]
fn another_s_wait_stands_in_for_backoff() {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    for (retry_in, retry_after, now, due) in [
        (minutes(30), None, 0, Some(minutes(30))),
        (minutes(30), Some(minutes(20)), 0, Some(minutes(30))),
        (minutes(30), Some(minutes(45)), 0, Some(minutes(45))),
        (minutes(61), None, 47, None),
        (minutes(59), None, 47, Some(minutes(59))),
    ] {
        let failure = Failure::new(FailureClass::Unavailable { retry_after }, "said");
        let attempt = FailedAttempt {
            failure: &failure,
            sent_at: at(now),
            dedup_key: Some("key"),
            not_yet_until: None,
            retry_in: Some(retry_in),
            now: at(now),
            random: 7,
        };
        let standing = Standing { uncertain: uncertain(0), ..standing() };
        let change = after_failure(&standing, attempt, |standing| {
            PATIENCE.deadline(standing, &HoldHistory::default(), at(now))
        });
        assert_eq!(change.due_at, due.map(|due| after(at(now), due)), "{retry_in:?} {retry_after:?} {now}");
    }
}

#[test]
fn retry_after_is_kept_to() {
    let retry_after = Some(Duration::from_secs(2 * HOUR));
    let due = fail(&standing(), FailureClass::Unavailable { retry_after }, at(0)).due_at.unwrap();
    assert!(due >= at(2), "{due}");
}

proptest! {
    #[test]
    fn nothing_is_due_at_or_after_its_deadline(tries in 0u32..40, age in 0i64..500, sent in prop::option::of(0i64..500)) {
        let standing = Standing { tries, uncertain: sent.and_then(uncertain), ..standing() };
        for class in [FailureClass::Interrupted, FailureClass::Unreachable] {
            let change = fail(&standing, class, at(age));
            match change.due_at {
                Some(due) => {
                    let next = Standing { uncertain: change.uncertain.clone(), ..standing.clone() };
                    prop_assert!(due < PATIENCE.deadline(&next, &HoldHistory::default(), at(age)).at);
                }
                None => prop_assert_eq!(change.status, Status::Failed),
            }
        }
    }
}
