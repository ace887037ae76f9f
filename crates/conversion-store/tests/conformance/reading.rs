//! What can be read back.

use conversion_core::sink::{Order, Related, RelatedState};
use conversion_store::{Admission, Change, DeliveryFilter, DeliveryId, Driver, Origin, Status, Uncertainty};

use super::Backend;
use super::fixture::{Fixture, admission, at, change, registration};

pub(crate) async fn related_deliveries_of_a_conversion_are_found(backend: &impl Backend) {
    use Order::{Earlier, Later};
    use RelatedState::{Delivered, NotDelivered, PerhapsDelivered, Unsent, Unsettled};
    let fixture = Fixture::new(backend).await;
    let rename = |name: &str, id: &str| Admission {
        name: name.into(),
        conversion_id: Some("booking".to_owned()),
        ..admission(id, &[fixture.tiktok])
    };
    let related = async |id: DeliveryId| {
        let asked = [(DeliveryId { event: i64::MAX, ..id }, "none".to_owned()), (id, "booking".to_owned())];
        let mut found = fixture.store.related(&asked).await.unwrap();
        assert_eq!((found.len(), found[0].len()), (2, 0));
        found.remove(1)
    };
    let told = |name: &str, order, state| Related { event_name: name.to_owned(), order, state };

    let booked = fixture.delivery("booking").await;
    assert_eq!(related(booked).await, []);
    let event = fixture.accept(rename("RESCHEDULED", "r1")).await;
    let moved = DeliveryId { event, sink: fixture.tiktok };
    assert_eq!(related(moved).await, [told("TRIAL_BOOKED", Earlier, Unsent)]);
    assert_eq!(related(booked).await, [told("RESCHEDULED", Later, Unsent)]);
    assert_eq!(related(DeliveryId { sink: fixture.google, ..moved }).await, []);

    let event = fixture.accept(rename("CANCELLED", "c1")).await;
    let cancelled = DeliveryId { event, sink: fixture.tiktok };
    let other =
        Admission { conversion_id: Some("other".to_owned()), ..admission("booking", &[fixture.tiktok]) };
    fixture.accept(Admission { name: "OTHER".into(), ..other }).await;
    fixture.accept(Admission { origin: Origin::Test, ..rename("TEST", "t1") }).await;

    let leases = fixture.lease(0, 10).await;
    let both = |first, second| [told("TRIAL_BOOKED", Earlier, first), told("RESCHEDULED", Earlier, second)];
    assert_eq!(related(cancelled).await, both(Unsettled, Unsettled), "leased");
    let settle = async |id: DeliveryId, status| {
        let lease = leases.iter().find(|lease| lease.id == id).unwrap();
        fixture.settle(lease, change(status), 1).await;
    };
    settle(booked, Status::Delivered).await;
    settle(moved, Status::Skipped).await;
    assert_eq!(related(cancelled).await, both(Delivered { at: at(1) }, NotDelivered));
    settle(cancelled, Status::Pending).await;
    assert_eq!(related(moved).await[1], told("CANCELLED", Later, Unsettled), "tried before");

    let uncertain = Some(Uncertainty { since: at(1), dedup_key: None });
    for (uncertain, state) in [(None, NotDelivered), (uncertain, PerhapsDelivered { at: at(2) })] {
        let leases = fixture.lease(1, 10).await;
        let lease = leases.iter().find(|lease| lease.id == cancelled).unwrap();
        fixture.settle(lease, Change { uncertain, ..change(Status::Failed) }, 2).await;
        assert_eq!(related(moved).await[1], told("CANCELLED", Later, state));
        fixture.store.retry(cancelled, Driver::Builtin, at(1)).await.unwrap();
    }

    // Of very many the newest are told, the oldest of them first.
    for n in 0..100 {
        fixture.accept(rename(&format!("N{n}"), &format!("n{n}"))).await;
    }
    let names: Vec<String> = related(booked).await.into_iter().map(|other| other.event_name).collect();
    assert_eq!(names, (0..100).map(|n| format!("N{n}")).collect::<Vec<_>>());
}

pub(crate) async fn each_filter_filters(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let reason = Some("no_identifiers".to_owned());
    fixture.settled("skipped", Change { reason: reason.clone(), ..change(Status::Skipped) }).await;
    fixture.settled("failed", change(Status::Failed)).await;
    fixture.settled("delivered", change(Status::Delivered)).await;
    fixture.accept(admission("pending", &[fixture.tiktok, fixture.google])).await;
    let late = [admission("late", &[fixture.google])];
    fixture.store.accept(&late, at(60)).await.unwrap();
    let test = Admission { origin: Origin::Test, ..admission("failed", &[fixture.google]) };
    fixture.store.accept(&[test], at(60)).await.unwrap();

    let list = async |filter: DeliveryFilter| {
        let filter = DeliveryFilter { limit: 10, ..filter };
        let page = fixture.store.deliveries(&filter).await.unwrap();
        assert_eq!(page.next, None);
        page.items.into_iter().map(|item| format!("{} {}", item.event_id, item.sink)).collect::<Vec<_>>()
    };
    let all = DeliveryFilter::default;
    assert_eq!(list(all()).await.len(), 7);
    let only = |status| DeliveryFilter { status: Some(status), ..all() };
    assert_eq!(list(only(Status::Failed)).await, ["failed tiktok"]);
    assert_eq!(list(only(Status::Skipped)).await, ["skipped tiktok"]);
    assert_eq!(list(only(Status::Delivered)).await, ["delivered tiktok"]);
    let pending = ["failed google-ads", "late google-ads", "pending google-ads", "pending tiktok"];
    assert_eq!(list(only(Status::Pending)).await, pending);
    let of = |sink: &str| DeliveryFilter { sink: Some(sink.to_owned()), ..all() };
    assert_eq!(list(of("google-ads")).await, ["failed google-ads", "late google-ads", "pending google-ads"]);
    assert!(list(of("nowhere")).await.is_empty());
    assert_eq!(list(DeliveryFilter { reason, ..all() }).await, ["skipped tiktok"]);
    let event_id = Some("failed".to_owned());
    assert_eq!(list(DeliveryFilter { event_id, ..all() }).await, ["failed google-ads", "failed tiktok"]);
    let since = Some(at(60));
    assert_eq!(list(DeliveryFilter { since, ..all() }).await, ["failed google-ads", "late google-ads"]);
    let since = Some(at(60));
    assert!(list(DeliveryFilter { since, sink: Some("tiktok".to_owned()), ..all() }).await.is_empty());
}

pub(crate) async fn a_list_goes_on_where_it_stopped(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    for n in 0..7 {
        fixture.accept(admission(&n.to_string(), &[fixture.tiktok, fixture.google])).await;
    }
    let mut seen = Vec::new();
    let mut filter = DeliveryFilter { limit: 3, status: Some(Status::Pending), ..DeliveryFilter::default() };
    loop {
        let page = fixture.store.deliveries(&filter).await.unwrap();
        seen.extend(page.items.iter().map(|item| item.id));
        let Some(next) = page.next else { break };
        assert_eq!(page.items.len(), 3);
        filter.after = Some(next);
    }
    assert_eq!(seen.len(), 14);
    assert!(seen.is_sorted_by(|a, b| a > b));
}

pub(crate) async fn an_event_is_read_with_its_deliveries(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let sent = Admission { conversion_id: Some("booking".to_owned()), ..admission("a", &[fixture.google]) };
    fixture.accept(sent.clone()).await;
    let event = fixture.store.event("TRIAL_BOOKED", "a").await.unwrap().unwrap();
    assert_eq!(event.json.as_deref(), Some(&*sent.json));
    assert_eq!(event.accepted_at, at(0));
    let delivery = &event.deliveries[0];
    assert_eq!((&*delivery.event_id, &*delivery.conversion_id), ("a", "booking"));
    assert_eq!(
        (&*delivery.sink, &*delivery.kind, &*delivery.platform),
        ("google-ads", "google-ads", "GOOGLE_ADS")
    );
    assert_eq!((delivery.attempts, delivery.next_attempt_at), (0, Some(at(0))));
    assert!(delivery.last_attempt.is_none());
    assert!(fixture.store.event("PURCHASE", "a").await.unwrap().is_none());
    assert!(
        fixture.store.delivery(DeliveryId { event: 4711, sink: fixture.tiktok }).await.unwrap().is_none()
    );
}

pub(crate) async fn reopening_keeps_everything(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let delivered = fixture.settled("a", change(Status::Delivered)).await;
    fixture.delivery("b").await;
    let audit = fixture.store.audit().await.unwrap();
    drop(fixture);

    let store = backend.open();
    store.register_sinks(&[registration("tiktok")]).await.unwrap();
    assert_eq!(store.audit().await.unwrap(), audit);
    let detail = store.delivery(delivered).await.unwrap().unwrap();
    assert_eq!((detail.delivery.status, detail.attempts.len()), (Status::Delivered, 1));
    assert!(store.event("TRIAL_BOOKED", "b").await.unwrap().is_some());
}
