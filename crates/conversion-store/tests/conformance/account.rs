//! Every event is accounted for.

use conversion_store::{
    Acceptance, Admission, DeliveryId, Driver, Lease, NewDelivery, Origin, SettleOutcome, SinkAccount, Status,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::Backend;
use super::fixture::{Fixture, admission, at, change, lease, parked};

pub(crate) async fn a_store_is_ready(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    fixture.store.ready().await.unwrap();
    fixture.store.ready().await.unwrap();
    fixture.assert_balanced().await;
}

/// One thing that happens to a store.
#[derive(Clone, Debug)]
enum Step {
    Accept { id: u8, test: bool, both: bool, leased: bool },
    Lease { google: bool, limit: usize },
    Settle { which: prop::sample::Index, status: Option<Status>, stale: bool },
    Retry { event: i64, google: bool },
    Restart,
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop::option::of(prop::sample::select(Status::ALL.to_vec()));
    prop_oneof![
        4 => (0u8..20, prop::bool::weighted(0.2), any::<bool>(), any::<bool>())
            .prop_map(|(id, test, both, leased)| Step::Accept { id, test, both, leased }),
        3 => (any::<bool>(), 1usize..4).prop_map(|(google, limit)| Step::Lease { google, limit }),
        4 => (any::<prop::sample::Index>(), status, prop::bool::weighted(0.2))
            .prop_map(|(which, status, stale)| Step::Settle { which, status, stale }),
        2 => (1i64..20, any::<bool>()).prop_map(|(event, google)| Step::Retry { event, google }),
        1 => Just(Step::Restart),
        1 => Just(Step::Wait),
    ]
}

/// A store, and what it was told.
struct World {
    fixture: Fixture,
    leases: Vec<Lease>,
    seconds: i64,
    routed: u64,
}

impl World {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Accept { id, test, both, leased } => self.accept(id, test, both, leased).await,
            Step::Lease { google, limit } => {
                let sink = if google { self.fixture.google } else { self.fixture.tiktok };
                let run = self.fixture.run;
                self.leases.extend(lease(&*self.fixture.store, run, sink, self.seconds, limit).await);
            }
            Step::Settle { which, status, stale } => self.settle(which, status, stale).await,
            Step::Retry { event, google } => {
                let sink = if google { self.fixture.google } else { self.fixture.tiktok };
                self.fixture
                    .store
                    .retry(DeliveryId { event, sink }, Driver::Builtin, at(self.seconds))
                    .await
                    .unwrap();
            }
            Step::Restart => {
                let alive_until = at(self.seconds + 100);
                self.fixture.run = self.fixture.store.start_run(at(self.seconds), alive_until).await.unwrap();
            }
            Step::Wait => self.seconds += 80,
        }
    }

    async fn accept(&mut self, id: u8, test: bool, both: bool, leased: bool) {
        let Fixture { tiktok, google, run, .. } = self.fixture;
        let leased_to = leased.then_some(run);
        let sinks = if both { vec![tiktok, google] } else { vec![tiktok] };
        let new = |sink| NewDelivery { sink, due_at: at(self.seconds), leased_to, driver: Driver::Builtin };
        let deliveries = sinks.into_iter().map(new).collect();
        let origin = if test { Origin::Test } else { Origin::Live };
        let admission = Admission { deliveries, origin, ..admission(&id.to_string(), &[]) };
        let acceptance = self.fixture.store.accept(&[admission], at(self.seconds)).await.unwrap();
        if let (Acceptance::Accepted { .. }, Origin::Live) = (acceptance[0], origin) {
            self.routed += 1 + u64::from(both);
        }
    }

    async fn settle(&mut self, which: prop::sample::Index, status: Option<Status>, stale: bool) {
        if self.leases.is_empty() {
            return;
        }
        let mut lease = self.leases.remove(which.index(self.leases.len()));
        lease.fence += if stale { 1000 } else { 0 };
        let change = status.map_or_else(parked, change);
        let outcome = self.fixture.settle(&lease, change, self.seconds).await;
        assert!(!stale || outcome == SettleOutcome::Stale);
    }

    async fn check(&self) {
        let audit = self.fixture.store.audit().await.unwrap();
        assert!(audit.balanced, "{:?}", audit.differences);
        let sum = |count: fn(&SinkAccount) -> u64| audit.sinks.values().map(count).sum::<u64>();
        assert_eq!(sum(|account| account.routed), self.routed);
    }
}

pub(crate) async fn every_event_is_accounted_for_whatever_happens<B: Backend>(_: &B) {
    let handle = tokio::runtime::Handle::current();
    let steps = prop::collection::vec(step(), 1..60);
    tokio::task::block_in_place(|| {
        let mut runner =
            TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
        let result = runner.run(&steps, |steps| {
            handle.block_on(async {
                let backend = B::default();
                let fixture = Fixture::new(&backend).await;
                let mut world = World { fixture, leases: Vec::new(), seconds: 0, routed: 0 };
                for step in steps {
                    world.take(step).await;
                }
                world.check().await;
            });
            Ok(())
        });
        result.unwrap();
    });
}
