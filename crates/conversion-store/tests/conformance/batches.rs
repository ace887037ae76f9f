//! What is read for many at once.

use std::sync::Arc;

use conversion_store::{
    Admission, Change, DeliveryFilter, DeliveryId, EventFilter, EventRecord, ItemSettlement, Origin, Status,
};

use super::Backend;
use super::fixture::{Fixture, admission, at, change, exchange, item, settlement};

fn naming(id: &str, appointment: &str) -> Admission {
    Admission { appointment: Some(appointment.to_owned()), ..admission(id, &[]) }
}

pub(crate) async fn each_filter_of_events_filters(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    fixture.accept(naming("a", "77")).await;
    fixture.accept(Admission { name: "CANCELLED".into(), ..naming("a", "77") }).await;
    fixture.accept(naming("b", "78")).await;
    fixture.accept(admission("c", &[fixture.google])).await;
    fixture.accept(Admission { origin: Origin::Test, ..naming("test", "77") }).await;
    fixture.store.accept(&[naming("late", "79")], at(60)).await.unwrap();

    let read = async |filter: EventFilter| {
        let (events, next) = fixture.store.events(&EventFilter { limit: 10, ..filter }).await.unwrap();
        assert_eq!(next, None);
        events
    };
    let list = async |filter: EventFilter| {
        let tell = |event: EventRecord| format!("{} {}", event.name, event.id);
        read(filter).await.into_iter().map(tell).collect::<Vec<_>>()
    };
    let all = EventFilter::default;
    let booked = |id: &str| format!("TRIAL_BOOKED {id}");
    let [a, b, c, late] = ["a", "b", "c", "late"].map(booked);
    let cancelled = "CANCELLED a".to_owned();
    assert_eq!(list(all()).await, [&late, &c, &b, &cancelled, &a].map(String::as_str));
    let of = |ids: &[&str]| {
        let appointments = Some(ids.iter().map(|id| (*id).to_owned()).collect());
        EventFilter { appointments, ..all() }
    };
    assert_eq!(list(of(&["77", "79", "nowhere"])).await, [&*late, &*cancelled, &*a]);
    assert!(list(of(&[])).await.is_empty());
    let named = |name: &str| EventFilter { name: Some(name.to_owned()), ..all() };
    assert_eq!(list(named("CANCELLED")).await, [&*cancelled]);
    let with = |id: &str| EventFilter { id: Some(id.to_owned()), ..all() };
    assert_eq!(list(with("a")).await, [&*cancelled, &*a]);
    assert!(list(with("test")).await.is_empty());
    assert_eq!(list(EventFilter { since: Some(at(60)), ..all() }).await, [&*late]);
    let both = EventFilter { name: Some("TRIAL_BOOKED".to_owned()), ..of(&["77"]) };
    assert_eq!(list(both).await, [&*a]);

    let told = read(with("c")).await.remove(0);
    assert_eq!((told.appointment, told.accepted_at), (None, at(0)));
    assert_eq!(
        (told.json.as_deref(), told.routed),
        (Some(&*admission("c", &[]).json), vec!["google-ads".to_owned()])
    );
    assert!(told.deliveries.is_empty());
    assert_eq!(read(with("b")).await[0].appointment.as_deref(), Some("78"));
}

pub(crate) async fn a_list_of_events_goes_on_where_it_stopped(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    for n in 0..5 {
        fixture.accept(admission(&n.to_string(), &[])).await;
    }
    let mut seen = Vec::new();
    let mut filter = EventFilter { limit: 2, ..EventFilter::default() };
    loop {
        let (events, next) = fixture.store.events(&filter).await.unwrap();
        seen.extend(events.iter().map(|event| event.id.clone()));
        let Some(next) = next else { break };
        assert_eq!((events.len(), events.last().map(|event| event.seq)), (2, Some(next)));
        filter.after = Some(next);
    }
    assert_eq!(seen, ["4", "3", "2", "1", "0"]);
}

pub(crate) async fn a_busy_appointment_leaves_room_for_others(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    for n in 0..6 {
        fixture.accept(naming(&format!("busy{n}"), "77")).await;
        fixture.accept(admission(&format!("apart{n}"), &[])).await;
    }
    fixture.accept(naming("quiet", "78")).await;
    let appointments = ["77", "78", "77", "nowhere"].map(str::to_owned);
    let filter = EventFilter {
        appointments: Some(appointments.into()),
        first_of_each: Some(3),
        limit: 6,
        ..EventFilter::default()
    };
    let (events, next) = fixture.store.events(&filter).await.unwrap();
    let ids: Vec<_> = events.iter().map(|event| &*event.id).collect();
    assert_eq!(ids, ["quiet", "busy2", "busy1", "busy0"]);
    assert_eq!(next, None);
}

pub(crate) async fn what_was_accepted_since_is_told_whatever_the_clock_did(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    // The clock is set back by less than a minute twice, and stands still.
    let times = [0, 100, 100, 60, 200, 350, 300, 1000, 1000, 5000];
    for (n, seconds) in times.into_iter().enumerate() {
        let event = admission(&n.to_string(), &[fixture.tiktok]);
        fixture.store.accept(&[event], at(seconds)).await.unwrap();
    }
    for since in [-1, 0, 1, 60, 61, 100, 101, 299, 300, 301, 350, 351, 1000, 1001, 5000, 5001] {
        let accepted = times.iter().enumerate().rev().filter(|(_, seconds)| **seconds >= since);
        let accepted: Vec<_> = accepted.map(|(n, _)| n.to_string()).collect();
        let events = EventFilter { since: Some(at(since)), limit: 100, ..EventFilter::default() };
        let events = fixture.store.events(&events).await.unwrap().0;
        assert_eq!(events.into_iter().map(|event| event.id).collect::<Vec<_>>(), accepted, "{since}");
        let deliveries = DeliveryFilter { since: Some(at(since)), limit: 100, ..DeliveryFilter::default() };
        let deliveries = fixture.store.deliveries(&deliveries).await.unwrap().items;
        let of: Vec<_> = deliveries.into_iter().map(|delivery| delivery.event_id).collect();
        assert_eq!(of, accepted, "{since}");
    }
}

pub(crate) async fn attempts_are_read_where_they_are_asked_for(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let admissions = ["a", "b", "c"].map(|id| admission(id, &[fixture.tiktok]));
    fixture.store.accept(&admissions, at(0)).await.unwrap();
    let leases = fixture.lease(0, 10).await;
    let answered = |(position, lease)| {
        let change = Change { response_code: Some(200), ..change(Status::Delivered) };
        ItemSettlement { change: Some(change), ..item(lease, position) }
    };
    let items = leases.iter().enumerate().map(answered).collect();
    let sent = settlement(vec![exchange(&["\"A\"", "\"B\"", "\"C\""], Some(200))], items);
    fixture.store.settle(&[sent], at(1)).await.unwrap();

    let events = [leases[0].id.event, leases[2].id.event];
    let found = fixture.store.deliveries_of(&events, true).await.unwrap();
    let attempts: Vec<_> = found.iter().map(|delivery| delivery.last_attempt.as_ref().unwrap()).collect();
    let body = &attempts[0].exchange.body;
    assert_eq!((body.len(), body.json()), (3, r#"{"data":["A","C"],"pixel":"P"}"#), "no other's item");
    let own = |index: usize| body.with_item_alone(attempts[index].position).unwrap();
    assert_eq!([own(0), own(1)], ["A", "C"].map(|id| format!(r#"{{"data":["{id}"],"pixel":"P"}}"#)));
    let detail = fixture.store.delivery(leases[0].id).await.unwrap().unwrap();
    assert_eq!(detail.attempts[0].exchange.body.json(), r#"{"data":["A","B","C"],"pixel":"P"}"#);

    let listed = async |with_attempts| {
        let filter = DeliveryFilter { limit: 10, with_attempts, ..DeliveryFilter::default() };
        let items = fixture.store.deliveries(&filter).await.unwrap().items;
        let attempts = items.iter().filter_map(|delivery| delivery.last_attempt.as_ref()).count();
        (attempts, items[0].response_code)
    };
    assert_eq!(listed(true).await, (3, Some(200)));
    assert_eq!(listed(false).await, (0, Some(200)));
    let without = fixture.store.deliveries_of(&events, false).await.unwrap();
    assert!(without.iter().all(|delivery| delivery.last_attempt.is_none() && delivery.attempts == 1));
}

pub(crate) async fn deliveries_of_events_come_with_their_last_attempts(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let both = [fixture.google, fixture.tiktok];
    let admissions = ["a", "b", "c"].map(|id| admission(id, &both));
    fixture.store.accept(&admissions, at(0)).await.unwrap();
    let leases = fixture.lease(0, 10).await;
    let send = async |status, seconds| {
        let items =
            leases.iter().take(2).enumerate().map(|(position, lease)| item(lease, position)).collect();
        let sent = settlement(vec![exchange(&["{}", "{}"], Some(status))], items);
        fixture.store.settle(&[sent], at(seconds)).await.unwrap();
    };
    send(200, 1).await;
    // Stale by now, and recorded all the same.
    send(500, 2).await;

    let events: Vec<_> = leases.iter().map(|lease| lease.id.event).collect();
    let asked = [events[2], events[0], events[1], 4711, events[0]];
    let found = fixture.store.deliveries_of(&asked, true).await.unwrap();
    let ids: Vec<_> = found.iter().map(|delivery| delivery.id).collect();
    let of = |event| [fixture.tiktok, fixture.google].map(|sink| DeliveryId { event, sink });
    assert_eq!(ids, [of(events[0]), of(events[1]), of(events[2])].concat());

    let last = |index: usize| found[index].last_attempt.as_ref();
    let [first, second] = [0, 2].map(|index| last(index).unwrap());
    assert_eq!((first.number, first.position, second.position), (2, 0, 1));
    assert_eq!(first.exchange.reply.as_ref().map(|reply| reply.status), Some(500));
    assert!(Arc::ptr_eq(&first.exchange, &second.exchange), "read once");
    assert!([1, 3, 4, 5].into_iter().all(|index| last(index).is_none()));
    assert!(fixture.store.deliveries_of(&[], true).await.unwrap().is_empty());
}
