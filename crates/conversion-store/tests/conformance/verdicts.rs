//! Verdicts that platforms give later than their answers.

use conversion_store::{
    Change, Confirmation, DeliveryFilter, DeliveryId, Driver, DueReceipt, ItemSettlement, Lease, Receipt,
    RetryOutcome, Settlement, Status, Uncertainty, VerdictAccount, VerdictWrite,
};

use super::Backend;
use super::fixture::{Fixture, admission, at, change, exchange, item, settlement};

/// What is known of a sending, while its verdict is awaited.
fn sent() -> Option<Uncertainty> {
    Some(Uncertainty { since: at(0), dedup_key: Some("key".to_owned()) })
}

/// Four deliveries to TikTok that share a request of five items; they stand at 0, 1, 3 and 4, and are delivered but for
/// the second.
async fn shared(fixture: &Fixture) -> Vec<DeliveryId> {
    for id in ["a", "b", "c", "d"] {
        fixture.accept(admission(id, &[fixture.tiktok])).await;
    }
    let leases = fixture.lease(0, 10).await;
    let delivered = Change { uncertain: sent(), ..change(Status::Delivered) };
    let placed = |(lease, position): (&Lease, usize)| {
        let change = if position == 1 { change(Status::Failed) } else { delivered.clone() };
        ItemSettlement { change: Some(change), ..item(lease, position) }
    };
    let items = leases.iter().zip([0, 1, 3, 4]).map(placed).collect();
    let exchanges = vec![exchange(&["0", "1", "2", "3", "4"], Some(200))];
    let receipt = Some(Receipt { token: "request-7".to_owned(), ask_at: at(1800) });
    let shared = Settlement { receipt, ..settlement(exchanges, items) };
    fixture.store.settle(&[shared], at(1)).await.unwrap();
    leases.iter().map(|lease| lease.id).collect()
}

async fn take(fixture: &Fixture, seconds: i64) -> Vec<DueReceipt> {
    fixture.store.take_receipts(fixture.tiktok, at(seconds), at(seconds + 600), 10).await.unwrap()
}

fn verdict(id: DeliveryId, confirmation: Confirmation, change: Change) -> VerdictWrite {
    VerdictWrite { id, confirmation, change }
}

async fn verdicts(fixture: &Fixture) -> VerdictAccount {
    let audit = fixture.store.audit().await.unwrap();
    assert!(audit.balanced, "{:?}", audit.differences);
    audit.sinks["tiktok"].verdicts
}

pub(crate) async fn what_is_delivered_under_a_receipt_awaits_its_verdict(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let silent = fixture.settled("silent", change(Status::Delivered)).await;
    assert!(verdicts(&fixture).await.is_empty());
    let ids = shared(&fixture).await;
    assert_eq!(fixture.read(silent).await.confirmation, Confirmation::None);
    for (id, status, confirmation) in [
        (ids[0], Status::Delivered, Confirmation::Awaited),
        (ids[1], Status::Failed, Confirmation::None),
        (ids[2], Status::Delivered, Confirmation::Awaited),
    ] {
        let found = fixture.read(id).await;
        assert_eq!((found.status, found.confirmation), (status, confirmation));
    }
    assert_eq!(verdicts(&fixture).await, VerdictAccount { awaited: 3, ..VerdictAccount::default() });
    let filter =
        DeliveryFilter { confirmation: Some(Confirmation::Awaited), limit: 10, ..DeliveryFilter::default() };
    assert_eq!(fixture.store.deliveries(&filter).await.unwrap().items.len(), 3);

    assert_eq!(fixture.store.next_receipt(fixture.tiktok).await.unwrap(), Some(at(1800)));
    assert_eq!(fixture.store.next_receipt(fixture.google).await.unwrap(), None);
    assert!(take(&fixture, 1799).await.is_empty());
    let due = take(&fixture, 1800).await.remove(0);
    assert_eq!((due.token.as_str(), due.items, due.sent_at), ("request-7", 5, at(0)));
    let awaited: Vec<_> = due.awaited.iter().map(|awaited| (awaited.id, awaited.position)).collect();
    assert_eq!(awaited, [(ids[0], 0), (ids[2], 3), (ids[3], 4)]);
    assert!(due.awaited.iter().all(|awaited| awaited.uncertain == sent() && awaited.waiting_since == at(0)));
}

pub(crate) async fn each_verdict_is_written(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let ids = shared(&fixture).await;
    let due = take(&fixture, 1800).await.remove(0);
    let refused = Change {
        reason: Some("rejected".to_owned()),
        message: Some("CLICK_NOT_FOUND".to_owned()),
        ..change(Status::Failed)
    };
    let again = Change { due_at: Some(at(5400)), tries: 1, uncertain: sent(), ..change(Status::Pending) };
    let written = [
        verdict(ids[0], Confirmation::Confirmed, change(Status::Delivered)),
        verdict(ids[2], Confirmation::Refused, refused),
        verdict(ids[3], Confirmation::None, again),
    ];
    fixture.store.confirm(due.id, &written, at(1801)).await.unwrap();

    let confirmed = fixture.read(ids[0]).await;
    assert_eq!((confirmed.status, confirmed.confirmation), (Status::Delivered, Confirmation::Confirmed));
    assert_eq!(confirmed.settled_at, Some(at(1)), "it was delivered then");
    let refused = fixture.read(ids[2]).await;
    assert_eq!((refused.status, refused.confirmation), (Status::Failed, Confirmation::Refused));
    assert_eq!((refused.reason.as_deref(), refused.settled_at), (Some("rejected"), Some(at(1801))));
    assert_eq!(refused.message.as_deref(), Some("CLICK_NOT_FOUND"));
    let again = fixture.read(ids[3]).await;
    assert_eq!((again.status, again.confirmation), (Status::Pending, Confirmation::None));
    assert_eq!((again.settled_at, again.next_attempt_at), (None, Some(at(5400))));
    let lease = fixture.lease(5400, 10).await.remove(0);
    assert_eq!((lease.id, lease.tries, lease.uncertain), (ids[3], 1, sent()));

    let expected = VerdictAccount { confirmed: 1, refused: 1, ..VerdictAccount::default() };
    assert_eq!(verdicts(&fixture).await, expected);
    assert_eq!(fixture.store.next_receipt(fixture.tiktok).await.unwrap(), None, "the receipt is gone");
    // Once more changes nothing.
    fixture.store.confirm(due.id, &written, at(1900)).await.unwrap();
    assert_eq!(verdicts(&fixture).await, expected);
    assert_eq!(fixture.read(ids[2]).await.settled_at, Some(at(1801)));
}

pub(crate) async fn a_receipt_outlives_the_process(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let ids = shared(&fixture).await;
    let postponed = take(&fixture, 1800).await.remove(0);
    fixture.store.postpone_receipt(postponed.id, at(5400)).await.unwrap();
    drop(fixture);
    let fixture = Fixture::new(backend).await;
    assert_eq!(fixture.store.next_receipt(fixture.tiktok).await.unwrap(), Some(at(5400)));
    let due = take(&fixture, 5400).await.remove(0);
    assert_eq!((due.id, due.token.as_str(), due.awaited.len()), (postponed.id, "request-7", 3));
    assert_eq!(due.awaited[0].id, ids[0]);
    assert_eq!(verdicts(&fixture).await.awaited, 3);
}

pub(crate) async fn what_was_taken_is_due_again_only_later(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    shared(&fixture).await;
    assert_eq!(take(&fixture, 1800).await.len(), 1);
    assert!(take(&fixture, 2399).await.is_empty(), "somebody has it");
    assert_eq!(take(&fixture, 2400).await.len(), 1, "whoever had it is gone");
}

pub(crate) async fn a_verdict_that_nobody_awaits_changes_nothing(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let silent = fixture.settled("silent", change(Status::Delivered)).await;
    let waiting = fixture.leased("waiting").await.id;
    let ids = shared(&fixture).await;
    let due = take(&fixture, 1800).await.remove(0);
    let refused = |id| verdict(id, Confirmation::Refused, change(Status::Failed));
    fixture.store.confirm(due.id, &[silent, waiting, ids[1]].map(refused), at(1801)).await.unwrap();
    assert_eq!(fixture.read(silent).await.status, Status::Delivered);
    assert_eq!(fixture.read(waiting).await.status, Status::Pending);
    assert_eq!(fixture.read(ids[1]).await.confirmation, Confirmation::None);
    assert_eq!(verdicts(&fixture).await.refused, 0);
}

pub(crate) async fn what_was_refused_later_can_be_sent_again(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let ids = shared(&fixture).await;
    let due = take(&fixture, 1800).await.remove(0);
    let written = [
        verdict(ids[0], Confirmation::Refused, change(Status::Failed)),
        verdict(ids[2], Confirmation::Unconfirmed, change(Status::Delivered)),
        verdict(ids[3], Confirmation::Refused, change(Status::Failed)),
    ];
    fixture.store.confirm(due.id, &written, at(1801)).await.unwrap();
    let retry = async |id| fixture.store.retry(id, Driver::Builtin, at(1900)).await.unwrap();
    assert_eq!(retry(ids[0]).await, RetryOutcome::Due);
    assert_eq!(retry(ids[2]).await, RetryOutcome::AlreadyDelivered, "the platform may have counted it");
    let candidates = fixture.store.replayable(&Default::default(), None).await.unwrap();
    let item = candidates.items.iter().find(|found| found.id == ids[3]).unwrap().item();
    let one_a_second = std::num::NonZeroU32::MIN;
    let due = fixture.store.replay(&[item], Driver::Builtin, one_a_second, at(1900)).await.unwrap();
    assert!(due[0].is_some());
    for id in [ids[0], ids[3]] {
        let found = fixture.read(id).await;
        assert_eq!((found.status, found.confirmation), (Status::Pending, Confirmation::None));
    }
    let expected = VerdictAccount { unconfirmed: 1, ..VerdictAccount::default() };
    assert_eq!(verdicts(&fixture).await, expected);
}
