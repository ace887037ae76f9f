//! What is written together is all there, or nothing of it is: the database fails midway.

use conversion_store::{
    Acceptance, Admission, DeliveryFilter, Driver, NoticeChange, NoticeFilter, NoticeOutcome,
    NoticeSettlement, NoticeStatus, RetryOutcome, SettleOutcome, Status,
};

use super::appointments::{known, write};
use super::fixture::{Fixture, admission, at, change, exchange, item, lease, settlement};
use super::notices::notice;
use super::{Backend, Rows};

impl Fixture {
    /// Nothing was ever accepted.
    async fn assert_empty(&self) {
        let filter = DeliveryFilter { limit: 10, ..DeliveryFilter::default() };
        assert!(self.store.deliveries(&filter).await.unwrap().items.is_empty());
        for id in ["one", "both"] {
            assert!(self.store.event("TRIAL_BOOKED", id).await.unwrap().is_none(), "{id}");
        }
        assert!(self.appointments().await.is_empty());
        assert!(self.lease(900, 10).await.is_empty());
        assert_eq!(self.store.audit().await.unwrap().accepted, 0);
        self.assert_balanced().await;
    }
}

pub(crate) async fn events_and_deliveries_are_all_kept_or_none_is(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let one = admission("one", &[fixture.tiktok]);
    let appointment = Some("77".to_owned());
    let both = Admission { appointment, ..admission("both", &[fixture.tiktok, fixture.google]) };
    let admissions = [one, both];
    // The last delivery of all; then, when every row is there, the counters.
    for rows in [Rows::Deliveries, Rows::Counters] {
        backend.refuse(rows, fixture.google);
        fixture.store.accept(&admissions, at(0)).await.unwrap_err();
        fixture.assert_empty().await;
        backend.relent();
    }
    let acceptances = fixture.store.accept(&admissions, at(0)).await.unwrap();
    assert!(acceptances.iter().all(|acceptance| matches!(acceptance, Acceptance::Accepted { .. })));
    for (id, routed) in [("one", &["tiktok"][..]), ("both", &["tiktok", "google-ads"])] {
        let event = fixture.store.event("TRIAL_BOOKED", id).await.unwrap().unwrap();
        assert_eq!(event.routed, routed, "{id}");
        assert_eq!(event.deliveries.len(), routed.len(), "{id}");
    }
    assert_eq!(fixture.appointments().await.len(), 1);
    fixture.assert_balanced().await;
}

pub(crate) async fn a_booking_and_its_event_are_both_kept_or_neither_is(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let told = fixture.keep(notice("acuity", "77"), 0).await;
    let event = admission("both", &[fixture.tiktok, fixture.google]);
    let settlement = NoticeSettlement {
        notices: vec![told],
        change: NoticeChange::Done,
        appointment: Some(write(None, known(0), Some(event))),
    };
    backend.refuse(Rows::Deliveries, fixture.google);
    fixture.store.settle_notices(std::slice::from_ref(&settlement), at(1)).await.unwrap_err();
    fixture.assert_empty().await;
    assert_eq!(fixture.store.known(&["77".to_owned()]).await.unwrap(), [None]);
    let due = fixture.store.due_notices("acuity", at(1), 10).await.unwrap();
    assert_eq!(due.iter().map(|notice| notice.id).collect::<Vec<_>>(), [told]);

    backend.relent();
    assert_eq!(fixture.store.settle_notices(&[settlement], at(2)).await.unwrap(), [NoticeOutcome::Applied]);
    assert_eq!(fixture.notices(NoticeFilter::default()).await[0].status, NoticeStatus::Done);
    assert_eq!(fixture.store.event("TRIAL_BOOKED", "both").await.unwrap().unwrap().deliveries.len(), 2);
    fixture.assert_balanced().await;
}

pub(crate) async fn results_are_all_written_or_none_is(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    fixture.accept(admission("both", &[fixture.tiktok, fixture.google])).await;
    let mut leases = fixture.lease(0, 10).await;
    leases.extend(lease(&*fixture.store, fixture.run, fixture.google, 0, 10).await);
    let settle = || {
        let told = leases
            .iter()
            .map(|lease| settlement(vec![exchange(&[r#"{"id":"own"}"#], Some(200))], vec![item(lease, 0)]));
        let told: Vec<_> = told.collect();
        let store = std::sync::Arc::clone(&fixture.store);
        async move { store.settle(&told, at(1)).await }
    };
    for rows in [Rows::Attempts, Rows::Counters] {
        backend.refuse(rows, fixture.google);
        settle().await.unwrap_err();
        for lease in &leases {
            let detail = fixture.store.delivery(lease.id).await.unwrap().unwrap();
            assert_eq!((detail.delivery.status, detail.delivery.attempts), (Status::Pending, 0));
            assert!(detail.attempts.is_empty());
        }
        assert!(fixture.lease(1, 10).await.is_empty(), "the lease goes on");
        fixture.assert_balanced().await;
        backend.relent();
    }
    assert_eq!(settle().await.unwrap(), [[SettleOutcome::Applied], [SettleOutcome::Applied]]);
    for lease in &leases {
        let delivery = fixture.read(lease.id).await;
        assert_eq!((delivery.status, delivery.attempts), (Status::Delivered, 1));
    }
    fixture.assert_balanced().await;
}

pub(crate) async fn a_retry_moves_row_and_counters_or_neither(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let failed = fixture.settled("a", change(Status::Failed)).await;
    backend.refuse(Rows::Counters, fixture.tiktok);
    fixture.store.retry(failed, Driver::Builtin, at(5)).await.unwrap_err();
    assert_eq!(fixture.read(failed).await.status, Status::Failed);
    fixture.assert_balanced().await;
    backend.relent();
    assert_eq!(fixture.store.retry(failed, Driver::Builtin, at(5)).await.unwrap(), RetryOutcome::Due);
    fixture.assert_balanced().await;
}
