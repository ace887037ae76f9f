//! Acuity's API: who may ask, what it shows, and how much it takes.

use std::collections::BTreeMap;

use platform_sandbox::{AcuitySettings, Booking, Edit};
use serde_json::{Value, json};

use crate::harness::{Running, read};

fn booking(datetime: &str) -> Booking {
    Booking { datetime: datetime.to_owned(), ..Booking::default() }
}

async fn get(running: &Running, path: &str) -> (u16, Value) {
    let path = format!("/api/v1/{path}");
    read(running.get(&path).basic_auth("1", Some("sandbox-acuity-key"))).await
}

/// A sandbox without Acuity's limit on requests.
async fn unlimited() -> Running {
    let running = Running::start().await;
    running.sandbox.acuity().configure(AcuitySettings { max_rps: 0, ..AcuitySettings::default() });
    running
}

#[tokio::test]
async fn only_with_the_right_user_and_key() {
    let running = unlimited().await;
    let id = running.sandbox.acuity().book(booking("2026-12-01T10:15:00-0500")).unwrap();
    for path in [format!("/api/v1/appointments/{id}"), "/api/v1/appointments".into(), "/api/v1/meta".into()] {
        let wrong = [
            running.get(&path),
            running.get(&path).basic_auth("2", Some("sandbox-acuity-key")),
            running.get(&path).basic_auth("1", Some("sandbox-acuity-kez")),
            running.get(&path).basic_auth("1", None::<&str>),
            running.get(&path).bearer_auth("sandbox-acuity-key"),
        ];
        for request in wrong {
            let (status, answer) = read(request).await;
            let expected = json!({"status_code": 401, "message": "Unauthorized", "error": "unauthorized"});
            assert_eq!((status, answer), (401, expected), "{path}");
        }
        assert_eq!(read(running.get(&path).basic_auth("1", Some("sandbox-acuity-key"))).await.0, 200);
    }
    running.sandbox.acuity().configure(AcuitySettings {
        user_id: "77".to_owned(),
        api_key: "other".to_owned(),
        max_rps: 0,
        ..AcuitySettings::default()
    });
    let (status, answer) = read(running.get("/api/v1/meta").basic_auth("77", Some("other"))).await;
    assert_eq!((status, &answer["id"]), (200, &json!(77)));
    assert_eq!(
        running.report().acuity.api_by_outcome,
        BTreeMap::from([("200".into(), 4), ("401".into(), 15)])
    );
}

#[tokio::test]
async fn the_types_are_uneven_as_documented() {
    let running = unlimited().await;
    let id = running
        .sandbox
        .acuity()
        .book(Booking {
            datetime: "2026-12-01T10:15:00-05:00".to_owned(),
            datetime_created: Some("2026-11-20T09:00:00Z".to_owned()),
            first_name: "Ann".to_owned(),
            last_name: "Lee".to_owned(),
            email: "ann@example.com".to_owned(),
            phone: "(555) 010-0100".to_owned(),
            type_id: 88,
            type_name: "Trial lesson".to_owned(),
            calendar_id: 77,
            duration_min: 90,
            price: "49.00".to_owned(),
            price_sold: Some("39.00".to_owned()),
            fields: BTreeMap::from([(9, "Ab-1".to_owned()), (4, String::new())]),
            ..Booking::default()
        })
        .unwrap();
    let (_, mut shown) = get(&running, &format!("appointments/{id}")).await;
    let expected = r#"{
        "id": NUMBER,
        "firstName": "Ann", "lastName": "Lee", "phone": "(555) 010-0100", "email": "ann@example.com",
        "datetime": "2026-12-01T10:15:00-0500", "datetimeCreated": "2026-11-20T09:00:00+0000",
        "date": "December 1, 2026", "time": "10:15am", "endTime": "11:45am", "dateCreated": "November 20, 2026",
        "timezone": "UTC", "calendarTimezone": "UTC", "duration": "90",
        "price": "49.00", "priceSold": "39.00", "paid": "no", "amountPaid": "0.00",
        "type": "Trial lesson", "appointmentTypeID": 88, "category": "",
        "calendar": "Calendar", "calendarID": 77, "classID": null, "addonIDs": [], "certificate": null,
        "location": "", "notes": "", "formsText": "Field 4: \nField 9: Ab-1\n",
        "canceled": false, "noShow": false, "canClientCancel": true, "canClientReschedule": true,
        "isVerified": false, "labels": null, "scheduledBy": null,
        "forms": [{"id": 1, "name": "Intake form", "values": [
            {"id": NUMBER00, "fieldID": 4, "name": "Field 4", "value": ""},
            {"id": NUMBER01, "fieldID": 9, "name": "Field 9", "value": "Ab-1"}
        ]}]
    }"#;
    let expected: Value = serde_json::from_str(&expected.replace("NUMBER", &id.to_string())).unwrap();
    for page in ["confirmationPage", "confirmationPagePaymentLink"] {
        let url = shown.as_object_mut().unwrap().remove(page).unwrap();
        assert!(url.as_str().unwrap().starts_with("https://"), "{url}");
    }
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn an_appointment_changes_and_keeps_its_id() {
    let running = unlimited().await;
    let acuity = running.sandbox.acuity();
    let id = acuity.book(booking("2026-12-01T10:15:00-0500")).unwrap();
    acuity.reschedule(id, "2026-12-02T11:00:00-0500").unwrap();
    let edit = Edit {
        email: Some("new@example.com".to_owned()),
        labels: Some(vec!["Paid".to_owned()]),
        no_show: Some(true),
        fields: BTreeMap::from([(5, "x".to_owned())]),
        ..Edit::default()
    };
    acuity.edit(id, edit).unwrap();
    acuity.cancel(id).unwrap();
    let (_, shown) = get(&running, &format!("appointments/{id}")).await;
    assert_eq!(shown["datetime"], "2026-12-02T11:00:00-0500");
    assert_eq!(shown["email"], "new@example.com");
    assert_eq!(shown["labels"], json!([{"id": 1, "name": "Paid", "color": "blue"}]));
    assert_eq!((&shown["canceled"], &shown["noShow"]), (&json!(true), &json!(true)));
    assert_eq!(shown["forms"][0]["values"][0]["fieldID"], 5);
    let error = acuity.cancel(id).unwrap_err().to_string();
    assert_eq!(error, format!("id: appointment {id} is cancelled"));
    assert_eq!(acuity.appointment(id), Some(shown));
    let report = running.report().acuity;
    assert_eq!([report.bookings, report.reschedules, report.edits, report.cancellations], [1, 1, 1, 1]);
    assert_eq!(report.webhooks_waiting, 0, "nobody is to be told");
}

#[tokio::test]
async fn what_is_not_there() {
    let running = unlimited().await;
    for (path, method) in [
        ("appointments/12345", "GET"),
        ("appointments/abc", "GET"),
        ("appointments/1/payments", "GET"),
        ("appointments/99999999999999999999", "GET"),
        ("clients", "GET"),
    ] {
        let (status, answer) = get(&running, path).await;
        assert_eq!(
            (status, &answer["status_code"], &answer["error"]),
            (404, &json!(404), &json!("not_found"))
        );
        assert!(answer["message"].is_string(), "{method} {path}");
    }
    assert_eq!(running.report().unknown_paths, BTreeMap::from([("GET /api/v1/clients".into(), 1)]));
    let request = running.post("/api/v1/appointments").basic_auth("1", Some("sandbox-acuity-key"));
    assert_eq!(read(request).await.0, 405);
}

#[tokio::test]
async fn lists_and_their_filters() {
    let running = unlimited().await;
    let acuity = running.sandbox.acuity();
    let at = |datetime: &str, calendar_id: u64, type_id: u64| {
        acuity.book(Booking { calendar_id, type_id, ..booking(datetime) }).unwrap()
    };
    let one = at("2026-12-01T23:30:00-0500", 1, 10);
    let two = at("2026-12-02T00:30:00-0500", 1, 20);
    let three = at("2026-12-03T10:00:00-0500", 2, 10);
    let gone = at("2026-12-02T12:00:00-0500", 2, 20);
    acuity.cancel(gone).unwrap();
    let edit = Edit { email: Some("Ann@Example.com".to_owned()), ..Edit::default() };
    acuity.edit(three, Edit { fields: BTreeMap::from([(7, "x".to_owned())]), ..edit }).unwrap();
    let cases = [
        ("", vec![three, two, one]),
        ("?direction=ASC", vec![one, two, three]),
        ("?canceled=false", vec![three, two, one]),
        ("?canceled=true", vec![gone]),
        ("?minDate=2026-12-02", vec![three, two]),
        ("?maxDate=2026-12-02", vec![two, one]),
        ("?minDate=2026-12-02&maxDate=2026-12-02&canceled=true", vec![gone]),
        ("?max=2", vec![three, two]),
        ("?calendarID=2", vec![three]),
        ("?appointmentTypeID=10", vec![three, one]),
        ("?email=ann%40example.com", vec![three]),
        ("?field:7=x", vec![three]),
        ("?field:7=y", vec![]),
    ];
    for (query, expected) in cases {
        let (status, answer) = get(&running, &format!("appointments{query}")).await;
        let ids: Vec<u64> =
            answer.as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect();
        assert_eq!((status, ids), (200, expected), "{query}");
    }
    for (query, shown) in [("", true), ("?excludeForms=false", true), ("?excludeForms=true", false)] {
        let (_, answer) = get(&running, &format!("appointments{query}")).await;
        assert_eq!(answer[0].get("forms").is_some(), shown, "{query}");
        assert_eq!(answer[0].get("formsText").is_some(), shown, "{query}");
    }
    for bad in ["minDate=01/12/2026", "max=0", "max=x", "canceled=yes", "cancelled=true", "direction=up"] {
        let (status, answer) = get(&running, &format!("appointments?{bad}")).await;
        assert_eq!((status, &answer["error"]), (400, &json!("bad_request")), "{bad}");
        assert!(answer["message"].as_str().unwrap().contains(bad.split('=').next().unwrap()), "{answer}");
    }
}

#[tokio::test]
async fn a_hundred_unless_more_are_asked_for() {
    let running = unlimited().await;
    for minute in 0..101 {
        let datetime = format!("2026-12-01T{:02}:{:02}:00Z", minute / 60, minute % 60);
        running.sandbox.acuity().book(booking(&datetime)).unwrap();
    }
    for (query, expected) in [("", 100), ("?max=1000", 101)] {
        let (_, answer) = get(&running, &format!("appointments{query}")).await;
        assert_eq!(answer.as_array().unwrap().len(), expected);
    }
}

#[tokio::test]
async fn ten_requests_a_second() {
    let running = Running::start().await;
    let mut refused = 0;
    // Thirty requests in a row take well under two seconds, so some second sees more than ten.
    for _ in 0..30 {
        let request = running.get("/api/v1/meta").basic_auth("1", Some("sandbox-acuity-key"));
        let response = request.send().await.unwrap();
        if response.status() == 429 {
            assert_eq!(response.headers()["retry-after"], "1");
            let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
            assert_eq!(answer["status_code"], 429);
            refused += 1;
        }
    }
    let report = running.report().acuity;
    assert!(refused > 0 && report.api_by_outcome["200"] >= 10, "{report:?}");
    assert_eq!((report.api_by_outcome["429"], report.api_requests), (refused, 30));
}

#[tokio::test]
async fn told_to_fail() {
    let default = AcuitySettings::default;
    let cases = [
        (AcuitySettings { down: true, ..default() }, 503),
        (AcuitySettings { p_503: 1.0, ..default() }, 503),
        (AcuitySettings { p_429: 1.0, ..default() }, 429),
        (default(), 200),
    ];
    let running = Running::start().await;
    for (settings, status) in cases {
        running.sandbox.acuity().configure(settings);
        assert_eq!(get(&running, "meta").await.0, status);
    }
}
