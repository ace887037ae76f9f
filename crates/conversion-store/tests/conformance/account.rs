//! Every event is accounted for.

use conversion_core::dedup::DedupTarget;
use conversion_store::{
    Admission, Confirmation, DeliveryFilter, DeliveryId, Driver, ItemSettlement, Lease, NewDelivery, Origin,
    Publication, Receipt, Settlement, SinkAccount, SinkId, SinkRegistration, Status, Taken, Ticket,
    VerdictWrite,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::Backend;
use super::fixture::{
    Fixture, admission, at, change, exchange, item, lease, parked, registration, settlement,
};
use super::holds::hold;
use super::model::Model;

pub(crate) async fn a_store_is_ready(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    fixture.store.ready().await.unwrap();
    fixture.store.ready().await.unwrap();
    fixture.assert_balanced().await;
}

/// As the fixture names events.
const NAME: &str = "TRIAL_BOOKED";

/// How an event's deliveries begin.
#[derive(Clone, Copy, Debug)]
enum Driven {
    Leased,
    Builtin,
    Queue,
}

/// What an external queue does with a delivery.
#[derive(Clone, Copy, Debug)]
enum Call {
    Take,
    Leave,
    GiveUp,
}

/// One thing that happens to a store.
#[derive(Clone, Debug)]
enum Step {
    Accept { id: u8, test: bool, both: bool, driven: Driven },
    Lease { google: bool, limit: usize },
    Settle { which: prop::sample::Index, status: Option<Status>, stale: bool, receipt: bool },
    Judge { google: bool, confirmation: Confirmation, again: bool },
    Retry { event: i64, google: bool, queue: bool },
    Publish { google: bool, wait: i64 },
    Called { event: i64, google: bool, publication: Option<u32>, call: Call },
    Hold { google: bool, named: bool },
    Resume { google: bool, named: bool },
    Restart { aimed: bool },
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop::option::of(prop::sample::select(Status::ALL.to_vec()));
    let driven = prop::sample::select(vec![Driven::Leased, Driven::Builtin, Driven::Queue]);
    let call = prop::sample::select(vec![Call::Take, Call::Leave, Call::GiveUp]);
    prop_oneof![
        4 => (0u8..20, prop::bool::weighted(0.2), any::<bool>(), driven)
            .prop_map(|(id, test, both, driven)| Step::Accept { id, test, both, driven }),
        3 => (any::<bool>(), 1usize..4).prop_map(|(google, limit)| Step::Lease { google, limit }),
        4 => (any::<prop::sample::Index>(), status, prop::bool::weighted(0.2), any::<bool>())
            .prop_map(|(which, status, stale, receipt)| Step::Settle { which, status, stale, receipt }),
        2 => (any::<bool>(), prop::sample::select(Confirmation::ALL[1..].to_vec()), prop::bool::weighted(0.2))
            .prop_map(|(google, confirmation, again)| Step::Judge { google, confirmation, again }),
        2 => (1i64..20, any::<bool>(), any::<bool>())
            .prop_map(|(event, google, queue)| Step::Retry { event, google, queue }),
        1 => (any::<bool>(), 1i64..200).prop_map(|(google, wait)| Step::Publish { google, wait }),
        5 => (1i64..20, any::<bool>(), prop::option::of(1u32..4), call)
            .prop_map(|(event, google, publication, call)| Step::Called { event, google, publication, call }),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(google, named)| Step::Hold { google, named }),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(google, named)| Step::Resume { google, named }),
        1 => any::<bool>().prop_map(|aimed| Step::Restart { aimed }),
        1 => Just(Step::Wait),
    ]
}

/// A store, and what it must say by what it was told.
struct World {
    fixture: Fixture,
    model: Model,
    leases: Vec<Lease>,
    seconds: i64,
}

impl World {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Accept { id, test, both, driven } => self.accept(id, test, both, driven).await,
            Step::Lease { google, limit } => {
                let Fixture { store, run, .. } = &self.fixture;
                let leases = lease(&**store, *run, self.sink(google), self.seconds, limit).await;
                leases.iter().for_each(|lease| self.model.leased(lease, Driver::Builtin));
                self.leases.extend(leases);
            }
            Step::Settle { which, status, stale, receipt } => {
                self.settle(which, status, stale, receipt).await;
            }
            Step::Judge { google, confirmation, again } => {
                let (confirmation, status) = match confirmation {
                    _ if again => (Confirmation::None, Status::Pending),
                    Confirmation::Refused => (confirmation, Status::Failed),
                    _ => (confirmation, Status::Delivered),
                };
                self.judge(self.sink(google), confirmation, status).await;
            }
            Step::Retry { event, google, queue } => {
                let driver = if queue { Driver::Queue } else { Driver::Builtin };
                let id = DeliveryId { event, sink: self.sink(google) };
                let outcome = self.fixture.store.retry(id, driver, at(self.seconds)).await.unwrap();
                assert_eq!(outcome, self.model.retry(id, driver));
            }
            Step::Hold { google, named } => {
                self.fixture.store.hold(self.sink(google), &hold(named.then_some(NAME))).await.unwrap();
            }
            Step::Resume { google, named } => {
                let (sink, name) = (self.sink(google), named.then_some(NAME));
                self.fixture.store.resume(sink, name, at(self.seconds)).await.unwrap();
            }
            Step::Restart { aimed } => self.restart(aimed).await,
            Step::Wait => self.seconds += 80,
            Step::Publish { google, wait } => {
                let now = at(self.seconds);
                let items = self.fixture.store.queue_due(self.sink(google), now, 3).await.unwrap();
                let check_at = at(self.seconds + wait);
                let published: Vec<_> =
                    items.into_iter().map(|item| Publication { item, check_at }).collect();
                self.fixture.store.published(&published).await.unwrap();
            }
            Step::Called { event, google, publication, call } => {
                let delivery = DeliveryId { event, sink: self.sink(google) };
                self.called(Ticket { delivery, publication }, call).await;
            }
        }
    }

    fn sink(&self, google: bool) -> SinkId {
        if google { self.fixture.google } else { self.fixture.tiktok }
    }

    async fn called(&mut self, ticket: Ticket, call: Call) {
        let (store, now) = (&self.fixture.store, at(self.seconds));
        match call {
            Call::Take => {
                if let Taken::Leased(lease) = store.take(ticket, self.fixture.run, now).await.unwrap() {
                    self.model.leased(&lease, Driver::Queue);
                    self.leases.push(lease);
                }
            }
            Call::Leave => store.leave_to_queue(ticket, at(self.seconds + 50)).await.unwrap(),
            Call::GiveUp => {
                let reason = "queue_gave_up";
                if store.give_up(ticket, reason, "The queue has given up", now).await.unwrap() {
                    self.model.given_up(ticket.delivery);
                }
            }
        }
    }

    async fn accept(&mut self, id: u8, test: bool, both: bool, driven: Driven) {
        let Fixture { tiktok, google, run, .. } = self.fixture;
        let (leased_to, driver) = match driven {
            Driven::Leased => (Some(run), Driver::Builtin),
            Driven::Builtin => (None, Driver::Builtin),
            Driven::Queue => (None, Driver::Queue),
        };
        let sinks = if both { vec![tiktok, google] } else { vec![tiktok] };
        let new = |sink| NewDelivery { sink, due_at: at(self.seconds), leased_to, driver };
        let deliveries = sinks.into_iter().map(new).collect();
        let origin = if test { Origin::Test } else { Origin::Live };
        let admission = Admission { deliveries, origin, ..admission(&id.to_string(), &[]) };
        let acceptance =
            self.fixture.store.accept(std::slice::from_ref(&admission), at(self.seconds)).await.unwrap()[0];
        self.leases.extend(self.model.accepted(&admission, acceptance, at(self.seconds)));
    }

    async fn settle(
        &mut self,
        which: prop::sample::Index,
        status: Option<Status>,
        stale: bool,
        has_receipt: bool,
    ) {
        if self.leases.is_empty() {
            return;
        }
        let mut lease = self.leases.remove(which.index(self.leases.len()));
        lease.fence += if stale { 1000 } else { 0 };
        let change = status.map_or_else(parked, change);
        let expected = self.model.settle(&lease, change.status, has_receipt);
        let item = ItemSettlement { change: Some(change), ..item(&lease, 0) };
        let receipt = Receipt { token: "request-7".to_owned(), ask_at: at(self.seconds) };
        let settlement = Settlement {
            receipt: has_receipt.then_some(receipt),
            ..settlement(vec![exchange(&["1"], Some(200))], vec![item])
        };
        let outcomes = self.fixture.store.settle(&[settlement], at(self.seconds)).await.unwrap();
        assert_eq!(outcomes[0][0], expected);
    }

    /// What is awaited of a sink is judged so.
    async fn judge(&mut self, sink: SinkId, confirmation: Confirmation, status: Status) {
        let (store, now) = (&self.fixture.store, at(self.seconds));
        for due in store.take_receipts(sink, now, at(self.seconds + 100), 2).await.unwrap() {
            let verdict = |id| VerdictWrite { id, confirmation, change: change(status) };
            let verdicts: Vec<_> = due.awaited.iter().map(|awaited| verdict(awaited.id)).collect();
            verdicts.iter().for_each(|verdict| self.model.judged(verdict.id, confirmation, status));
            store.confirm(due.id, &verdicts, now).await.unwrap();
        }
    }

    /// The process ends, and is started again with the sinks as they are configured then.
    async fn restart(&mut self, aimed: bool) {
        let Fixture { store, run, .. } = &mut self.fixture;
        *run = store.start_run(at(self.seconds), at(self.seconds + 100)).await.unwrap();
        let target = (NAME.to_owned(), DedupTarget::new(&["PIXEL-1", "SubmitForm"]));
        let targets = aimed.then_some(target).into_iter().collect();
        store.register_sinks(&[SinkRegistration { targets, ..registration("tiktok") }]).await.unwrap();
        self.model.restarted();
    }

    /// The counters say what the model says, and so do the rows, each read by itself.
    async fn check(&self) {
        let audit = self.fixture.store.audit().await.unwrap();
        assert!(audit.balanced, "{:?}", audit.differences);
        assert_eq!(audit.accepted, self.model.accepted_live());
        for (name, sink) in [("tiktok", self.fixture.tiktok), ("google-ads", self.fixture.google)] {
            assert_eq!(audit.sinks[name], self.model.account(sink));
            assert_eq!(self.recounted(name, audit.sinks[name].routed).await, audit.sinks[name]);
        }
    }

    async fn recounted(&self, sink: &str, routed: u64) -> SinkAccount {
        let mut account = SinkAccount { routed, ..SinkAccount::default() };
        for (status, count) in [
            (Status::Pending, &mut account.pending),
            (Status::Delivered, &mut account.delivered),
            (Status::Skipped, &mut account.skipped),
            (Status::Failed, &mut account.failed),
        ] {
            let (status, sink) = (Some(status), Some(sink.to_owned()));
            let filter = DeliveryFilter { status, sink, limit: 1000, ..DeliveryFilter::default() };
            let page = self.fixture.store.deliveries(&filter).await.unwrap();
            assert_eq!(page.next, None);
            let live = page.items.iter().filter(|delivery| delivery.origin == Origin::Live);
            *count = live.count() as u64;
        }
        for (confirmation, count) in [
            (Confirmation::Awaited, &mut account.verdicts.awaited),
            (Confirmation::Confirmed, &mut account.verdicts.confirmed),
            (Confirmation::Refused, &mut account.verdicts.refused),
            (Confirmation::Unconfirmed, &mut account.verdicts.unconfirmed),
        ] {
            let (confirmation, sink) = (Some(confirmation), Some(sink.to_owned()));
            let filter = DeliveryFilter { confirmation, sink, limit: 1000, ..DeliveryFilter::default() };
            let found = self.fixture.store.deliveries(&filter).await.unwrap().items;
            *count = found.iter().filter(|delivery| delivery.origin == Origin::Live).count() as u64;
        }
        account
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
                let model = Model::default();
                let mut world = World { fixture, model, leases: Vec::new(), seconds: 0 };
                for step in steps {
                    world.take(step).await;
                }
                world.check().await;
                // And so it is on disk.
                let World { fixture, model, leases, seconds } = world;
                drop(fixture);
                let fixture = Fixture::new(&backend).await;
                let mut world = World { fixture, model, leases, seconds };
                world.model.restarted();
                world.check().await;
            });
            Ok(())
        });
        result.unwrap();
    });
}
