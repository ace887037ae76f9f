//! Deliveries that an external queue drives.

use std::sync::Arc;

use conversion_core::Timestamp;
use conversion_store::{
    Admission, Change, DeliveryId, Driver, Lease, NewDelivery, Origin, Publication, QueueItem, RetryOutcome,
    RunId, SettleOutcome, Status, Taken, Ticket, Uncertainty,
};
use tokio::task::JoinSet;

use super::Backend;
use super::fixture::{Fixture, admission, at, change, lease, parked};

impl Fixture {
    /// Accepts one event for TikTok that the queue drives, due now, and returns its delivery.
    async fn queued(&self, id: &str) -> DeliveryId {
        self.queued_at(id, 0, Origin::Live).await
    }

    async fn queued_at(&self, id: &str, seconds: i64, origin: Origin) -> DeliveryId {
        let due_at = at(seconds);
        let new = NewDelivery { sink: self.tiktok, due_at, leased_to: None, driver: Driver::Queue };
        let event = self.accept(Admission { deliveries: vec![new], origin, ..admission(id, &[]) }).await;
        DeliveryId { event, sink: self.tiktok }
    }

    async fn queue_due(&self, seconds: i64) -> Vec<QueueItem> {
        self.store.queue_due(self.tiktok, at(seconds), 100).await.unwrap()
    }

    async fn next_queue_due(&self) -> Option<Timestamp> {
        self.store.next_queue_due(self.tiktok).await.unwrap()
    }

    async fn publish(&self, item: QueueItem, check_at: i64) {
        self.store.published(&[Publication { item, check_at: at(check_at) }]).await.unwrap();
    }

    async fn take(&self, id: DeliveryId, seconds: i64) -> Taken {
        self.take_by(unnumbered(id), seconds).await
    }

    async fn take_by(&self, ticket: Ticket, seconds: i64) -> Taken {
        self.store.take(ticket, self.run, at(seconds)).await.unwrap()
    }

    async fn taken(&self, id: DeliveryId, seconds: i64) -> Lease {
        self.taken_by(unnumbered(id), seconds).await
    }

    async fn taken_by(&self, ticket: Ticket, seconds: i64) -> Lease {
        match self.take_by(ticket, seconds).await {
            Taken::Leased(lease) => lease,
            other => panic!("not leased: {other:?}"),
        }
    }

    async fn leave(&self, ticket: Ticket, check_at: i64) {
        self.store.leave_to_queue(ticket, at(check_at)).await.unwrap();
    }

    async fn give_up(&self, id: DeliveryId) -> bool {
        self.give_up_by(unnumbered(id)).await
    }

    async fn give_up_by(&self, ticket: Ticket) -> bool {
        self.store.give_up(ticket, "queue_gave_up", "The queue has given up", at(70)).await.unwrap()
    }
}

/// Speaks of the delivery as it is.
fn unnumbered(delivery: DeliveryId) -> Ticket {
    Ticket { delivery, publication: None }
}

pub(crate) async fn no_delivery_is_driven_by_both(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let builtin = fixture.delivery("builtin").await;
    assert!(fixture.queue_due(900).await.is_empty());
    assert_eq!(fixture.next_queue_due().await, None);
    assert!(matches!(fixture.take(builtin, 0).await, Taken::NotQueued));
    fixture.leave(unnumbered(builtin), 900).await;
    assert!(!fixture.give_up(builtin).await);
    let as_if = QueueItem { id: builtin, publications: 0, due_at: at(0) };
    fixture.publish(as_if, 900).await;
    assert_eq!(fixture.lease(0, 10).await[0].id, builtin);

    let queued = fixture.queued("queued").await;
    assert!(fixture.lease(900, 10).await.is_empty());
    assert_eq!(fixture.store.next_due(fixture.tiktok).await.unwrap(), None);
    assert_eq!(fixture.read(queued).await.driver, Driver::Queue);
    assert_eq!(fixture.read(builtin).await.driver, Driver::Builtin);
    // Nor where its run was lost.
    fixture.taken(queued, 0).await;
    fixture.store.start_run(at(10), at(20)).await.unwrap();
    let other = RunId(fixture.run.0 + 9);
    let leases = lease(&*fixture.store, other, fixture.tiktok, 900, 10).await;
    assert_eq!(leases.iter().map(|lease| lease.id).collect::<Vec<_>>(), [builtin]);
}

pub(crate) async fn what_the_queue_is_to_have_is_told_the_longest_due_first(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let second = fixture.queued_at("second", 5, Origin::Live).await;
    let first = fixture.queued_at("first", 2, Origin::Live).await;
    fixture.queued_at("later", 11, Origin::Live).await;
    assert_eq!(fixture.next_queue_due().await, Some(at(2)));
    let item = |id, seconds| QueueItem { id, publications: 0, due_at: at(seconds) };
    assert_eq!(fixture.queue_due(10).await, [item(first, 2), item(second, 5)]);
    assert_eq!(fixture.queue_due(10).await.len(), 2, "nothing is leased");
    let one = fixture.store.queue_due(fixture.tiktok, at(10), 1).await.unwrap();
    assert_eq!(one, [item(first, 2)]);
    assert!(fixture.store.queue_due(fixture.google, at(10), 10).await.unwrap().is_empty());
}

pub(crate) async fn of_many_calls_at_once_one_has_the_lease(backend: &impl Backend) {
    let fixture = Arc::new(Fixture::new(backend).await);
    for round in 0..10 {
        let id = fixture.queued(&format!("q{round}")).await;
        let mut calls = JoinSet::new();
        for _ in 0..8 {
            let fixture = Arc::clone(&fixture);
            calls.spawn(async move { fixture.take(id, 0).await });
        }
        let (leased, refused): (Vec<_>, Vec<_>) =
            calls.join_all().await.into_iter().partition(|taken| matches!(taken, Taken::Leased(_)));
        assert_eq!((leased.len(), refused.len()), (1, 7));
        assert!(refused.iter().all(|taken| matches!(taken, Taken::UnderWay)), "{refused:?}");
    }
}

pub(crate) async fn publishing_twice_does_no_harm(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let id = fixture.queued("a").await;
    let item = fixture.queue_due(0).await.remove(0);
    fixture.publish(item, 100).await;
    fixture.publish(item, 200).await;
    assert_eq!(fixture.next_queue_due().await, Some(at(100)));
    assert!(fixture.queue_due(99).await.is_empty());
    let again = QueueItem { id, publications: 1, due_at: at(100) };
    assert_eq!(fixture.queue_due(100).await, [again], "the queue has lost it");
    fixture.publish(again, 300).await;
    assert_eq!(fixture.queue_due(300).await[0].publications, 2);
}

pub(crate) async fn publishing_puts_off_only_what_stands_as_it_was_read(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let id = fixture.queued("a").await;
    let item = fixture.queue_due(0).await.remove(0);
    // The queue is quicker than our own note of it.
    let lease = fixture.taken(id, 1).await;
    fixture.publish(item, 900).await;
    assert!(matches!(fixture.take(id, 1).await, Taken::UnderWay));
    fixture.settle(&lease, Change { due_at: Some(at(50)), ..change(Status::Pending) }, 2).await;
    let waiting = QueueItem { id, publications: 1, due_at: at(50) };
    assert_eq!(fixture.queue_due(50).await, [waiting], "handed over once, and due when the result says");

    let lease = fixture.taken(id, 50).await;
    fixture.settle(&lease, Change { due_at: Some(at(60)), ..change(Status::Pending) }, 51).await;
    fixture.publish(waiting, 900).await;
    assert_eq!(fixture.queue_due(60).await, [QueueItem { id, publications: 2, due_at: at(60) }]);

    let item = fixture.queue_due(60).await.remove(0);
    let lease = fixture.taken(id, 61).await;
    fixture.settle(&lease, change(Status::Delivered), 62).await;
    fixture.publish(item, 900).await;
    assert_eq!(fixture.next_queue_due().await, None);
    assert_eq!(fixture.read(id).await.status, Status::Delivered);
    fixture.assert_balanced().await;
}

pub(crate) async fn a_taken_delivery_is_leased_and_settled_as_any_other(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let id = fixture.queued_at("a", 500, Origin::Live).await;
    let lease = fixture.taken(id, 3).await;
    assert_eq!((lease.id, lease.fence, lease.tries, &lease.uncertain), (id, 1, 0, &None));
    assert_eq!((lease.waiting_since, &*lease.event), (at(0), &*admission("a", &[]).json));
    assert!(matches!(fixture.take(id, 4).await, Taken::UnderWay));
    assert!(fixture.queue_due(900).await.is_empty());
    assert_eq!(fixture.next_queue_due().await, None);

    let uncertain = Some(Uncertainty { since: at(3), dedup_key: Some("key".to_owned()) });
    let again = Change { tries: 1, uncertain: uncertain.clone(), ..change(Status::Pending) };
    assert_eq!(fixture.settle(&lease, again, 5).await, SettleOutcome::Applied);
    let second = fixture.taken(id, 6).await;
    assert_eq!((second.fence, second.tries, &second.uncertain), (2, 1, &uncertain));
    assert_eq!(fixture.settle(&lease, change(Status::Failed), 7).await, SettleOutcome::Stale);
    assert_eq!(fixture.settle(&second, change(Status::Delivered), 8).await, SettleOutcome::Applied);
    assert!(matches!(fixture.take(id, 9).await, Taken::Settled(Status::Delivered)));
    let nowhere = DeliveryId { event: 4711, ..id };
    assert!(matches!(fixture.take(nowhere, 9).await, Taken::Unknown));
    assert_eq!(fixture.store.audit().await.unwrap().sinks["tiktok"].delivered, 1);
    fixture.assert_balanced().await;
}

pub(crate) async fn a_lost_run_leaves_its_deliveries_to_the_queue(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let id = fixture.queued("a").await;
    fixture.taken(id, 3).await;
    let run = fixture.store.start_run(at(20), at(30)).await.unwrap();
    assert_eq!(fixture.queue_due(20).await, [QueueItem { id, publications: 0, due_at: at(20) }]);
    let uncertain = Some(Uncertainty { since: at(3), dedup_key: None });
    let take = async |run, seconds| fixture.store.take(unnumbered(id), run, at(seconds)).await.unwrap();
    let Taken::Leased(lease) = take(run, 21).await else { panic!("it is free") };
    assert_eq!((lease.uncertain, lease.fence), (uncertain.clone(), 2));

    // Lapsed at 30, with time left until 81.
    let other = RunId(run.0 + 1);
    assert!(matches!(take(other, 80).await, Taken::UnderWay));
    assert!(matches!(take(run, 81).await, Taken::UnderWay), "it has it in memory still");
    let Taken::Leased(lease) = take(other, 81).await else { panic!("its run has lapsed") };
    assert_eq!((lease.uncertain, lease.fence), (uncertain, 3));
}

pub(crate) async fn what_is_left_to_the_queue_is_checked_later(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let id = fixture.queued("a").await;
    fixture.leave(unnumbered(id), 90).await;
    assert_eq!(fixture.next_queue_due().await, Some(at(90)));
    let lease = fixture.taken(id, 1).await;
    fixture.leave(unnumbered(id), 500).await;
    assert_eq!(
        fixture.settle(&lease, Change { due_at: Some(at(95)), ..parked() }, 2).await,
        SettleOutcome::Applied
    );
    assert_eq!(fixture.next_queue_due().await, Some(at(95)));
    fixture.leave(unnumbered(DeliveryId { event: 4711, ..id }), 1).await;
}

pub(crate) async fn what_the_queue_gives_up_has_failed(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let id = fixture.queued("a").await;
    let lease = fixture.taken(id, 1).await;
    assert!(!fixture.give_up(id).await, "it is being worked on");
    fixture.settle(&lease, Change { tries: 4, ..change(Status::Pending) }, 2).await;
    assert!(fixture.give_up(id).await);
    assert!(!fixture.give_up(id).await);
    let record = fixture.read(id).await;
    assert_eq!((record.status, record.settled_at), (Status::Failed, Some(at(70))));
    assert_eq!(record.reason.as_deref(), Some("queue_gave_up"));
    assert_eq!(record.message.as_deref(), Some("The queue has given up"));
    let test = fixture.queued_at("test", 0, Origin::Test).await;
    assert!(fixture.give_up(test).await);
    let account = fixture.store.audit().await.unwrap().sinks["tiktok"];
    assert_eq!((account.failed, account.pending), (1, 0));
    fixture.assert_balanced().await;
}

pub(crate) async fn a_retry_fixes_the_driver_anew(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let retry = async |id, driver, seconds| {
        let outcome = fixture.store.retry(id, driver, at(seconds)).await.unwrap();
        assert_eq!(outcome, RetryOutcome::Due);
    };
    let id = fixture.settled("a", change(Status::Failed)).await;
    retry(id, Driver::Queue, 50).await;
    assert!(fixture.lease(50, 10).await.is_empty());
    assert_eq!(fixture.queue_due(50).await, [QueueItem { id, publications: 1, due_at: at(50) }]);
    fixture.publish(fixture.queue_due(50).await[0], 900).await;
    retry(id, Driver::Queue, 60).await;
    let again = QueueItem { id, publications: 3, due_at: at(60) };
    assert_eq!(fixture.queue_due(60).await, [again], "told apart from the first");
    retry(id, Driver::Builtin, 70).await;
    assert!(matches!(fixture.take(id, 70).await, Taken::NotQueued));
    assert_eq!(fixture.lease(70, 10).await[0].id, id);
    fixture.assert_balanced().await;
}

pub(crate) async fn what_was_handed_over_before_a_retry_no_longer_speaks(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    // Whether the handing over could be written before its call came, or at all.
    for (event, is_written) in [("written", true), ("not written", false)] {
        let id = fixture.queued(event).await;
        let item = fixture.queue_due(0).await.remove(0);
        let old = item.ticket();
        assert_eq!(old, Ticket { delivery: id, publication: Some(1) });
        if is_written {
            fixture.publish(item, 900).await;
        }
        let lease = fixture.taken_by(old, 1).await;
        fixture.settle(&lease, change(Status::Failed), 2).await;
        assert_eq!(fixture.store.retry(id, Driver::Queue, at(60)).await.unwrap(), RetryOutcome::Due);

        assert!(!fixture.give_up_by(old).await, "{event}: what failed before is over");
        fixture.leave(old, 900).await;
        assert!(matches!(fixture.take_by(old, 61).await, Taken::Superseded), "{event}");
        let again = fixture.queue_due(60).await;
        assert_eq!(again, [QueueItem { id, publications: 2, due_at: at(60) }], "{event}: it is as it was");

        fixture.publish(again[0], 900).await;
        assert!(!fixture.give_up_by(old).await, "{event}");
        let new = again[0].ticket();
        let lease = fixture.taken_by(new, 62).await;
        fixture.settle(&lease, change(Status::Pending), 63).await;
        assert!(fixture.give_up_by(new).await, "{event}: the queue may give up what it was handed since");
    }
    fixture.assert_balanced().await;
}

pub(crate) async fn of_two_tickets_the_later_speaks(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    fixture.queued("a").await;
    let first = fixture.queue_due(0).await.remove(0);
    fixture.publish(first, 100).await;
    let second = fixture.queue_due(100).await.remove(0);
    fixture.publish(second, 200).await;
    fixture.leave(first.ticket(), 900).await;
    assert_eq!(fixture.next_queue_due().await, Some(at(200)));
    assert!(!fixture.give_up_by(first.ticket()).await);
    assert!(matches!(fixture.take_by(first.ticket(), 101).await, Taken::Superseded));
    let lease = fixture.taken_by(second.ticket(), 101).await;
    fixture.settle(&lease, change(Status::Pending), 102).await;
    fixture.leave(second.ticket(), 300).await;
    assert_eq!(fixture.next_queue_due().await, Some(at(300)));

    // The third was handed over, though that could not be written. A retry after it failed is not its trouble either.
    let third = fixture.queue_due(300).await.remove(0);
    assert!(fixture.give_up_by(third.ticket()).await);
    fixture.store.retry(third.id, Driver::Queue, at(400)).await.unwrap();
    assert!(!fixture.give_up_by(third.ticket()).await);
    fixture.assert_balanced().await;
}

pub(crate) async fn resuming_releases_what_the_queue_drives_too(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let builtin = fixture.settled("builtin", parked()).await;
    let id = fixture.queued("queued").await;
    let lease = fixture.taken(id, 1).await;
    fixture.settle(&lease, parked(), 2).await;
    assert!(fixture.queue_due(100).await.is_empty());
    fixture.store.resume(fixture.tiktok, None, at(100)).await.unwrap();
    assert_eq!(fixture.queue_due(100).await, [QueueItem { id, publications: 0, due_at: at(100) }]);
    assert_eq!(fixture.lease(100, 10).await[0].id, builtin);
}

pub(crate) async fn a_store_is_told_from_every_other(backend: &impl Backend) {
    let own = backend.open().installation().await.unwrap();
    assert_eq!(own.len(), 16);
    assert_eq!(backend.open().installation().await.unwrap(), own, "and stays the same");
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("other.db").display().to_string();
    let other =
        conversion_store::open(&format!("sqlite://{path}"), conversion_store::Access::ReadWrite).unwrap();
    assert_ne!(other.installation().await.unwrap(), own);
}
