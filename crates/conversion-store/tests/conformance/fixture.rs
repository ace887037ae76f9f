//! A store with two sinks and a run, and short ways to say what the rules are about.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::exchange::{Body, Exchange, Header, HeaderValue, Reply, Request};
use conversion_core::secret::Secret;
use conversion_store::{
    Acceptance, Admission, Attempt, Change, DeliveryId, DeliveryRecord, Driver, ItemSettlement, Lease,
    LeaseRequest, NewDelivery, Origin, RunId, SettleOutcome, Settlement, SinkId, SinkRegistration, Status,
    Store,
};
use serde_json::value::RawValue;

use super::Backend;

/// A store at work.
pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) run: RunId,
    pub(crate) tiktok: SinkId,
    pub(crate) google: SinkId,
}

impl Fixture {
    /// Opens the store and starts a run, alive for a long time.
    pub(crate) async fn new(backend: &impl Backend) -> Self {
        let store = backend.open();
        let run = store.start_run(at(0), at(1_000_000)).await.unwrap();
        let sinks =
            store.register_sinks(&[registration("tiktok"), registration("google-ads")]).await.unwrap();
        Self { store, run, tiktok: sinks[0].id, google: sinks[1].id }
    }

    /// Accepts one event and returns its number.
    pub(crate) async fn accept(&self, admission: Admission) -> i64 {
        match self.store.accept(&[admission], at(0)).await.unwrap()[..] {
            [Acceptance::Accepted { event }] => event,
            ref other => panic!("not accepted: {other:?}"),
        }
    }

    /// Accepts one event for TikTok, due now, and returns its delivery.
    pub(crate) async fn delivery(&self, id: &str) -> DeliveryId {
        let event = self.accept(admission(id, &[self.tiktok])).await;
        DeliveryId { event, sink: self.tiktok }
    }

    /// Leases for TikTok.
    pub(crate) async fn lease(&self, seconds: i64, limit: usize) -> Vec<Lease> {
        lease(&*self.store, self.run, self.tiktok, seconds, limit).await
    }

    /// Accepts one event for TikTok and leases it.
    pub(crate) async fn leased(&self, id: &str) -> Lease {
        let delivery = self.delivery(id).await;
        let mut leases = self.lease(0, 10).await;
        assert_eq!(leases.len(), 1);
        let lease = leases.remove(0);
        assert_eq!(lease.id, delivery);
        lease
    }

    /// Accepts one event for TikTok and settles it.
    pub(crate) async fn settled(&self, id: &str, change: Change) -> DeliveryId {
        let lease = self.leased(id).await;
        assert_eq!(self.settle(&lease, change, 1).await, SettleOutcome::Applied);
        lease.id
    }

    /// Settles one delivery with an exchange of its own.
    pub(crate) async fn settle(&self, lease: &Lease, change: Change, seconds: i64) -> SettleOutcome {
        let item = ItemSettlement { change: Some(change), ..item(lease, 0) };
        let settlement = settlement(vec![exchange(&[r#"{"id":"own"}"#], Some(200))], vec![item]);
        self.store.settle(&[settlement], at(seconds)).await.unwrap()[0][0]
    }

    /// The delivery as it stands.
    pub(crate) async fn read(&self, delivery: DeliveryId) -> DeliveryRecord {
        self.store.delivery(delivery).await.unwrap().unwrap().delivery
    }

    /// The account is balanced.
    pub(crate) async fn assert_balanced(&self) {
        let audit = self.store.audit().await.unwrap();
        assert!(audit.balanced, "{:?}", audit.differences);
    }
}

/// Runs a rule.
pub(crate) fn block_on(rule: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(rule);
}

/// A time, this many seconds into the test.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(crate) fn registration(name: &str) -> SinkRegistration {
    SinkRegistration {
        name: name.to_owned(),
        kind: name.to_owned(),
        platform: name.to_uppercase().replace('-', "_"),
        fingerprint: [7; 16],
        targets: BTreeMap::new(),
    }
}

/// A live event for these sinks, due now.
pub(crate) fn admission(id: &str, sinks: &[SinkId]) -> Admission {
    let new =
        |sink: &SinkId| NewDelivery { sink: *sink, due_at: at(0), leased_to: None, driver: Driver::Builtin };
    Admission {
        name: "TRIAL_BOOKED".into(),
        id: id.into(),
        conversion_id: None,
        json: format!(r#"{{"eventId":"{id}","pad":"{}"}}"#, "signal ".repeat(60)).into(),
        fingerprint: [1; 16],
        origin: Origin::Live,
        appointment: None,
        deliveries: sinks.iter().map(new).collect(),
    }
}

pub(crate) async fn lease(
    store: &dyn Store,
    run: RunId,
    sink: SinkId,
    seconds: i64,
    limit: usize,
) -> Vec<Lease> {
    store.lease(LeaseRequest { sink, run, now: at(seconds), limit }).await.unwrap()
}

/// A change to this state and nothing else.
pub(crate) fn change(status: Status) -> Change {
    Change {
        status,
        reason: None,
        message: None,
        due_at: None,
        waiting_since: None,
        tries: 0,
        uncertain: None,
        response_code: None,
        consent: None,
    }
}

/// Parked under a hold.
pub(crate) fn parked() -> Change {
    Change {
        reason: Some(conversion_store::HELD.to_owned()),
        message: Some("The token was refused".to_owned()),
        due_at: Some(at(900_000)),
        ..change(Status::Pending)
    }
}

/// The delivery was delivered at this position of the first exchange.
pub(crate) fn item(lease: &Lease, position: usize) -> ItemSettlement {
    ItemSettlement {
        id: lease.id,
        fence: lease.fence,
        attempts: vec![Attempt { exchange: 0, position, result: "delivered", note: None }],
        change: Some(change(Status::Delivered)),
    }
}

pub(crate) fn settlement(exchanges: Vec<Exchange>, items: Vec<ItemSettlement>) -> Settlement {
    Settlement { exchanges, sent_at: at(0), items, receipt: None }
}

/// A request with these items, answered with this status if at all, within 1.5 s.
pub(crate) fn exchange(items: &[&str], status: Option<u16>) -> Exchange {
    let items: Vec<_> = items.iter().map(|item| RawValue::from_string((*item).to_owned()).unwrap()).collect();
    let body = Body::compose(r#"{"data":["#, items.iter().map(AsRef::as_ref), r#"],"pixel":"P"}"#);
    let token = Header { name: "access-token", value: HeaderValue::Secret(Secret::new("hunter2")) };
    let request =
        Request { url: "https://platform.test/track".to_owned(), headers: vec![Header::json(), token], body };
    Exchange {
        request: Arc::new(request),
        reply: status.map(|status| Reply { status, body: r#"{"code":0}"#.repeat(40), truncated: true }),
        duration: Duration::from_millis(1500),
    }
}
