//! Many deliveries that are sent after all.

use std::num::NonZeroU32;

use conversion_core::Timestamp;
use conversion_store::{
    Admission, Candidate, Change, DeliveryId, Driver, ItemSettlement, Origin, ReplayItem, ReplaySelection,
    SettleOutcome, Span, Status, Store, Uncertainty,
};

use super::Backend;
use super::fixture::{Fixture, admission, at, change, item, lease, parked, settlement};

/// Everything that a selection finds, part by part.
async fn found(store: &dyn Store, selection: &ReplaySelection) -> Vec<Candidate> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let part = store.replayable(selection, after).await.unwrap();
        found.extend(part.items);
        match part.next {
            None => return found,
            next => after = next,
        }
    }
}

async fn replay(store: &dyn Store, items: &[ReplayItem], rate: u32, seconds: i64) -> Vec<Option<Timestamp>> {
    store.replay(items, Driver::Builtin, NonZeroU32::new(rate).unwrap(), at(seconds)).await.unwrap()
}

fn items(candidates: &[Candidate]) -> Vec<ReplayItem> {
    candidates.iter().map(Candidate::item).collect()
}

fn given_up(reason: &str) -> Change {
    Change { reason: Some(reason.to_owned()), ..change(Status::Failed) }
}

/// Accepts so many events for TikTok and fails all of their deliveries.
async fn failed(fixture: &Fixture, count: usize) -> Vec<DeliveryId> {
    let admissions: Vec<_> = (0..count).map(|n| admission(&format!("e{n}"), &[fixture.tiktok])).collect();
    fixture.store.accept(&admissions, at(0)).await.unwrap();
    let leases = fixture.lease(0, count).await;
    assert_eq!(leases.len(), count);
    let fail =
        |lease| ItemSettlement { attempts: Vec::new(), change: Some(given_up("rejected")), ..item(lease, 0) };
    let settled = settlement(Vec::new(), leases.iter().map(fail).collect());
    fixture.store.settle(&[settled], at(1)).await.unwrap();
    leases.iter().map(|lease| lease.id).collect()
}

pub(crate) async fn each_selector_selects(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let store = &*fixture.store;
    let no_identifiers = Change { reason: Some("no_identifiers".to_owned()), ..change(Status::Skipped) };
    let skipped = fixture.settled("skipped", no_identifiers).await;
    let failed = fixture.settled("failed", given_up("rejected")).await;
    fixture.settled("delivered", change(Status::Delivered)).await;
    fixture.settled("waiting", parked()).await;
    let named = Admission { name: "ORDER_PAID".into(), ..admission("late", &[fixture.google]) };
    store.accept(&[named], at(600)).await.unwrap();
    let test = Admission { origin: Origin::Test, ..admission("test", &[fixture.google]) };
    fixture.accept(test).await;
    let leases = lease(store, fixture.run, fixture.google, 600, 10).await;
    assert_eq!(leases.len(), 2, "the late one and the test");
    for lease in &leases {
        fixture.settle(lease, given_up("event_too_old"), 700).await;
    }
    let late = *leases.iter().map(|lease| &lease.id).min().unwrap();

    let all = ReplaySelection::default;
    let since = |seconds| Span { since: Some(at(seconds)), until: None };
    let until = |seconds| Span { since: None, until: Some(at(seconds)) };
    for (selection, expected) in [
        (all(), vec![skipped, failed, late]),
        (ReplaySelection { status: Some(Status::Failed), ..all() }, vec![failed, late]),
        (ReplaySelection { status: Some(Status::Skipped), ..all() }, vec![skipped]),
        (ReplaySelection { status: Some(Status::Delivered), ..all() }, vec![]),
        (ReplaySelection { status: Some(Status::Pending), ..all() }, vec![]),
        (ReplaySelection { sink: Some(fixture.google), ..all() }, vec![late]),
        (ReplaySelection { reason: Some("rejected".to_owned()), ..all() }, vec![failed]),
        (ReplaySelection { event_name: Some("TRIAL_BOOKED".to_owned()), ..all() }, vec![skipped, failed]),
        (ReplaySelection { event_id: Some("late".to_owned()), ..all() }, vec![late]),
        (ReplaySelection { event_id: Some("test".to_owned()), ..all() }, vec![]),
        (ReplaySelection { accepted: since(600), ..all() }, vec![late]),
        (ReplaySelection { accepted: since(601), ..all() }, vec![]),
        (ReplaySelection { accepted: until(600), ..all() }, vec![skipped, failed]),
        (ReplaySelection { accepted: until(601), ..all() }, vec![skipped, failed, late]),
        (ReplaySelection { settled: since(2), ..all() }, vec![late]),
        (ReplaySelection { settled: until(700), ..all() }, vec![skipped, failed]),
        (ReplaySelection { sink: Some(fixture.tiktok), settled: until(1), ..all() }, vec![]),
    ] {
        let ids: Vec<_> = found(store, &selection).await.iter().map(|found| found.id).collect();
        assert_eq!(ids, expected, "{selection:?}");
    }
    let first = &found(store, &all()).await[0];
    let told = (first.sink.as_str(), first.status, first.reason.as_deref());
    assert_eq!(told, ("tiktok", Status::Skipped, Some("no_identifiers")));
    assert!(first.event.as_ref().unwrap().contains(r#""eventId":"skipped""#));
}

pub(crate) async fn a_walk_finds_each_once_in_the_order_of_acceptance(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let failed = failed(&fixture, 600).await;
    let first = fixture.store.replayable(&ReplaySelection::default(), None).await.unwrap();
    assert!(first.items.len() < 600 && first.next.is_some(), "a part is bounded");
    let found = found(&*fixture.store, &ReplaySelection::default()).await;
    assert!(found.iter().map(|found| found.id).eq(failed));

    // What is replayed on the way is behind the walk.
    let (mut after, mut replayed) = (None, 0);
    loop {
        let part = fixture.store.replayable(&ReplaySelection::default(), after).await.unwrap();
        replayed += replay(&*fixture.store, &items(&part.items), 1000, 2).await.iter().flatten().count();
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(replayed, 600);
    fixture.assert_balanced().await;
}

pub(crate) async fn what_has_changed_since_it_was_read_is_left(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let store = &*fixture.store;
    let ids = failed(&fixture, 4).await;
    let read = items(&found(store, &ReplaySelection::default()).await);
    // The first is retried, the second retried and failed again, the third retried and delivered.
    for id in &ids[..3] {
        store.retry(*id, Driver::Builtin, at(2)).await.unwrap();
    }
    let leases = fixture.lease(2, 10).await;
    fixture.settle(&leases[1], given_up("rejected"), 3).await;
    fixture.settle(&leases[2], change(Status::Delivered), 3).await;

    let answers = replay(store, &read, 10, 4).await;
    assert_eq!(answers, [None, None, None, Some(at(4))]);
    let statuses = [Status::Pending, Status::Failed, Status::Delivered, Status::Pending];
    for (id, status) in ids.iter().zip(statuses) {
        assert_eq!(fixture.read(*id).await.status, status);
    }
    assert_eq!(replay(store, &read, 10, 5).await, [None; 4], "asked twice");
    let unknown = ReplayItem { id: DeliveryId { event: 4711, sink: fixture.tiktok }, fence: 1 };
    assert_eq!(replay(store, &[unknown], 10, 5).await, [None]);
    let account = store.audit().await.unwrap().sinks["tiktok"];
    assert_eq!((account.pending, account.failed, account.delivered), (2, 1, 1));
    fixture.assert_balanced().await;
}

pub(crate) async fn both_lives_of_a_replayed_delivery_are_kept(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let store = &*fixture.store;
    let first = fixture.leased("a").await;
    let uncertain = Some(Uncertainty { since: at(1), dedup_key: Some("key".to_owned()) });
    let failed = Change { tries: 4, uncertain: uncertain.clone(), ..given_up("retry_period_over") };
    fixture.settle(&first, failed, 2).await;
    let found = found(store, &ReplaySelection::default()).await;
    assert_eq!(found[0].uncertain, uncertain);
    assert_eq!(replay(store, &items(&found), 1, 50).await, [Some(at(50))]);

    let record = fixture.read(first.id).await;
    assert_eq!((record.status, record.reason, record.settled_at), (Status::Pending, None, None));
    assert_eq!(fixture.settle(&first, change(Status::Failed), 51).await, SettleOutcome::Stale);
    let second = fixture.lease(51, 1).await.remove(0);
    assert_eq!((second.tries, &second.uncertain), (0, &uncertain));
    assert_eq!(second.waiting_since, at(50), "patience begins anew");
    fixture.settle(&second, change(Status::Delivered), 52).await;
    let attempts = store.delivery(first.id).await.unwrap().unwrap().attempts;
    assert_eq!(attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2, 3]);
    fixture.assert_balanced().await;
}

/// How many are due at each second.
fn by_second(due: &[Option<Timestamp>]) -> Vec<(i64, usize)> {
    let mut counts: Vec<(i64, usize)> = Vec::new();
    for due in due {
        let second = due.unwrap().as_second() - at(0).as_second();
        match counts.last_mut() {
            Some((last, count)) if *last == second => *count += 1,
            _ => counts.push((second, 1)),
        }
    }
    counts
}

pub(crate) async fn so_many_are_due_in_each_second_and_no_more(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let store = &*fixture.store;
    failed(&fixture, 10).await;
    let read = items(&found(store, &ReplaySelection::default()).await);
    let now = Timestamp::from_millisecond(at(100).as_millisecond() + 700).unwrap();
    let due = store.replay(&read[..7], Driver::Builtin, NonZeroU32::new(3).unwrap(), now).await.unwrap();
    // None is due before now: the rest of this second takes its share, and each whole one three.
    assert_eq!(due[0], Some(now));
    assert_eq!(by_second(&due), [(100, 1), (101, 3), (102, 3)]);
    assert_eq!(fixture.lease(101, 10).await.len(), 4);
    assert_eq!(fixture.lease(101, 10).await.len(), 0);
    assert_eq!(fixture.lease(102, 10).await.len(), 3);

    // Slower than one a second.
    let due = replay(store, &read[7..], 1, 1000).await;
    assert_eq!(by_second(&due), [(1000, 1), (1001, 1), (1002, 1)]);
}

pub(crate) async fn a_replay_is_due_behind_the_one_before(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    failed(&fixture, 10).await;
    let elsewhere = fixture.accept(admission("google", &[fixture.google])).await;
    let leases = lease(&*fixture.store, fixture.run, fixture.google, 0, 1).await;
    fixture.settle(&leases[0], given_up("rejected"), 1).await;
    let read = items(&found(&*fixture.store, &ReplaySelection::default()).await);
    assert_eq!(by_second(&replay(&*fixture.store, &read[..4], 2, 10).await), [(10, 2), (11, 2)]);
    drop(fixture);

    // Also by another process, at another rate; other sinks have a schedule of their own.
    let store = backend.open();
    let due = replay(&*store, &read[4..], 4, 11).await;
    assert_eq!(read[10].id.event, elsewhere);
    assert_eq!(by_second(&due[..6]), [(12, 4), (13, 2)]);
    assert_eq!(due[6], Some(at(11)));
    let until: Vec<_> = store.sinks().await.unwrap().iter().map(|sink| sink.replayed_until).collect();
    let half_past = Timestamp::from_millisecond(at(13).as_millisecond() + 500).unwrap();
    let a_quarter_past = Timestamp::from_millisecond(at(11).as_millisecond() + 250).unwrap();
    assert_eq!(until, [Some(half_past), Some(a_quarter_past)]);
}

pub(crate) async fn a_replay_fixes_the_driver_anew(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let store = &*fixture.store;
    let ids = failed(&fixture, 3).await;
    let read = items(&found(store, &ReplaySelection::default()).await);
    store.replay(&read, Driver::Queue, NonZeroU32::new(2).unwrap(), at(10)).await.unwrap();
    assert!(fixture.lease(100, 10).await.is_empty());
    let due = store.queue_due(fixture.tiktok, at(10), 10).await.unwrap();
    assert_eq!(due.iter().map(|item| item.id).collect::<Vec<_>>(), ids[..2]);
    assert_eq!(store.next_queue_due(fixture.tiktok).await.unwrap(), Some(at(10)));
    assert_eq!(store.queue_due(fixture.tiktok, at(11), 10).await.unwrap().len(), 3);
    assert!(due.iter().all(|item| item.publications == 1), "earlier messages are void");
}
