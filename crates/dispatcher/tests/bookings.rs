//! Notices and what becomes of them, with a booking system that does what none should.
#![expect(clippy::unwrap_used, reason = "clippy's leave for tests does not reach their helpers")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use conversion_core::booking::Appointment;
use conversion_core::failure::{Failure, FailureClass};
use conversion_core::registry::{BuiltSource, SourcePlugin};
use conversion_core::sink::CheckReport;
use conversion_core::source::{BookingSource, NotGenuine, Notice, SourceDescriptor};
use conversion_core::{CanonicalEvent, Timestamp};
use conversion_store::{Access, NoticeFilter, NoticeRecord, NoticeRetry, NoticeStatus, Store, StoreError};
use jiff::civil::Date;
use serde_json::value::RawValue;
use signalbox::api::router;
use signalbox::{Clock, Config, Environment, Service};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tower_service::Service as _;

/// Fetches of the appointment "refused", and of "slow", which waits for leave.
static REFUSED: AtomicU32 = AtomicU32::new(0);
static SLOW: AtomicU32 = AtomicU32::new(0);
static LEAVE: Semaphore = Semaphore::const_new(0);

/// A booking system that has every appointment, and all of them booked by one person.
#[derive(Debug)]
struct Fake {
    email: String,
}

static DESCRIPTOR: SourceDescriptor = SourceDescriptor {
    kind: "fake",
    title: "Fake",
    docs: "https://example.com",
    signature_header: "x-fake",
    booking_hosts: &[],
    environment: &[],
    example: "",
};

fn build(settings: toml::Table) -> BuiltSource {
    let (_, email) = settings.into_iter().find(|(setting, _)| setting == "email").unwrap();
    Ok(Arc::new(Fake { email: email.as_str().unwrap().to_owned() }))
}

inventory::submit! {
    SourcePlugin { descriptor: &DESCRIPTOR, build }
}

#[async_trait]
impl BookingSource for Fake {
    /// The body is the appointment's id.
    fn receive(&self, _: Option<&[u8]>, body: &[u8]) -> Result<Notice, NotGenuine> {
        let appointment = String::from_utf8(body.to_vec()).unwrap();
        Ok(Notice { action: "changed".to_owned(), appointment: Ok(appointment) })
    }

    async fn fetch(&self, id: &str) -> Result<Appointment, Failure> {
        match id {
            "breaks" => panic!("on purpose"),
            "refused" => {
                REFUSED.fetch_add(1, Ordering::SeqCst);
                Err(Failure::new(FailureClass::Rejected, "it cannot be had"))
            }
            "slow" => {
                SLOW.fetch_add(1, Ordering::SeqCst);
                LEAVE.acquire().await.unwrap().forget();
                Err(Failure::new(FailureClass::Rejected, "it cannot be had"))
            }
            "gone" => {
                Err(Failure::new(FailureClass::Rejected, "there is no such appointment").with_code("404"))
            }
            _ => Ok(Appointment {
                id: id.to_owned(),
                is_trial: true,
                service: "1".to_owned(),
                starts_at: Some(Timestamp::from_second(1_900_000_000).unwrap()),
                booked_at: None,
                is_canceled: false,
                details: CanonicalEvent {
                    email: Some(self.email.clone()),
                    ..CanonicalEvent::new("", "", Timestamp::UNIX_EPOCH)
                },
                unwanted: None,
            }),
        }
    }

    async fn list(&self, _: Date, _: Date) -> Result<Vec<Box<RawValue>>, Failure> {
        Ok(Vec::new())
    }

    fn read(&self, _: &RawValue) -> Result<Appointment, String> {
        Err("it is never listed".to_owned())
    }

    async fn check(&self) -> Result<CheckReport, Failure> {
        Ok(CheckReport { summary: String::new() })
    }

    fn attribution_parameter(&self) -> Option<String> {
        None
    }
}

/// A running service with sources of these names, whose client has this address.
async fn start(folder: &TempDir, sources: &[&str], email: &str) -> Service {
    let store = folder.path().join("signalbox.db");
    let store = format!("sqlite://{}", store.display());
    let sources = sources
        .iter()
        .map(|name| format!("[[sources]]\nkind = 'fake'\nname = '{name}'\nemail = '{email}'\n"));
    let table = sources.collect::<String>().parse().unwrap();
    let config = Config::from_table(table, &Environment::default()).unwrap();
    Service::start(config, open(&store).await, Clock::running()).await.unwrap()
}

/// The store, once a service that was just stopped has let go of it.
async fn open(url: &str) -> Arc<dyn Store> {
    for _ in 0..6000 {
        match conversion_store::open(url, Access::ReadWrite) {
            Err(StoreError::InUse(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
            opened => return opened.unwrap(),
        }
    }
    panic!("the store was never free");
}

async fn receive(service: &Service, source: &str, appointment: &str) {
    let desk = service.desk(source).unwrap();
    let notice = desk.read(None, appointment.as_bytes()).unwrap();
    desk.keep(vec![notice]).await.unwrap();
}

/// The latest notice of the appointment, once it is no longer pending.
async fn settled(service: &Service, appointment: &str) -> NoticeRecord {
    let filter =
        NoticeFilter { appointment: Some(appointment.to_owned()), limit: 1, ..NoticeFilter::default() };
    for _ in 0..6000 {
        let (mut notices, _) = service.store.notices(&filter).await.unwrap();
        match notices.pop() {
            Some(notice) if notice.status != NoticeStatus::Pending => return notice,
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("{appointment} never settled");
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    for _ in 0..6000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

/// Asks the API, and hangs up at once: the answer is looked at once and then no more.
async fn post_and_hang_up(service: &Arc<Service>, path: &str) {
    let answer = router(Arc::clone(service)).call(Request::post(path).body(Body::empty()).unwrap());
    tokio::select! {
        biased;
        _ = answer => panic!("it was answered at once"),
        () = std::future::ready(()) => {}
    }
}

/// The status of the answer to a webhook.
async fn webhook(service: &Arc<Service>, appointment: &'static str) -> u16 {
    let mut request = Request::post("/api/webhooks/fake/fake").body(Body::from(appointment)).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([203, 0, 113, 9], 1))));
    router(Arc::clone(service)).call(request).await.unwrap().status().as_u16()
}

fn told(notice: &NoticeRecord) -> (NoticeStatus, &str, &str) {
    let (reason, message) = (notice.reason.as_deref(), notice.message.as_deref());
    (notice.status, reason.unwrap_or_default(), message.unwrap_or_default())
}

#[tokio::test]
async fn an_appointment_on_which_the_connector_breaks_costs_the_others_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let service = start(&folder, &["fake"], "ada@example.com").await;
    for appointment in ["breaks", "gone", "7"] {
        receive(&service, "fake", appointment).await;
    }
    let message = "the connector broke on this appointment";
    let broken = settled(&service, "breaks").await;
    assert_eq!(told(&broken), (NoticeStatus::Failed, "internal_error", message));
    let gone = settled(&service, "gone").await;
    assert_eq!(told(&gone), (NoticeStatus::Failed, "rejected", "there is no such appointment (404)"));
    let done = settled(&service, "7").await;
    assert_eq!(done.event, Some(("TRIAL_BOOKED".to_owned(), "appt-7".to_owned())));
    assert!(service.desk("fake").unwrap().gate.is_open(), "neither is the booking system's fault");
}

#[tokio::test]
async fn what_makes_no_valid_event_can_be_retried_once_it_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let service = start(&folder, &["fake"], &"x".repeat(400)).await;
    receive(&service, "fake", "7").await;
    let refused = settled(&service, "7").await;
    let message = "email: must have at most 320 characters, not 400";
    assert_eq!(told(&refused), (NoticeStatus::Failed, "unusable_event", message));
    service.stop().await;
    drop(service);

    let service = start(&folder, &["fake"], "ada@example.com").await;
    let now = service.clock.now();
    assert_eq!(service.store.retry_notice(refused.id, now).await.unwrap(), NoticeRetry::Due);
    service.desk("fake").unwrap().alarm.set(now);
    let done = settled(&service, "7").await;
    assert_eq!((done.status, done.event.unwrap().1.as_str()), (NoticeStatus::Done, "appt-7"));
    let event = service.store.event("TRIAL_BOOKED", "appt-7").await.unwrap().unwrap();
    assert_eq!(event.deliveries.len(), 2, "one for each sink");
}

#[tokio::test]
async fn two_accounts_do_not_tell_of_one_appointment() {
    let folder = tempfile::tempdir().unwrap();
    let service = start(&folder, &["first", "second"], "ada@example.com").await;
    receive(&service, "first", "7").await;
    assert_eq!(settled(&service, "7").await.status, NoticeStatus::Done);
    receive(&service, "second", "7").await;
    let message = "the source first tells of this appointment, and it alone";
    assert_eq!(told(&settled(&service, "7").await), (NoticeStatus::Failed, "other_source", message));
}

#[tokio::test]
async fn a_renamed_source_goes_on_with_its_appointments() {
    let folder = tempfile::tempdir().unwrap();
    let service = start(&folder, &["first"], "ada@example.com").await;
    receive(&service, "first", "7").await;
    assert_eq!(settled(&service, "7").await.status, NoticeStatus::Done);
    service.stop().await;
    drop(service);

    let service = start(&folder, &["renamed"], "ada@example.com").await;
    receive(&service, "renamed", "7").await;
    let message = "nothing of interest has changed";
    assert_eq!(told(&settled(&service, "7").await), (NoticeStatus::Ignored, "no_change", message));
    let owned = service.store.known(&["7".to_owned()]).await.unwrap().remove(0).unwrap();
    assert_eq!(owned.source, "renamed");
}

#[tokio::test]
async fn what_is_asked_for_is_worked_off_though_the_caller_hangs_up() {
    let folder = tempfile::tempdir().unwrap();
    let service = Arc::new(start(&folder, &["fake"], "ada@example.com").await);
    receive(&service, "fake", "refused").await;
    let refused = settled(&service, "refused").await;
    post_and_hang_up(&service, &format!("/api/notices/{}/retry", refused.id.0)).await;
    until("another fetch", async || REFUSED.load(Ordering::SeqCst) == 2).await;

    let desk = service.desk("fake").unwrap();
    let notice = desk.read(None, b"7").unwrap();
    // Asked once, and then no more.
    tokio::select! {
        biased;
        kept = desk.keep(vec![notice]) => kept.unwrap(),
        () = std::future::ready(()) => {}
    }
    assert_eq!(settled(&service, "7").await.status, NoticeStatus::Done);

    // Nothing is configured for the platforms: it is skipped, again and again.
    let delivery =
        async || service.store.event("TRIAL_BOOKED", "appt-7").await.unwrap().unwrap().deliveries.remove(0);
    until("a skip", async || delivery().await.settled_at.is_some()).await;
    let before = delivery().await;
    post_and_hang_up(&service, &format!("/api/deliveries/{}/retry", before.id)).await;
    until("another skip", async || {
        delivery().await.settled_at.is_some_and(|settled_at| Some(settled_at) > before.settled_at)
    })
    .await;
}

#[tokio::test]
async fn what_comes_again_gets_one_more_fetch_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let service = start(&folder, &["fake"], "ada@example.com").await;
    receive(&service, "fake", "slow").await;
    until("a fetch", async || SLOW.load(Ordering::SeqCst) == 1).await;
    // The fetch under way may not show what these are about; one more does.
    for _ in 0..5 {
        receive(&service, "fake", "slow").await;
    }
    LEAVE.add_permits(10);
    settled(&service, "slow").await;
    let filter = NoticeFilter { limit: 10, ..NoticeFilter::default() };
    assert_eq!(service.store.notices(&filter).await.unwrap().0.len(), 2);
    assert_eq!(SLOW.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn webhooks_have_a_room_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let service = Arc::new(start(&folder, &["fake"], "ada@example.com").await);
    let own = service.webhook_room.available_permits();
    let taken = service.webhook_room.try_acquire_many(u32::try_from(own).unwrap()).unwrap();
    assert_eq!(webhook(&service, "8").await, 503, "nothing is read that there is no room for");
    drop(taken);
    let others = service.body_room.available_permits();
    let _taken = service.body_room.try_acquire_many(u32::try_from(others).unwrap()).unwrap();
    assert_eq!(webhook(&service, "8").await, 200);
    assert_eq!(service.webhook_room.available_permits(), own);
}
