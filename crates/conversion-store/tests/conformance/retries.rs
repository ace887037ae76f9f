//! Deliveries that a human wants sent again.

use conversion_store::{Change, DeliveryId, Driver, RetryOutcome, SettleOutcome, Status, Uncertainty};

use super::Backend;
use super::fixture::{Fixture, at, change, parked};

pub(crate) async fn each_state_is_retried_as_it_should(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let retry = async |id: DeliveryId| fixture.store.retry(id, Driver::Builtin, at(50)).await.unwrap();
    let delivered = fixture.settled("delivered", change(Status::Delivered)).await;
    let skipped = fixture.settled("skipped", change(Status::Skipped)).await;
    let failed = fixture.settled("failed", change(Status::Failed)).await;
    let waiting = fixture.settled("waiting", parked()).await;
    let under_way = fixture.leased("under way").await;

    assert_eq!(retry(delivered).await, RetryOutcome::AlreadyDelivered);
    assert_eq!(retry(skipped).await, RetryOutcome::Due);
    assert_eq!(retry(failed).await, RetryOutcome::Due);
    assert_eq!(retry(waiting).await, RetryOutcome::Due);
    assert_eq!(retry(under_way.id).await, RetryOutcome::UnderWay);
    assert_eq!(retry(DeliveryId { event: 4711, sink: fixture.tiktok }).await, RetryOutcome::Unknown);

    let due: Vec<_> = fixture.lease(50, 10).await.iter().map(|lease| lease.id).collect();
    assert_eq!(due, [skipped, failed, waiting]);
    let account = fixture.store.audit().await.unwrap().sinks["tiktok"];
    assert_eq!((account.pending, account.delivered, account.failed, account.skipped), (4, 1, 0, 0));
    fixture.assert_balanced().await;
}

pub(crate) async fn a_retry_starts_afresh_but_forgets_no_uncertainty(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let first = fixture.leased("a").await;
    let uncertain = Some(Uncertainty { since: at(1), dedup_key: Some("key".to_owned()) });
    let reason = Some("interrupted".to_owned());
    let failed = Change { tries: 4, uncertain: uncertain.clone(), reason, ..change(Status::Failed) };
    fixture.settle(&first, failed, 2).await;
    fixture.store.retry(first.id, Driver::Builtin, at(50)).await.unwrap();

    let record = fixture.read(first.id).await;
    assert_eq!((record.status, record.reason, record.settled_at), (Status::Pending, None, None));
    assert_eq!(record.next_attempt_at, Some(at(50)));
    assert_eq!(fixture.settle(&first, change(Status::Failed), 51).await, SettleOutcome::Stale);
    let second = fixture.lease(51, 1).await.remove(0);
    assert_eq!((second.tries, &second.uncertain), (0, &uncertain));
    assert_eq!(second.waiting_since, at(50), "patience begins anew");

    let (due_at, waiting_since) = (Some(at(52)), Some(at(60)));
    fixture.settle(&second, Change { due_at, waiting_since, ..change(Status::Pending) }, 52).await;
    let third = fixture.lease(52, 1).await.remove(0);
    assert_eq!(third.waiting_since, at(60), "and where a result says so");
    fixture.settle(&third, Change { due_at: Some(at(53)), ..change(Status::Pending) }, 53).await;
    assert_eq!(fixture.lease(53, 1).await.remove(0).waiting_since, at(60));
}
