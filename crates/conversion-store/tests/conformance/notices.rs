//! Webhooks of booking systems.

use conversion_store::{
    NewNotice, Notice, NoticeChange, NoticeCounts, NoticeFilter, NoticeId, NoticeOutcome, NoticeRecord,
    NoticeRetry, NoticeSettlement, NoticeStatus,
};

use super::Backend;
use super::fixture::{Fixture, at};

pub(super) fn notice(source: &str, appointment: &str) -> NewNotice {
    NewNotice {
        source: source.to_owned(),
        action: "scheduled".to_owned(),
        appointment: Some(appointment.to_owned()),
        ignored: None,
    }
}

fn nothing_in_it() -> NewNotice {
    let ignored = Some(("no_appointment".to_owned(), "It is about an order".to_owned()));
    NewNotice { appointment: None, ignored, ..notice("acuity", "") }
}

/// A settlement of notices alone.
fn only(notices: &[NoticeId], change: NoticeChange) -> NoticeSettlement {
    NoticeSettlement { notices: notices.to_vec(), change, appointment: None }
}

fn failed() -> NoticeChange {
    NoticeChange::Failed {
        reason: "not_found".to_owned(),
        message: "There is no such appointment".to_owned(),
    }
}

impl Fixture {
    pub(super) async fn keep(&self, notice: NewNotice, seconds: i64) -> NoticeId {
        self.store.keep_notices(&[notice], &[], at(seconds)).await.unwrap();
        self.notices(NoticeFilter::default()).await[0].id
    }

    pub(super) async fn notices(&self, filter: NoticeFilter) -> Vec<NoticeRecord> {
        let (notices, next) = self.store.notices(&NoticeFilter { limit: 100, ..filter }).await.unwrap();
        assert_eq!(next, None);
        notices
    }

    async fn due_notices(&self, seconds: i64, limit: usize) -> Vec<Notice> {
        self.store.due_notices("acuity", at(seconds), limit).await.unwrap()
    }

    async fn settle_notice(&self, notice: NoticeId, change: NoticeChange) {
        let outcomes = self.store.settle_notices(&[only(&[notice], change)], at(20)).await.unwrap();
        assert_eq!(outcomes, [NoticeOutcome::Applied]);
    }
}

pub(crate) async fn a_notice_is_due_at_once_unless_it_leads_to_nothing(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    assert_eq!(fixture.store.next_notice_due("acuity").await.unwrap(), None);
    fixture.store.keep_notices(&[notice("acuity", "2"), nothing_in_it()], &[], at(2)).await.unwrap();
    fixture.store.keep_notices(&[notice("acuity", "1"), notice("another", "9")], &[], at(1)).await.unwrap();

    assert_eq!(fixture.store.next_notice_due("acuity").await.unwrap(), Some(at(1)));
    assert!(fixture.due_notices(0, 10).await.is_empty());
    let due = fixture.due_notices(2, 10).await;
    let told: Vec<_> = due.iter().map(|notice| (&*notice.appointment, notice.received_at)).collect();
    assert_eq!(told, [("1", at(1)), ("2", at(2))]);
    assert_eq!((&*due[0].action, due[0].tries), ("scheduled", 0));
    assert_eq!(fixture.due_notices(2, 1).await.len(), 1);

    let ignored = NoticeFilter { status: Some(NoticeStatus::Ignored), ..NoticeFilter::default() };
    let ignored = fixture.notices(ignored).await.remove(0);
    assert_eq!(ignored.reason.as_deref(), Some("no_appointment"));
    assert_eq!(ignored.message.as_deref(), Some("It is about an order"));
    assert_eq!((ignored.appointment, ignored.due_at), (None, None));
}

pub(crate) async fn only_pending_notices_change(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let given_up = fixture.keep(notice("acuity", "1"), 0).await;
    let waiting = fixture.keep(notice("acuity", "2"), 1).await;
    fixture.settle_notice(given_up, failed()).await;
    let later = NoticeChange::Later {
        due_at: at(90),
        tries: 3,
        reason: "unavailable".to_owned(),
        message: "503".to_owned(),
    };
    let outcome = fixture.store.settle_notices(&[only(&[given_up, waiting], later)], at(20)).await.unwrap();
    assert_eq!(outcome, [NoticeOutcome::Applied]);

    let [second, first] = &fixture.notices(NoticeFilter::default()).await[..] else {
        panic!("two were kept")
    };
    assert_eq!((first.status, first.reason.as_deref()), (NoticeStatus::Failed, Some("not_found")));
    assert_eq!((first.due_at, first.tries), (None, 0));
    assert_eq!((second.status, second.reason.as_deref()), (NoticeStatus::Pending, Some("unavailable")));
    assert_eq!((second.due_at, second.tries, second.received_at), (Some(at(90)), 3, at(1)));
    assert!(fixture.due_notices(89, 10).await.is_empty());
    assert_eq!(fixture.due_notices(90, 10).await[0].tries, 3);
    assert_eq!(fixture.store.next_notice_due("acuity").await.unwrap(), Some(at(90)));
}

pub(crate) async fn each_notice_is_retried_as_it_should(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let retry = async |notice| fixture.store.retry_notice(notice, at(50)).await.unwrap();
    let empty = fixture.keep(nothing_in_it(), 0).await;
    let [done, ignored, given_up, waiting] = {
        let mut kept = Vec::new();
        for appointment in ["1", "2", "3", "4"] {
            kept.push(fixture.keep(notice("acuity", appointment), 0).await);
        }
        kept.try_into().unwrap()
    };
    fixture.settle_notice(done, NoticeChange::Done).await;
    let (reason, message) = ("unwanted".to_owned(), "Not a trial".to_owned());
    fixture.settle_notice(ignored, NoticeChange::Ignored { reason, message }).await;
    fixture.settle_notice(given_up, failed()).await;
    let (reason, message) = ("unavailable".to_owned(), "503".to_owned());
    fixture.settle_notice(waiting, NoticeChange::Later { due_at: at(900), tries: 4, reason, message }).await;

    assert_eq!(retry(done).await, NoticeRetry::EventMade);
    for notice in [ignored, given_up, waiting] {
        assert_eq!(retry(notice).await, NoticeRetry::Due);
    }
    assert_eq!(retry(empty).await, NoticeRetry::Unknown);
    assert_eq!(retry(NoticeId(4711)).await, NoticeRetry::Unknown);
    assert!(fixture.due_notices(49, 10).await.is_empty());
    let due = fixture.due_notices(50, 10).await;
    assert_eq!(due.iter().map(|notice| notice.id).collect::<Vec<_>>(), [ignored, given_up, waiting]);
    assert!(due.iter().all(|notice| (notice.tries, notice.received_at) == (0, at(0))));
    assert!(due.iter().all(|notice| notice.waiting_since == at(50)), "its time begins anew");
    assert_eq!(fixture.notices(NoticeFilter::default()).await[0].reason, None);
}

pub(crate) async fn a_pending_notice_stands_for_what_says_the_same(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let first = fixture.keep(notice("acuity", "1"), 0).await;
    let later = |due_at| NoticeChange::Later {
        due_at: at(due_at),
        tries: 2,
        reason: "unavailable".to_owned(),
        message: "503".to_owned(),
    };
    fixture.settle_notice(first, later(900)).await;
    fixture.store.keep_notices(&[notice("acuity", "1"), notice("acuity", "1")], &[], at(30)).await.unwrap();
    let [due] = &fixture.due_notices(30, 10).await[..] else { panic!("one stands for all") };
    assert_eq!((due.id, due.received_at, due.waiting_since, due.tries), (first, at(0), at(30), 2));

    let changed = NewNotice { action: "changed".to_owned(), ..notice("acuity", "1") };
    for other in [changed, notice("another", "1"), notice("acuity", "2")] {
        let before = fixture.notices(NoticeFilter::default()).await.len();
        fixture.keep(other, 31).await;
        assert_eq!(fixture.notices(NoticeFilter::default()).await.len(), before + 1);
    }
    // What is being fetched may not show what the new notice is about.
    let again = [notice("acuity", "1"), notice("acuity", "1")];
    fixture.store.keep_notices(&again, &[first], at(32)).await.unwrap();
    let second = fixture.notices(NoticeFilter::default()).await[0].id;
    let told: Vec<_> = fixture.due_notices(40, 10).await.iter().map(|notice| notice.id).collect();
    assert_eq!((told.len(), told[0], told[3]), (4, first, second));
    fixture.settle_notice(first, NoticeChange::Done).await;
    fixture.settle_notice(second, failed()).await;
    let third = fixture.keep(notice("acuity", "1"), 41).await;
    assert!(third > second, "what is done stands for nothing");
    for _ in 0..2 {
        fixture.keep(nothing_in_it(), 42).await;
    }
    let ignored = NoticeFilter { status: Some(NoticeStatus::Ignored), ..NoticeFilter::default() };
    assert_eq!(fixture.notices(ignored).await.len(), 2, "they may be of different orders");
}

pub(crate) async fn notices_are_listed_and_counted(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let mut kept = Vec::new();
    for (source, appointment) in [("acuity", "1"), ("acuity", "2"), ("another", "1"), ("acuity", "1")] {
        let notice = NewNotice { action: format!("act {}", kept.len()), ..notice(source, appointment) };
        kept.push(fixture.keep(notice, 0).await);
    }
    fixture.keep(nothing_in_it(), 0).await;
    fixture.settle_notice(kept[1], failed()).await;
    fixture.settle_notice(kept[3], NoticeChange::Done).await;

    let list = async |filter| {
        let notices = fixture.notices(filter).await;
        notices.into_iter().map(|notice| notice.id).collect::<Vec<_>>()
    };
    let all = NoticeFilter::default;
    assert_eq!(list(all()).await.len(), 5);
    assert!(list(all()).await.is_sorted_by(|a, b| a > b));
    assert_eq!(list(NoticeFilter { status: Some(NoticeStatus::Failed), ..all() }).await, [kept[1]]);
    assert_eq!(list(NoticeFilter { source: Some("another".to_owned()), ..all() }).await, [kept[2]]);
    let of_one = NoticeFilter { appointment: Some("1".to_owned()), ..all() };
    assert_eq!(list(of_one.clone()).await, [kept[3], kept[2], kept[0]]);
    assert_eq!(
        list(NoticeFilter { status: Some(NoticeStatus::Pending), ..of_one }).await,
        [kept[2], kept[0]]
    );

    let mut seen = Vec::new();
    let mut filter = NoticeFilter { limit: 2, ..all() };
    loop {
        let (notices, next) = fixture.store.notices(&filter).await.unwrap();
        seen.extend(notices.iter().map(|notice| notice.id));
        let Some(next) = next else { break };
        assert_eq!(notices.len(), 2);
        filter.after = Some(next);
    }
    assert_eq!(seen, list(all()).await);

    let counts = fixture.store.notice_counts("acuity").await.unwrap();
    assert_eq!(counts, NoticeCounts { pending: 1, done: 1, ignored: 1, failed: 1 });
    assert_eq!(fixture.store.notice_counts("nowhere").await.unwrap(), NoticeCounts::default());
}
