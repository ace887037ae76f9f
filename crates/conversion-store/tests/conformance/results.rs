//! What came of it.

use std::time::Duration;

use conversion_core::consent::ConsentVerdict;
use conversion_store::{Attempt, Change, DeliveryId, ItemSettlement, SettleOutcome, Status, Uncertainty};

use super::Backend;
use super::fixture::{Fixture, admission, at, change, exchange, item, settlement};

pub(crate) async fn a_result_ends_the_lease_and_is_kept(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let lease = fixture.leased("a").await;
    let skipped = Change {
        reason: Some("no_identifiers".to_owned()),
        message: Some("Missing identifiers".to_owned()),
        response_code: Some(200),
        consent: Some(ConsentVerdict::Stripped),
        ..change(Status::Skipped)
    };
    assert_eq!(fixture.settle(&lease, skipped, 5).await, SettleOutcome::Applied);
    let record = fixture.read(lease.id).await;
    assert_eq!(record.status, Status::Skipped);
    assert_eq!(record.reason.as_deref(), Some("no_identifiers"));
    assert_eq!(record.message.as_deref(), Some("Missing identifiers"));
    assert_eq!(record.response_code, Some(200));
    assert_eq!(record.consent, Some(ConsentVerdict::Stripped));
    assert_eq!((record.settled_at, record.next_attempt_at), (Some(at(5)), None));
    assert_eq!(record.attempts, 1);
    assert!(fixture.lease(900_000, 1).await.is_empty());

    assert_eq!(fixture.store.sinks().await.unwrap()[0].last_delivered_at, None);
    fixture.settled("b", change(Status::Delivered)).await;
    let sink = fixture.store.sinks().await.unwrap().remove(0);
    assert_eq!(sink.last_delivered_at, Some(at(1)));
    assert_eq!((sink.account.skipped, sink.account.delivered, sink.account.pending), (1, 1, 0));
    fixture.assert_balanced().await;
}

pub(crate) async fn a_stale_result_is_refused_but_its_exchange_is_kept(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let old = fixture.leased("a").await;
    fixture.store.start_run(at(10), at(1_000_000)).await.unwrap();
    // Freed and not yet taken: the lease is lost all the same.
    assert_eq!(fixture.settle(&old, change(Status::Failed), 11).await, SettleOutcome::Stale);
    let new = fixture.lease(12, 1).await.remove(0);
    assert_eq!(fixture.settle(&old, change(Status::Failed), 13).await, SettleOutcome::Stale);
    assert_eq!(fixture.read(old.id).await.status, Status::Pending);
    assert_eq!(fixture.settle(&new, change(Status::Delivered), 14).await, SettleOutcome::Applied);
    assert_eq!(fixture.settle(&new, change(Status::Failed), 15).await, SettleOutcome::Stale);

    let detail = fixture.store.delivery(old.id).await.unwrap().unwrap();
    assert_eq!(detail.delivery.status, Status::Delivered);
    assert_eq!(detail.delivery.attempts, 4);
    let numbers: Vec<_> = detail.attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);

    let nowhere = DeliveryId { event: 4711, ..old.id };
    let unknown = ItemSettlement { id: nowhere, ..item(&new, 0) };
    let settlement = settlement(vec![exchange(&["{}"], None)], vec![unknown]);
    assert_eq!(fixture.store.settle(&[settlement], at(16)).await.unwrap(), [[SettleOutcome::Stale]]);
    fixture.assert_balanced().await;
}

pub(crate) async fn a_result_can_come_in_parts(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let lease = fixture.leased("a").await;
    let rejected = Attempt { exchange: 0, position: 0, result: "rejected", note: Some("40002".to_owned()) };
    let first = ItemSettlement { attempts: vec![rejected], change: None, ..item(&lease, 0) };
    let first = settlement(vec![exchange(&["{}"], Some(400))], vec![first]);
    assert_eq!(fixture.store.settle(&[first], at(1)).await.unwrap(), [[SettleOutcome::Applied]]);
    assert!(fixture.lease(900, 1).await.is_empty());
    assert_eq!(fixture.settle(&lease, change(Status::Delivered), 2).await, SettleOutcome::Applied);

    let detail = fixture.store.delivery(lease.id).await.unwrap().unwrap();
    assert_eq!(detail.delivery.attempts, 2);
    let told: Vec<_> = detail.attempts.iter().map(|a| (a.number, &*a.result, a.note.as_deref())).collect();
    assert_eq!(told, [(1, "rejected", Some("40002")), (2, "delivered", None)]);
}

pub(crate) async fn a_delivery_reads_its_own_item_of_a_shared_exchange(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let admissions = ["a", "b", "c"].map(|id| admission(id, &[fixture.tiktok]));
    fixture.store.accept(&admissions, at(0)).await.unwrap();
    let leases = fixture.lease(0, 10).await;
    let shared = exchange(&[r#"{"id":"a"}"#, r#"{"id":"b"}"#, r#"{"id":"c"}"#], Some(200));
    let items = leases.iter().enumerate().map(|(position, lease)| item(lease, position)).collect();
    fixture.store.settle(&[settlement(vec![shared], items)], at(1)).await.unwrap();
    for (lease, id) in leases.iter().zip(["a", "b", "c"]) {
        let attempt = fixture.read(lease.id).await.last_attempt.unwrap();
        let alone = attempt.exchange.body.with_item_alone(attempt.position).unwrap();
        assert_eq!(alone, format!(r#"{{"data":[{{"id":"{id}"}}],"pixel":"P"}}"#));
    }
}

pub(crate) async fn an_exchange_reads_back_as_it_was(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let lease = fixture.leased("a").await;
    let (first, second) = (exchange(&["{}"], Some(401)), exchange(&[r#"{"id":"a"}"#], None));
    let attempts = [0, 1].map(|exchange| Attempt { exchange, ..item(&lease, 0).attempts.remove(0) }).to_vec();
    let item = ItemSettlement { attempts, ..item(&lease, 0) };
    let settlement = settlement(vec![first.clone(), second.clone()], vec![item]);
    fixture.store.settle(&[settlement], at(1)).await.unwrap();

    let detail = fixture.store.delivery(lease.id).await.unwrap().unwrap();
    let [one, two] = &detail.attempts[..] else { panic!("two attempts were made") };
    assert_eq!(one.exchange.url, first.request.url);
    let headers = [("content-type", "application/json"), ("access-token", "[redacted]")];
    assert_eq!(one.exchange.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!((&one.exchange.body, &two.exchange.body), (&first.request.body, &second.request.body));
    assert_eq!((&one.exchange.reply, &two.exchange.reply), (&first.reply, &None));
    assert_eq!(one.exchange.duration, Duration::from_millis(1500));
    assert_eq!(one.exchange.sent_at, at(0));
    assert_eq!(two.exchange.sent_at, at(0) + Duration::from_millis(1500));
    assert_eq!(detail.delivery.last_attempt.unwrap().number, 2);
}

pub(crate) async fn uncertainty_is_kept_until_it_is_resolved(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let first = fixture.leased("a").await;
    let uncertain = Some(Uncertainty { since: at(1), dedup_key: None });
    let interrupted = Change { uncertain: uncertain.clone(), ..change(Status::Pending) };
    fixture.settle(&first, interrupted, 1).await;
    let second = fixture.lease(2, 1).await.remove(0);
    assert_eq!(second.uncertain, uncertain);
    fixture.settle(&second, change(Status::Pending), 3).await;
    assert_eq!(fixture.lease(4, 1).await[0].uncertain, None);
}
