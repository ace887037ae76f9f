//! The dedup keys of what was perhaps sent, known again from where its sink was told to send.

use std::collections::BTreeMap;

use conversion_core::dedup::DedupTarget;
use conversion_store::{
    Admission, Change, Driver, Lease, NewDelivery, RunId, SinkRegistration, Status, Taken, Ticket,
    Uncertainty,
};

use super::Backend;
use super::fixture::{Fixture, admission, at, change, lease, registration};

const BOOKED: &str = "TRIAL_BOOKED";

fn targets<'a>(targets: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, DedupTarget> {
    let target = |(name, at): (&str, &str)| (name.to_owned(), DedupTarget::new(&["PIXEL-1", at]));
    targets.into_iter().map(target).collect()
}

impl Fixture {
    /// TikTok is told to send bookings there from now on.
    async fn aim(&self, target: &str) {
        self.register(targets([(BOOKED, target)])).await;
    }

    async fn register(&self, targets: BTreeMap<String, DedupTarget>) {
        let sink = SinkRegistration { targets, ..registration("tiktok") };
        self.store.register_sinks(&[sink]).await.unwrap();
    }

    /// A start of the process, without its sinks.
    async fn restart(&mut self, seconds: i64) {
        self.run = self.store.start_run(at(seconds), at(1_000_000)).await.unwrap();
    }

    /// All of TikTok's that is due, with the keys that it perhaps bore, by event id.
    async fn keys(&self, seconds: i64) -> BTreeMap<String, Option<String>> {
        let id = |lease: &Lease| {
            let event: serde_json::Value = serde_json::from_str(&lease.event).unwrap();
            event["eventId"].as_str().unwrap().to_owned()
        };
        let key = |lease: &Lease| lease.uncertain.as_ref().and_then(|uncertain| uncertain.dedup_key.clone());
        self.lease(seconds, 100).await.iter().map(|lease| (id(lease), key(lease))).collect()
    }
}

fn keys<'a>(keys: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> BTreeMap<String, Option<String>> {
    keys.into_iter().map(|(id, key)| (id.to_owned(), key.map(str::to_owned))).collect()
}

pub(crate) async fn a_lost_lease_has_the_key_that_it_bore(backend: &impl Backend) {
    let mut fixture = Fixture::new(backend).await;
    fixture.register(targets([(BOOKED, "SubmitForm"), ("PURCHASE", "Purchase")])).await;
    let from_memory =
        NewDelivery { leased_to: Some(fixture.run), ..admission("", &[fixture.tiktok]).deliveries[0] };
    let deliveries = vec![from_memory];
    fixture.accept(Admission { deliveries, ..admission("from memory", &[]) }).await;
    let conversion_id = Some("appointment-7".into());
    fixture.accept(Admission { conversion_id, ..admission("moved", &[fixture.tiktok]) }).await;
    for (name, id) in [("PURCHASE", "bought"), ("UNMAPPED", "unmapped")] {
        fixture.accept(Admission { name: name.into(), ..admission(id, &[fixture.tiktok]) }).await;
    }
    assert_eq!(fixture.lease(0, 100).await.len(), 3);
    fixture.delivery("free").await;

    fixture.restart(10).await;
    fixture.register(targets([(BOOKED, "Lead"), ("UNMAPPED", "Lead")])).await;
    let expected = keys([
        ("from memory", Some("PIXEL-1|SubmitForm|from memory")),
        ("moved", Some("PIXEL-1|SubmitForm|appointment-7")),
        ("bought", Some("PIXEL-1|Purchase|bought")),
        ("unmapped", None),
        ("free", None),
    ]);
    assert_eq!(fixture.keys(10).await, expected);
}

pub(crate) async fn a_key_that_is_known_stays_however_often_the_target_changes(backend: &impl Backend) {
    let mut fixture = Fixture::new(backend).await;
    fixture.aim("SubmitForm").await;
    let settled = fixture.leased("settled").await;
    let uncertain = Some(Uncertainty { since: at(1), dedup_key: Some("its own".to_owned()) });
    fixture.settle(&settled, Change { uncertain, ..change(Status::Pending) }, 1).await;
    fixture.delivery("lost").await;
    let bore = keys([("settled", Some("its own")), ("lost", Some("PIXEL-1|SubmitForm|lost"))]);
    assert_eq!(fixture.lease(1, 100).await.len(), 2);
    for (seconds, target) in [(10, "Lead"), (20, "Contact"), (30, "SubmitForm")] {
        fixture.restart(seconds).await;
        fixture.aim(target).await;
        assert_eq!(fixture.keys(seconds).await, bore, "{target}");
    }
}

pub(crate) async fn what_was_leased_since_bears_the_later_key(backend: &impl Backend) {
    let mut fixture = Fixture::new(backend).await;
    fixture.aim("SubmitForm").await;
    fixture.restart(10).await;
    fixture.aim("Lead").await;
    fixture.leased("later").await;
    fixture.restart(20).await;
    assert_eq!(fixture.keys(20).await, keys([("later", Some("PIXEL-1|Lead|later"))]));
}

pub(crate) async fn a_start_that_is_cut_off_costs_no_key(backend: &impl Backend) {
    let mut fixture = Fixture::new(backend).await;
    fixture.aim("SubmitForm").await;
    fixture.leased("lost").await;
    fixture.restart(10).await;
    fixture.restart(20).await;
    fixture.aim("Lead").await;
    fixture.aim("Contact").await;
    assert_eq!(fixture.keys(20).await, keys([("lost", Some("PIXEL-1|SubmitForm|lost"))]));
}

pub(crate) async fn a_sink_that_comes_back_finds_the_keys_of_before(backend: &impl Backend) {
    let mut fixture = Fixture::new(backend).await;
    fixture.aim("SubmitForm").await;
    fixture.leased("lost").await;
    fixture.restart(10).await;
    fixture.store.register_sinks(&[registration("google-ads")]).await.unwrap();
    fixture.restart(20).await;
    fixture.aim("Lead").await;
    assert_eq!(fixture.keys(20).await, keys([("lost", Some("PIXEL-1|SubmitForm|lost"))]));
}

pub(crate) async fn what_is_taken_over_has_the_key_that_it_bore(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    fixture.aim("SubmitForm").await;
    let lapsed = fixture.store.start_run(at(0), at(30)).await.unwrap();
    fixture.delivery("builtin").await;
    let queued = NewDelivery { driver: Driver::Queue, ..admission("", &[fixture.tiktok]).deliveries[0] };
    let called = fixture.accept(Admission { deliveries: vec![queued], ..admission("called", &[]) }).await;
    let id = conversion_store::DeliveryId { event: called, sink: fixture.tiktok };
    let ticket = Ticket { delivery: id, publication: None };
    assert_eq!(lease(&*fixture.store, lapsed, fixture.tiktok, 0, 10).await.len(), 1);
    assert!(matches!(fixture.store.take(ticket, lapsed, at(0)).await.unwrap(), Taken::Leased(_)));

    let other = RunId(lapsed.0 + 1);
    let bore = |key: &str| Some(Uncertainty { since: at(0), dedup_key: Some(key.to_owned()) });
    let leases = lease(&*fixture.store, other, fixture.tiktok, 60, 10).await;
    assert_eq!(leases[0].uncertain, bore("PIXEL-1|SubmitForm|builtin"));
    let Taken::Leased(taken) = fixture.store.take(ticket, other, at(60)).await.unwrap() else {
        panic!("it is not leased");
    };
    assert_eq!(taken.uncertain, bore("PIXEL-1|SubmitForm|called"));
    // It is written: what a third run takes over has it as well.
    fixture.aim("Lead").await;
    fixture.store.start_run(at(200), at(1000)).await.unwrap();
    assert_eq!(fixture.lease(200, 10).await[0].uncertain, bore("PIXEL-1|SubmitForm|builtin"));
}
