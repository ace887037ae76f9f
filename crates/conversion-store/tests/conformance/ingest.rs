//! Events on their way in.

use std::sync::Arc;

use conversion_store::{Acceptance, Admission, DeliveryFilter, Driver, NewDelivery, Origin};
use tokio::task::JoinSet;

use super::Backend;
use super::fixture::{Fixture, admission, at};

pub(crate) async fn a_repeated_event_is_a_duplicate_and_changes_nothing(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let first = admission("a", &[fixture.tiktok]);
    fixture.accept(first.clone()).await;
    let other = Admission { fingerprint: [2; 16], json: "{}".into(), ..admission("a", &[fixture.google]) };
    let again = fixture.store.accept(&[first.clone(), other], at(9)).await.unwrap();
    assert_eq!(again, [Acceptance::Duplicate { differs: false }, Acceptance::Duplicate { differs: true }]);

    let event = fixture.store.event("TRIAL_BOOKED", "a").await.unwrap().unwrap();
    assert_eq!(event.json.as_deref(), Some(&*first.json));
    assert_eq!(event.routed, ["tiktok"]);
    assert_eq!(fixture.store.audit().await.unwrap().accepted, 1);

    let namesake = Admission { name: "PURCHASE".into(), ..first };
    fixture.accept(namesake).await;
    fixture.assert_balanced().await;
}

pub(crate) async fn a_duplicate_within_one_call_is_seen(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let one = admission("a", &[fixture.tiktok]);
    let other = Admission { fingerprint: [2; 16], ..one.clone() };
    let acceptances = fixture.store.accept(&[one.clone(), other, one], at(0)).await.unwrap();
    assert!(matches!(acceptances[0], Acceptance::Accepted { .. }));
    assert_eq!(acceptances[1], Acceptance::Duplicate { differs: true });
    assert_eq!(acceptances[2], Acceptance::Duplicate { differs: false });
    fixture.assert_balanced().await;
}

pub(crate) async fn a_mistaken_event_does_not_cost_its_group(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let twice = admission("twice", &[fixture.tiktok, fixture.tiktok]);
    let good = admission("good", &[fixture.tiktok]);
    let acceptances = fixture.store.accept(&[twice, good], at(0)).await.unwrap();
    assert!(acceptances.iter().all(|acceptance| matches!(acceptance, Acceptance::Accepted { .. })));
    assert_eq!(fixture.store.audit().await.unwrap().sinks["tiktok"].routed, 2);
    fixture.assert_balanced().await;
}

pub(crate) async fn an_event_comes_with_all_its_deliveries(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let mut both = admission("a", &[fixture.google]);
    both.deliveries.push(NewDelivery {
        sink: fixture.tiktok,
        due_at: at(0),
        leased_to: Some(fixture.run),
        driver: Driver::Builtin,
    });
    let event = fixture.accept(both).await;
    let later = fixture.accept(admission("b", &[fixture.tiktok])).await;
    assert!(later > event);

    let record = fixture.store.event("TRIAL_BOOKED", "a").await.unwrap().unwrap();
    assert_eq!(record.routed, ["tiktok", "google-ads"]);
    let sinks: Vec<_> = record.deliveries.iter().map(|delivery| delivery.id.sink).collect();
    assert_eq!(sinks, [fixture.tiktok, fixture.google]);
    let audit = fixture.store.audit().await.unwrap();
    assert_eq!((audit.sinks["tiktok"].pending, audit.sinks["google-ads"].pending), (2, 1));
    fixture.assert_balanced().await;
}

pub(crate) async fn a_test_event_may_repeat_and_is_not_counted(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let live = fixture.delivery("a").await;
    let test = Admission { origin: Origin::Test, ..admission("a", &[fixture.tiktok]) };
    fixture.accept(test.clone()).await;
    fixture.accept(test).await;

    let audit = fixture.store.audit().await.unwrap();
    assert_eq!((audit.accepted, audit.sinks["tiktok"].routed), (1, 1));
    let page =
        fixture.store.deliveries(&DeliveryFilter { limit: 9, ..DeliveryFilter::default() }).await.unwrap();
    let origins: Vec<_> = page.items.iter().map(|item| item.origin).collect();
    assert_eq!(origins, [Origin::Test, Origin::Test, Origin::Live]);
    let event = fixture.store.event("TRIAL_BOOKED", "a").await.unwrap().unwrap();
    assert_eq!(event.deliveries[0].id, live);

    for lease in fixture.lease(0, 10).await {
        fixture.settle(&lease, super::fixture::change(conversion_store::Status::Delivered), 1).await;
    }
    assert_eq!(fixture.store.audit().await.unwrap().sinks["tiktok"].delivered, 1);
    fixture.assert_balanced().await;
}

pub(crate) async fn an_event_without_sinks_is_kept(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    fixture.accept(admission("a", &[])).await;
    let event = fixture.store.event("TRIAL_BOOKED", "a").await.unwrap().unwrap();
    assert!(event.routed.is_empty() && event.deliveries.is_empty());
    assert_eq!(fixture.store.audit().await.unwrap().accepted, 1);
    fixture.assert_balanced().await;
}

pub(crate) async fn however_often_and_at_once_it_is_told_an_event_is_kept_once(backend: &impl Backend) {
    let fixture = Arc::new(Fixture::new(backend).await);
    let both = [fixture.tiktok, fixture.google];
    let told: Vec<_> = (0..20).map(|n| admission(&n.to_string(), &both)).collect();
    let mut callers = JoinSet::new();
    for caller in 0..8 {
        let (fixture, mut told) = (Arc::clone(&fixture), told.clone());
        told.rotate_left(caller);
        callers.spawn(async move { fixture.store.accept(&told, at(0)).await.unwrap() });
    }
    let acceptances: Vec<_> = callers.join_all().await.into_iter().flatten().collect();
    let is_new = |acceptance: &&Acceptance| matches!(acceptance, Acceptance::Accepted { .. });
    assert_eq!(acceptances.iter().filter(is_new).count(), told.len());
    let known = Acceptance::Duplicate { differs: false };
    assert!(acceptances.iter().all(|acceptance| is_new(&acceptance) || *acceptance == known));
    let audit = fixture.store.audit().await.unwrap();
    assert_eq!(
        (audit.accepted, audit.sinks["tiktok"].pending, audit.sinks["google-ads"].pending),
        (20, 20, 20)
    );
    fixture.assert_balanced().await;
}
