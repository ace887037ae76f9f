//! Listing: Acuity has no pages, so that days are halved until an answer is not full.

use std::collections::BTreeMap;

use conversion_core::failure::FailureClass;
use conversion_core::source::BookingSource as _;
use jiff::civil::{Date, date};

use crate::support::{Server, http, raw};

/// An account with so many appointments on each day, cancelled or not, that answers as Acuity documents.
fn account(days: &[(Date, bool, usize)]) -> impl Fn(&str) -> String + use<> {
    let mut appointments: Vec<(Date, bool, String)> = Vec::new();
    for (day, canceled, count) in days {
        for _ in 0..*count {
            let id = appointments.len() + 1;
            let json = format!(r#"{{"id":{id},"datetime":"{day}T10:00:00-0500","canceled":{canceled}}}"#);
            appointments.push((*day, *canceled, json));
        }
    }
    move |target| {
        let query = query(target);
        let (from, to): (Date, Date) = (query["minDate"].parse().unwrap(), query["maxDate"].parse().unwrap());
        let asked = |day: Date, canceled: bool| {
            (from..=to).contains(&day) && canceled.to_string() == query["canceled"]
        };
        let found = appointments.iter().filter(|(day, canceled, _)| asked(*day, *canceled));
        let found: Vec<&str> =
            found.take(query["max"].parse().unwrap()).map(|(_, _, json)| json.as_str()).collect();
        http(200, "", &format!("[{}]", found.join(",")))
    }
}

fn query(target: &str) -> BTreeMap<String, String> {
    let (path, query) = target.split_once('?').unwrap();
    assert_eq!(path, "/prefix/api/v1/appointments");
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Ids that are listed, and the targets that were asked for.
async fn list(server: &Server, from: Date, to: Date) -> (Vec<u32>, Vec<String>) {
    let source = server.source("");
    let listed = source.list(from, to).await.unwrap();
    let ids = listed.iter().map(|raw| source.read(raw).unwrap().id.parse().unwrap()).collect();
    let targets = server.seen().into_iter().map(|request| request.split(' ').nth(1).unwrap().to_owned());
    (ids, targets.collect())
}

#[tokio::test]
async fn both_states_are_asked_for() {
    let (from, to) = (date(2026, 1, 5), date(2026, 1, 11));
    let server =
        Server::start(account(&[(from, false, 2), (to, true, 1), (date(2026, 1, 12), false, 1)])).await;
    let (ids, targets) = list(&server, from, to).await;
    assert_eq!(ids, [1, 2, 3]);
    let asked = "/prefix/api/v1/appointments?minDate=2026-01-05&maxDate=2026-01-11&max=100";
    assert_eq!(targets, [format!("{asked}&canceled=false"), format!("{asked}&canceled=true")]);
}

#[tokio::test]
async fn days_are_halved_while_an_answer_is_full() {
    let (from, to) = (date(2026, 1, 1), date(2026, 1, 4));
    let days =
        [(from, false, 99), (date(2026, 1, 2), false, 1), (date(2026, 1, 3), false, 60), (to, false, 10)];
    let server = Server::start(account(&days)).await;
    let (ids, targets) = list(&server, from, to).await;
    assert_eq!(ids, (1..=170).collect::<Vec<_>>(), "each once, day by day");
    let spans: Vec<(String, String)> = targets
        .iter()
        .map(|target| query(target))
        .filter(|query| query["canceled"] == "false")
        .map(|query| (query["minDate"].clone(), query["maxDate"].clone()))
        .collect();
    let span = |from: &str, to: &str| (format!("2026-01-{from}"), format!("2026-01-{to}"));
    let expected = [span("01", "04"), span("01", "02"), span("01", "01"), span("02", "02"), span("03", "04")];
    assert_eq!(spans, expected, "exactly 100 may be all or a part");
}

#[tokio::test]
async fn of_a_full_day_more_is_asked_for() {
    let day = date(2026, 1, 1);
    let server = Server::start(account(&[(day, false, 5), (day, true, 250)])).await;
    let (ids, targets) = list(&server, day, day).await;
    assert_eq!(ids.len(), 255);
    let asked: Vec<String> = targets.iter().map(|target| query(target)["max"].clone()).collect();
    assert_eq!(asked, ["100", "100", "200", "400"]);
}

/// An Acuity that gives 100 at most, whatever it is asked for, would else be taken to have no more.
#[tokio::test]
async fn a_day_that_may_be_cut_is_refused() {
    let day = date(2026, 1, 1);
    let server = Server::start(account(&[(day, false, 100)])).await;
    let failure = server.source("").list(day, day).await.unwrap_err();
    assert_eq!(failure.code.as_deref(), Some("too_many_appointments"));
    let message =
        "Acuity lists 100 appointments on 2026-01-01, asked for 200: it may have more and not show them";
    assert_eq!(failure.message, message);
}

/// The list goes to the service, which needs neither links with a client's key nor what nobody asked for.
#[tokio::test]
async fn no_more_is_listed_than_is_read() {
    let appointment = include_str!("appointment.json");
    let server = Server::answering(http(200, "", &format!("[{appointment},5]"))).await;
    let day = date(2026, 1, 1);
    for (fields, has_click) in [("", false), ("[fields]\ngclid = 124\n", true)] {
        let source = server.source(fields);
        let listed = source.list(day, day).await.unwrap();
        assert_eq!(source.read(&listed[0]), source.read(&raw(&appointment)));
        assert_eq!(listed[1].get(), "null");
        let listed = listed[0].get();
        for private in ["PRIVATE", "E.C.P.x", "Grace Hopper", "Instrument"] {
            assert!(appointment.contains(private) && !listed.contains(private), "{private}: {listed}");
        }
        assert_eq!(listed.contains("Cj0KCQ"), has_click, "{listed}");
    }
}

#[tokio::test]
async fn a_day_without_end_is_refused_and_not_cut() {
    let day = date(2026, 1, 1);
    let server = Server::start(account(&[(day, false, 3200)])).await;
    let failure = server.source("").list(day, day).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Rejected);
    assert_eq!(failure.code.as_deref(), Some("too_many_appointments"));
    assert_eq!(failure.message, "Acuity has 3200 appointments or more on 2026-01-01, too many to list");
}

#[tokio::test]
async fn no_days_are_no_requests() {
    let server = Server::start(account(&[])).await;
    let (ids, targets) = list(&server, date(2026, 1, 2), date(2026, 1, 1)).await;
    assert!(ids.is_empty() && targets.is_empty());
}

#[tokio::test]
async fn a_list_fails_as_a_whole() {
    let first_only = |target: &str| {
        if target.ends_with("canceled=false") { http(200, "", "[]") } else { http(500, "", "") }
    };
    let server = Server::start(first_only).await;
    let failure = server.source("").list(date(2026, 1, 1), date(2026, 1, 2)).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Unavailable { retry_after: None });
}
