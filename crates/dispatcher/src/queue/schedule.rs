//! When QStash tries again by itself, and by when something must have come of a message. Pure.

use std::time::Duration;

/// QStash gives up one call after this long, and counts it as failed.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// What is not heard of this long after the last call that could be is lost.
const GRACE: Duration = Duration::from_secs(600);
/// QStash waits no longer between two calls.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// The calls that QStash makes for one message: the first at once, then so many retries by its own backoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Retries after the first call.
    pub retries: u32,
}

impl Schedule {
    /// The time for all calls of a message that is published now, and the grace after them.
    pub fn whole(self) -> Duration {
        CALL_TIMEOUT + self.rest(0, None)
    }

    /// The time for the calls that follow after `retried` retries, and the grace after them. The next one waits for
    /// `retry_after` where that is longer.
    pub fn rest(self, retried: u32, retry_after: Option<Duration>) -> Duration {
        let calls = (retried.saturating_add(1)..=self.retries).map(|retry| {
            let named = retry_after.filter(|_| retry == retried + 1).unwrap_or_default();
            backoff(retry).max(named.min(LONGEST_WAIT)) + CALL_TIMEOUT
        });
        calls.sum::<Duration>() + GRACE
    }

    /// The wait before the call that follows after `retried` retries; before QStash must have given up, where none does.
    pub fn next(self, retried: u32) -> Duration {
        if retried < self.retries { backoff(retried + 1) } else { GRACE }
    }
}

/// QStash's wait before its n-th retry: e^(2.5·n) seconds, a day at most.
fn backoff(retry: u32) -> Duration {
    Duration::from_secs_f64((2.5 * f64::from(retry)).exp().min(LONGEST_WAIT.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_those_that_qstash_documents() {
        let waits: Vec<u64> = (1..=6).map(|retry| backoff(retry).as_secs()).collect();
        assert_eq!(waits, [12, 148, 1_808, 22_026, 86_400, 86_400]);
    }

    /// 12 s + 2 m 28 s + 30 m 8 s and so on, a minute for each call, ten minutes at the end. Parts of seconds add up to
    /// another whole one: 12.18 + 148.41 + 1808.04 = 1968.64, + 22026.47 = 23995.10.
    #[test]
    fn a_message_is_lost_when_the_whole_schedule_and_the_grace_are_over() {
        for (retries, seconds) in [
            (0, 60 + 600),
            (1, 12 + 2 * 60 + 600),
            (2, 160 + 3 * 60 + 600),
            (3, 1_968 + 4 * 60 + 600),
            (4, 23_995 + 5 * 60 + 600),
            (5, 110_395 + 6 * 60 + 600),
        ] {
            assert_eq!(Schedule { retries }.whole().as_secs(), seconds, "{retries} retries");
        }
    }

    #[test]
    fn the_rest_is_what_follows() {
        let schedule = Schedule { retries: 3 };
        let seconds = |rest: Duration| rest.as_secs();
        for (retried, retry_after, rest) in [
            (0, None, 1_968 + 3 * 60 + 600),
            (1, None, 148 + 1_808 + 2 * 60 + 600),
            (2, None, 1_808 + 60 + 600),
            (3, None, 600),
            (9, None, 600),
            (2, Some(3_600), 3_600 + 60 + 600),
            (2, Some(5), 1_808 + 60 + 600),
            (2, Some(999_999), 86_400 + 60 + 600),
            (3, Some(3_600), 600),
            (u32::MAX, None, 600),
        ] {
            let retry_after = retry_after.map(Duration::from_secs);
            assert_eq!(seconds(schedule.rest(retried, retry_after)), rest, "{retried} {retry_after:?}");
        }
        assert_eq!([0, 1, 2, 3].map(|retried| seconds(schedule.next(retried))), [12, 148, 1_808, 600]);
    }
}
