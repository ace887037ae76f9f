//! Appointments, from booking systems and from events that name them.

use conversion_core::booking::Known;
use conversion_core::money::Amount;
use conversion_store::{
    Admission, AppointmentFilter, AppointmentRecord, AppointmentWrite, NewNotice, NoticeChange, NoticeFilter,
    NoticeId, NoticeOutcome, NoticeSettlement, NoticeStatus, Origin, OwnedAppointment,
};

use super::Backend;
use super::fixture::{Fixture, admission, at};
use super::notices::notice;

pub(super) fn known(revision: u32) -> Known {
    Known {
        revision,
        is_trial: true,
        service: "trial".to_owned(),
        starts_at: Some(at(9_000)),
        is_canceled: false,
        value: Some(Amount::parse("50.00").unwrap()),
    }
}

pub(super) fn write(before: Option<Known>, known: Known, event: Option<Admission>) -> AppointmentWrite {
    AppointmentWrite {
        id: "77".to_owned(),
        source: "acuity".to_owned(),
        before: before.map(|known| OwnedAppointment { source: "acuity".to_owned(), known }),
        known,
        booked_at: Some(at(-60)),
        details: r#"{"eventId":"","email":"acuity@example.com","clickIds":{"ttclid":"T-acuity"}}"#.into(),
        event,
    }
}

/// An event that names appointment 77 and says this of it.
fn naming(fixture: &Fixture, id: &str, json: &str) -> Admission {
    Admission {
        appointment: Some("77".to_owned()),
        json: json.into(),
        ..admission(id, &[fixture.tiktok, fixture.google])
    }
}

/// Another notice of the same appointment.
fn again() -> NewNotice {
    NewNotice { action: "changed".to_owned(), ..notice("acuity", "77") }
}

fn done(notices: &[NoticeId], write: AppointmentWrite) -> NoticeSettlement {
    NoticeSettlement { notices: notices.to_vec(), change: NoticeChange::Done, appointment: Some(write) }
}

impl Fixture {
    async fn settle_booking(&self, settlement: NoticeSettlement, seconds: i64) -> NoticeOutcome {
        self.store.settle_notices(&[settlement], at(seconds)).await.unwrap()[0]
    }

    pub(super) async fn appointments(&self) -> Vec<AppointmentRecord> {
        let filter = AppointmentFilter { limit: 100, ..AppointmentFilter::default() };
        self.store.appointments(&filter).await.unwrap().0
    }

    async fn known(&self) -> Option<Known> {
        self.store.known(&["77".to_owned()]).await.unwrap().remove(0).map(|owned| owned.known)
    }

    async fn details(&self) -> String {
        self.appointments().await.remove(0).details.unwrap()
    }
}

pub(crate) async fn a_booking_is_written_with_its_event_and_deliveries(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let notices = [fixture.keep(notice("acuity", "77"), 0).await, fixture.keep(again(), 1).await];
    let event = naming(&fixture, "appt-77", "{}");
    let settlement = done(&notices, write(None, known(0), Some(event)));
    assert_eq!(fixture.settle_booking(settlement, 5).await, NoticeOutcome::Applied);

    for notice in fixture.notices(NoticeFilter::default()).await {
        assert_eq!((notice.status, notice.due_at), (NoticeStatus::Done, None));
        assert_eq!(notice.event, Some(("TRIAL_BOOKED".to_owned(), "appt-77".to_owned())));
    }
    let event = fixture.store.event("TRIAL_BOOKED", "appt-77").await.unwrap().unwrap();
    assert_eq!((event.accepted_at, event.deliveries.len()), (at(5), 2));
    assert_eq!(event.appointment.as_deref(), Some("77"));
    assert_eq!(fixture.lease(5, 10).await[0].id.event, event.seq);

    let [appointment] = &fixture.appointments().await[..] else { panic!("one was made") };
    assert_eq!((&*appointment.id, appointment.source.as_deref()), ("77", Some("acuity")));
    assert_eq!((&appointment.known, appointment.booked_at), (&Some(known(0)), Some(at(-60))));
    assert_eq!((appointment.created_at, appointment.updated_at), (at(5), at(5)));
    let details = r#"{"clickIds":{"ttclid":"T-acuity"},"email":"acuity@example.com"}"#;
    assert_eq!(appointment.details.as_deref(), Some(details));
    fixture.assert_balanced().await;
}

pub(crate) async fn of_two_writes_from_the_same_state_the_second_is_stale(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let notices = [fixture.keep(notice("acuity", "77"), 0).await, fixture.keep(again(), 0).await];
    let settle = |notice, id: &str, before, after| {
        done(&[notice], write(before, after, Some(naming(&fixture, id, "{}"))))
    };
    let both = [settle(notices[0], "appt-77", None, known(0)), settle(notices[1], "twin", None, known(0))];
    let outcomes = fixture.store.settle_notices(&both, at(5)).await.unwrap();
    assert_eq!(outcomes, [NoticeOutcome::Applied, NoticeOutcome::Stale]);
    assert!(fixture.store.event("TRIAL_BOOKED", "twin").await.unwrap().is_none());
    let pending = NoticeFilter { status: Some(NoticeStatus::Pending), ..NoticeFilter::default() };
    assert_eq!(fixture.notices(pending.clone()).await[0].id, notices[1]);

    let canceled = Known { is_canceled: true, ..known(1) };
    let settlement = settle(notices[1], "appt-77-1", Some(known(0)), canceled.clone());
    assert_eq!(fixture.settle_booking(settlement, 6).await, NoticeOutcome::Applied);
    assert_eq!(fixture.known().await, Some(canceled.clone()));
    let late = settle(notices[1], "late", Some(known(0)), known(1));
    assert_eq!(fixture.settle_booking(late, 7).await, NoticeOutcome::Stale);

    let of = |source: &str, known| Some(OwnedAppointment { source: source.to_owned(), known });
    let other = AppointmentWrite { before: of("another", canceled.clone()), ..write(None, known(2), None) };
    assert_eq!(fixture.settle_booking(done(&[], other), 8).await, NoticeOutcome::Stale);
    assert_eq!(fixture.known().await, Some(canceled));
    assert!(fixture.notices(pending).await.is_empty());
    assert_eq!(fixture.store.audit().await.unwrap().accepted, 2);
    fixture.assert_balanced().await;
}

pub(crate) async fn an_appointment_changes_its_source_where_that_was_known(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let settle = async |write| fixture.settle_booking(done(&[], write), 5).await;
    assert_eq!(settle(write(None, known(0), None)).await, NoticeOutcome::Applied);
    let renamed = |before| AppointmentWrite { source: "renamed".to_owned(), ..write(before, known(1), None) };
    assert_eq!(settle(renamed(None)).await, NoticeOutcome::Stale);
    assert_eq!(settle(renamed(Some(known(0)))).await, NoticeOutcome::Applied);
    let [appointment] = &fixture.appointments().await[..] else { panic!("it is one") };
    assert_eq!((appointment.source.as_deref(), &appointment.known), (Some("renamed"), &Some(known(1))));
    let late = write(Some(known(1)), known(2), None);
    assert_eq!(settle(late).await, NoticeOutcome::Stale, "it is no longer what the former source knew");
}

pub(crate) async fn a_booking_whose_event_is_known_is_written_all_the_same(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    fixture.accept(admission("appt-77", &[fixture.tiktok])).await;
    let kept = fixture.keep(notice("acuity", "77"), 0).await;
    let again = naming(&fixture, "appt-77", "{}");
    let outcome = fixture.settle_booking(done(&[kept], write(None, known(0), Some(again))), 5).await;
    assert_eq!(outcome, NoticeOutcome::Applied);
    assert_eq!(fixture.known().await, Some(known(0)));
    assert!(fixture.notices(NoticeFilter::default()).await[0].event.is_some());
    let event = fixture.store.event("TRIAL_BOOKED", "appt-77").await.unwrap().unwrap();
    assert_eq!((event.deliveries.len(), event.appointment), (1, None), "the first stands");
    fixture.assert_balanced().await;
}

pub(crate) async fn what_is_known_is_told_in_the_order_asked(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let bare = Known { starts_at: None, value: None, is_trial: false, ..known(3) };
    let second = AppointmentWrite { id: "78".to_owned(), ..write(None, bare.clone(), None) };
    for write in [write(None, known(0), None), second] {
        assert_eq!(fixture.settle_booking(done(&[], write), 5).await, NoticeOutcome::Applied);
    }
    fixture.accept(Admission { appointment: Some("79".to_owned()), ..admission("e", &[]) }).await;

    let ids = ["78", "nowhere", "77", "79", "78"].map(str::to_owned);
    let told = fixture.store.known(&ids).await.unwrap();
    let told: Vec<_> = told.into_iter().map(|owned| owned.map(|owned| (owned.source, owned.known))).collect();
    let of = |known| Some(("acuity".to_owned(), known));
    assert_eq!(told, [of(bare.clone()), None, of(known(0)), None, of(bare)]);
}

pub(crate) async fn an_event_makes_its_appointment_and_later_ones_add_to_it(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let accept = async |id: &str, json: &str, seconds| {
        fixture.store.accept(&[naming(&fixture, id, json)], at(seconds)).await.unwrap();
    };
    accept("a", r#"{"eventId":"a","email":"a@example.com","value":50.00,"clickIds":{"gclid":"G"}}"#, 1).await;
    accept("b", r#"{"eventId":"b","email":"b@example.com","clickIds":{"ttclid":"T"}}"#, 2).await;
    let expected = r#"{"clickIds":{"gclid":"G","ttclid":"T"},"email":"b@example.com","value":50.00}"#;
    assert_eq!(fixture.details().await, expected);

    accept("a", r#"{"eventId":"a","email":"duplicate@example.com"}"#, 3).await;
    let test = naming(&fixture, "t", r#"{"email":"test@example.com"}"#);
    let elsewhere = Admission { appointment: Some("test".to_owned()), ..test.clone() };
    let tests = [test, elsewhere].map(|test| Admission { origin: Origin::Test, ..test });
    fixture.store.accept(&tests, at(4)).await.unwrap();

    let [appointment] = &fixture.appointments().await[..] else { panic!("one was made") };
    assert_eq!(appointment.details.as_deref(), Some(expected));
    assert_eq!((&appointment.source, &appointment.known), (&None, &None));
    assert_eq!((appointment.created_at, appointment.updated_at), (at(1), at(2)));
}

pub(crate) async fn what_a_booking_system_tells_wins_over_events(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let said =
        r#"{"eventId":"a","email":"site@example.com","phone":"1","clickIds":{"gclid":"G","ttclid":"T"}}"#;
    fixture.store.accept(&[naming(&fixture, "a", said)], at(1)).await.unwrap();
    let outcome = fixture.settle_booking(done(&[], write(None, known(0), None)), 2).await;
    assert_eq!(outcome, NoticeOutcome::Applied);
    let merged = r#"{"clickIds":{"gclid":"G","ttclid":"T-acuity"},"email":"acuity@example.com","phone":"1"}"#;
    assert_eq!(fixture.details().await, merged);

    let later = naming(&fixture, "b", r#"{"eventId":"b","email":"later@example.com"}"#);
    fixture.store.accept(&[later], at(3)).await.unwrap();
    assert_eq!(fixture.details().await, merged);
    assert_eq!(fixture.known().await, Some(known(0)));
    let appointment = fixture.appointments().await.remove(0);
    assert_eq!((appointment.created_at, appointment.updated_at), (at(1), at(3)));
}

pub(crate) async fn appointments_are_listed_the_latest_made_first(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    for n in 0..5 {
        let id = n.to_string();
        fixture.accept(Admission { appointment: Some(id.clone()), ..admission(&id, &[]) }).await;
    }
    let mut seen = Vec::new();
    let mut filter = AppointmentFilter { limit: 2, ..AppointmentFilter::default() };
    loop {
        let (appointments, next) = fixture.store.appointments(&filter).await.unwrap();
        seen.extend(appointments.iter().map(|appointment| appointment.id.clone()));
        let Some(next) = next else { break };
        assert_eq!(appointments.len(), 2);
        filter.after = Some(next);
    }
    assert_eq!(seen, ["4", "3", "2", "1", "0"]);
    let one = AppointmentFilter { id: Some("3".to_owned()), limit: 10, after: None };
    let (one, next) = fixture.store.appointments(&one).await.unwrap();
    assert_eq!((one.len(), &*one[0].id, next), (1, "3", None));
}
