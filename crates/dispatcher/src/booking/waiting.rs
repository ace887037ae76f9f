//! What becomes of notices whose appointment could not be had. Pure.

use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::backoff::Backoff;
use conversion_core::failure::{Consequence, Failure};
use conversion_core::reason::{Place, Reason};
use conversion_store::{Notice, NoticeChange};

use crate::clock::after;
use crate::gate::HoldHistory;
use crate::reason::RETRY_PERIOD_OVER;

/// A fetch that failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct FailedFetch<'a> {
    /// What the booking system said.
    pub(super) failure: &'a Failure,
    /// Since when holds are known.
    pub(super) opened_at: Timestamp,
    /// How long a notice is worked on after it began to wait, or after `opened_at`; holds not counted.
    pub(super) retry_for: Duration,
    /// The source's holds.
    pub(super) holds: &'a HoldHistory,
    /// Now.
    pub(super) now: Timestamp,
    /// Uniform over its range.
    pub(super) random: u64,
}

impl FailedFetch<'_> {
    /// The next state of each of the notices for which one appointment was fetched. All come back at one time.
    pub(super) fn changes(&self, notices: &[Notice]) -> Vec<NoticeChange> {
        let tried = notices.iter().map(|notice| notice.tries).max().unwrap_or_default();
        let (due_at, tries) = match self.failure.class.consequence() {
            Consequence::Fail | Consequence::Halve => {
                return notices
                    .iter()
                    .map(|_| self.failed(self.failure.class.failed(), self.told()))
                    .collect();
            }
            Consequence::Later(wait) => (after(self.now, wait), tried),
            // The source is held from now on: they are due whenever that ends.
            Consequence::Pause(_) | Consequence::Hold(_) => {
                return notices.iter().map(|notice| self.later(self.now, notice.tries)).collect();
            }
            Consequence::Retry { retry_after, .. } => {
                let tries = tried.saturating_add(1);
                let wait = Backoff::DELIVERY.delay(tries, self.random).max(retry_after.unwrap_or_default());
                (after(self.now, wait), tries)
            }
        };
        notices.iter().map(|notice| self.unless_over(notice, due_at, tries)).collect()
    }

    fn unless_over(&self, notice: &Notice, due_at: Timestamp, tries: u32) -> NoticeChange {
        let since = notice.waiting_since.max(self.opened_at);
        let held = self.holds.held_between(since, self.now);
        if due_at >= after(after(since, self.retry_for), held) {
            let message = format!("given up at its deadline; last: {}", self.told());
            return self.failed(RETRY_PERIOD_OVER, message);
        }
        self.later(due_at, tries)
    }

    fn later(&self, due_at: Timestamp, tries: u32) -> NoticeChange {
        let reason = self.failure.class.waiting().name_in(Place::NoticePending).to_owned();
        NoticeChange::Later { due_at, tries, reason, message: self.told() }
    }

    fn failed(&self, reason: &Reason, message: String) -> NoticeChange {
        NoticeChange::Failed { reason: reason.name_in(Place::NoticeFailed).to_owned(), message }
    }

    /// The booking system's words, with its code where they leave it out.
    fn told(&self) -> String {
        let Failure { code, message, .. } = self.failure;
        match code {
            Some(code) if !message.contains(code.as_str()) => format!("{message} ({code})"),
            _ => message.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use conversion_core::failure::{FailureClass, HoldScope};
    use conversion_store::NoticeId;

    use super::*;

    const DAY: u64 = 86_400;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap()
    }

    fn notice(waiting_since: u64, tries: u32) -> Notice {
        Notice {
            id: NoticeId(1),
            action: "changed".into(),
            appointment: "77".into(),
            received_at: at(0),
            waiting_since: at(waiting_since),
            tries,
        }
    }

    /// At the start of day 14, with the longest wait of the third try: 4, 8, 16 seconds.
    fn changes(class: FailureClass, notices: &[Notice]) -> Vec<NoticeChange> {
        changes_since(at(0), class, notices)
    }

    fn changes_since(opened_at: Timestamp, class: FailureClass, notices: &[Notice]) -> Vec<NoticeChange> {
        let failure = Failure::new(class, "no").with_code("404");
        let holds = HoldHistory::default();
        let retry_for = Duration::from_secs(14 * DAY);
        let now = at(14 * DAY);
        FailedFetch { failure: &failure, opened_at, retry_for, holds: &holds, now, random: 16_000 }
            .changes(notices)
    }

    fn later(due_at: u64, tries: u32, reason: &str) -> NoticeChange {
        NoticeChange::Later {
            due_at: at(due_at),
            tries,
            reason: reason.to_owned(),
            message: "no (404)".to_owned(),
        }
    }

    #[test]
    fn what_passes_is_tried_again_until_the_deadline_of_each() {
        let unavailable = FailureClass::Unavailable { retry_after: None };
        let over = NoticeChange::Failed {
            reason: "retry_period_over".into(),
            message: "given up at its deadline; last: no (404)".into(),
        };
        assert_eq!(
            changes(unavailable, &[notice(16, 1), notice(17, 2)]),
            [over, later(14 * DAY + 16, 3, "unavailable")]
        );
        let asked = FailureClass::Unavailable { retry_after: Some(Duration::from_secs(60)) };
        assert_eq!(changes(asked, &[notice(DAY, 2)]), [later(14 * DAY + 60, 3, "unavailable")]);
    }

    #[test]
    fn earlier_holds_are_forgotten_so_that_time_begins_anew_with_the_desk() {
        let unavailable = FailureClass::Unavailable { retry_after: None };
        let expected = [later(14 * DAY + 16, 3, "unavailable")];
        assert_eq!(changes_since(at(17), unavailable, &[notice(0, 2)]), expected);
    }

    #[test]
    fn what_holds_the_source_costs_no_notice_a_try_or_its_time() {
        for (class, reason) in [
            (FailureClass::Unauthorized { scope: HoldScope::Sink }, "unauthorized"),
            (FailureClass::RateLimited { retry_after: None }, "rate_limited"),
        ] {
            assert_eq!(changes(class, &[notice(0, 2)]), [later(14 * DAY, 2, reason)]);
        }
    }

    #[test]
    fn what_is_refused_for_good_has_failed() {
        let failed = NoticeChange::Failed { reason: "rejected".into(), message: "no (404)".into() };
        assert_eq!(changes(FailureClass::Rejected, &[notice(DAY, 0)]), [failed]);
    }
}
