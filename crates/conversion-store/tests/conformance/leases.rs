//! Who works on what until when.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use conversion_store::{
    Admission, Driver, Hold, Lease, NewDelivery, RunId, SettleOutcome, Status, Uncertainty,
};
use tokio::task::JoinSet;

use super::Backend;
use super::fixture::{Fixture, admission, at, change, lease, parked, registration};

fn due(fixture: &Fixture, id: &str, seconds: i64) -> Admission {
    let new =
        NewDelivery { sink: fixture.tiktok, due_at: at(seconds), leased_to: None, driver: Driver::Builtin };
    Admission { deliveries: vec![new], ..admission(id, &[]) }
}

pub(crate) async fn what_is_due_first_is_leased_first_and_nothing_early(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let second = fixture.accept(due(&fixture, "second", 5)).await;
    let first = fixture.accept(due(&fixture, "first", 2)).await;
    fixture.accept(due(&fixture, "later", 11)).await;
    fixture.accept(admission("elsewhere", &[fixture.google])).await;

    let leases = fixture.lease(10, 10).await;
    assert_eq!(leases.iter().map(|lease| lease.id.event).collect::<Vec<_>>(), [first, second]);
    assert!(fixture.lease(10, 10).await.is_empty());
    assert_eq!(fixture.lease(11, 10).await.len(), 1);
}

pub(crate) async fn leases_are_disjoint_under_concurrency(backend: &impl Backend) {
    let fixture = Arc::new(Fixture::new(backend).await);
    let admissions: Vec<_> = (0..200).map(|n| admission(&n.to_string(), &[fixture.tiktok])).collect();
    fixture.store.accept(&admissions, at(0)).await.unwrap();
    let mut workers = JoinSet::new();
    for _ in 0..8 {
        let fixture = Arc::clone(&fixture);
        workers.spawn(async move {
            let mut taken = Vec::new();
            for _ in 0..10 {
                taken.extend(fixture.lease(0, 5).await);
            }
            taken
        });
    }
    let taken: Vec<Lease> = workers.join_all().await.into_iter().flatten().collect();
    let distinct: BTreeSet<_> = taken.iter().map(|lease| lease.id).collect();
    assert_eq!((taken.len(), distinct.len()), (200, 200));
}

pub(crate) async fn what_comes_and_goes_meanwhile_is_leased_once(backend: &impl Backend) {
    const EVENTS: usize = 120;
    let fixture = Arc::new(Fixture::new(backend).await);
    let mut tasks = JoinSet::new();
    for caller in 0..4 {
        let fixture = Arc::clone(&fixture);
        tasks.spawn(async move {
            for n in 0..EVENTS / 4 {
                fixture.delivery(&format!("{caller}-{n}")).await;
            }
            Vec::new()
        });
    }
    let settled = Arc::new(AtomicUsize::new(0));
    for _ in 0..4 {
        let (fixture, settled) = (Arc::clone(&fixture), Arc::clone(&settled));
        tasks.spawn(async move {
            let mut taken = Vec::new();
            while settled.load(Ordering::Relaxed) < EVENTS {
                for lease in fixture.lease(0, 3).await {
                    // Each is handed back once: then it is another lease.
                    let next = if lease.fence == 1 { Status::Pending } else { Status::Delivered };
                    assert_eq!(fixture.settle(&lease, change(next), 0).await, SettleOutcome::Applied);
                    settled.fetch_add(usize::from(next == Status::Delivered), Ordering::Relaxed);
                    taken.push((lease.id, lease.fence));
                }
            }
            taken
        });
    }
    let taken: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let distinct: BTreeSet<_> = taken.iter().collect();
    assert_eq!((taken.len(), distinct.len()), (2 * EVENTS, 2 * EVENTS));
    assert_eq!(fixture.store.audit().await.unwrap().sinks["tiktok"].delivered, EVENTS as u64);
    fixture.assert_balanced().await;
}

pub(crate) async fn a_lease_carries_what_a_worker_needs(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let leased = fixture.leased("a").await;
    let Lease { fence, tries, waiting_since, uncertain, event, .. } = &leased;
    assert_eq!((*fence, *tries, *waiting_since), (1, 0, at(0)));
    assert_eq!(*uncertain, None);
    assert_eq!(**event, *admission("a", &[]).json);

    let due_at = Some(at(50));
    let uncertain = Some(Uncertainty { since: at(1), dedup_key: Some("key".to_owned()) });
    let again = conversion_store::Change { tries: 3, due_at, uncertain, ..change(Status::Pending) };
    fixture.settle(&leased, again.clone(), 2).await;
    assert!(fixture.lease(49, 1).await.is_empty());
    let leases = fixture.lease(50, 1).await;
    assert_eq!((leases[0].fence, leases[0].tries), (2, 3));
    assert_eq!(leases[0].uncertain, again.uncertain);
}

pub(crate) async fn a_lost_runs_leases_are_due_again_and_uncertain(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let new = NewDelivery {
        sink: fixture.tiktok,
        due_at: at(0),
        leased_to: Some(fixture.run),
        driver: Driver::Builtin,
    };
    let from_memory = fixture.accept(Admission { deliveries: vec![new], ..admission("memory", &[]) }).await;
    let leased = {
        fixture.delivery("store").await;
        fixture.lease(3, 10).await.remove(0)
    };
    let keyed = {
        fixture.delivery("keyed").await;
        let first = fixture.lease(4, 10).await.remove(0);
        let uncertain = Some(Uncertainty { since: at(1), dedup_key: Some("key".to_owned()) });
        let again = conversion_store::Change { uncertain, ..change(Status::Pending) };
        fixture.settle(&first, again, 5).await;
        fixture.lease(5, 10).await.remove(0)
    };

    let run = fixture.store.start_run(at(20), at(1000)).await.unwrap();
    let leases = lease(&*fixture.store, run, fixture.tiktok, 20, 10).await;
    let uncertain =
        |event: i64| leases.iter().find(|lease| lease.id.event == event).unwrap().uncertain.clone();
    assert_eq!(leases.len(), 3);
    assert_eq!(uncertain(from_memory), Some(Uncertainty { since: at(0), dedup_key: None }));
    assert_eq!(uncertain(leased.id.event), Some(Uncertainty { since: at(3), dedup_key: None }));
    let key = Some("key".to_owned());
    assert_eq!(uncertain(keyed.id.event), Some(Uncertainty { since: at(1), dedup_key: key }));
    assert!(leases.iter().all(|lease| lease.fence > 1));
}

pub(crate) async fn a_lapsed_runs_leases_are_taken_over(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let run = fixture.store.start_run(at(0), at(30)).await.unwrap();
    fixture.delivery("a").await;
    assert_eq!(lease(&*fixture.store, run, fixture.tiktok, 0, 10).await.len(), 1);
    let other = RunId(run.0 + 1);
    // The lease has time left after the run has lapsed.
    assert!(lease(&*fixture.store, other, fixture.tiktok, 59, 10).await.is_empty());
    // A run that stalled has its own in memory still.
    assert!(lease(&*fixture.store, run, fixture.tiktok, 60, 10).await.is_empty());
    let taken = lease(&*fixture.store, other, fixture.tiktok, 60, 10).await;
    assert_eq!(taken[0].uncertain, Some(Uncertainty { since: at(0), dedup_key: None }));
    assert_eq!(taken[0].fence, 2);
}

pub(crate) async fn a_renewed_run_keeps_its_leases(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let run = fixture.store.start_run(at(0), at(30)).await.unwrap();
    fixture.delivery("a").await;
    assert_eq!(lease(&*fixture.store, run, fixture.tiktok, 0, 10).await.len(), 1);
    fixture.store.heartbeat(run, at(0), at(300)).await.unwrap();
    let other = RunId(run.0 + 1);
    assert!(lease(&*fixture.store, other, fixture.tiktok, 200, 10).await.is_empty());
    assert_eq!(lease(&*fixture.store, other, fixture.tiktok, 300, 10).await.len(), 1);
}

pub(crate) async fn the_next_due_time_is_of_free_deliveries(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    assert_eq!(fixture.store.next_due(fixture.tiktok).await.unwrap(), None);
    let leased = fixture.leased("a").await;
    assert_eq!(fixture.store.next_due(fixture.tiktok).await.unwrap(), None);
    fixture.accept(due(&fixture, "b", 90)).await;
    fixture.accept(due(&fixture, "c", 70)).await;
    assert_eq!(fixture.store.next_due(fixture.tiktok).await.unwrap(), Some(at(70)));
    assert_eq!(fixture.store.next_due(fixture.google).await.unwrap(), None);
    fixture.settle(&leased, conversion_store::Change { due_at: Some(at(40)), ..parked() }, 1).await;
    assert_eq!(fixture.store.next_due(fixture.tiktok).await.unwrap(), Some(at(40)));
}

pub(crate) async fn what_waits_is_put_back_with_the_clock(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let lease = fixture.leased("tried").await;
    let uncertain = Some(Uncertainty { since: at(3500), dedup_key: Some("key".to_owned()) });
    let again = conversion_store::Change { due_at: Some(at(3700)), uncertain, ..change(Status::Pending) };
    fixture.settle(&lease, again, 3550).await;
    let handed_back = fixture.accept(due(&fixture, "handed-back", 3605)).await;
    let hold = Hold {
        event_name: None,
        reason: "unavailable".to_owned(),
        message: "HTTP 503".to_owned(),
        since: at(3590),
        until: Some(at(3620)),
        failures: 1,
    };
    fixture.store.hold(fixture.tiktok, &hold).await.unwrap();
    fixture.store.heartbeat(fixture.run, at(3600), at(3900)).await.unwrap();

    // An hour back, and a minute later.
    let run = fixture.store.start_run(at(60), at(360)).await.unwrap();
    let due = async |seconds| super::fixture::lease(&*fixture.store, run, fixture.tiktok, seconds, 10).await;
    assert!(due(64).await.is_empty());
    let taken = due(65).await;
    assert_eq!(taken.iter().map(|lease| lease.id.event).collect::<Vec<_>>(), [handed_back]);
    assert!(due(159).await.is_empty());
    let taken = due(160).await;
    assert_eq!(taken[0].id, lease.id);
    assert_eq!(taken[0].uncertain.as_ref().map(|uncertain| uncertain.since), Some(at(-40)));
    let sinks = fixture.store.register_sinks(&[registration("tiktok")]).await.unwrap();
    assert_eq!(sinks[0].holds, [Hold { since: at(50), until: Some(at(80)), ..hold }]);

    // Later than the last sign of life, nothing changes.
    fixture.store.start_run(at(61), at(361)).await.unwrap();
    let sinks = fixture.store.register_sinks(&[registration("tiktok")]).await.unwrap();
    assert_eq!(sinks[0].holds[0].until, Some(at(80)));
}
