//! From Acuity's JSON to an appointment, and to the event that follows from it.

use conversion_core::CanonicalEvent;
use conversion_core::booking::{self, Appointment};
use conversion_core::source::BookingSource as _;
use serde_json::{Value, json};

use crate::support::{NOW, raw, source};

/// A whole appointment as Acuity documents it, with the answers of two forms.
const APPOINTMENT: &str = include_str!("appointment.json");
const FIELDS: &str = "trial_types = [88]\ncurrency = 'usd'\n[fields]\nattributionId = 123\ngclid = '124'\nttclid = 125\n\
    pageUrl = 126\nip = 127\nuserAgent = 128\npageReferrer = 129\nexternalId = 130\nfbclid = 999";

fn read(settings: &str, json: &impl ToString) -> Appointment {
    source(settings).read(&raw(json)).unwrap()
}

/// The recorded appointment with other values.
fn with(changes: &[(&str, Value)]) -> Value {
    let mut appointment: Value = serde_json::from_str(APPOINTMENT).unwrap();
    for (field, value) in changes {
        appointment[*field] = value.clone();
    }
    appointment
}

/// The least that an appointment needs, and one answer to field 5.
fn answering(value: &Value) -> Value {
    let forms = json!([{"values": [{"fieldID": 5, "value": value}]}]);
    json!({"id": 1, "datetime": "2026-01-12T10:15:00Z", "forms": forms})
}

/// What the event says in `field` where the form's answer was `value`.
fn answer(field: &str, value: &Value) -> Option<Value> {
    let details = read(&format!("fields = {{ {field} = 5 }}"), &answering(value)).details;
    let event: Value = serde_json::from_str(&details.to_json()).unwrap();
    let found = event.get(field).or_else(|| event["clickIds"].get(field));
    found.cloned()
}

#[test]
fn a_whole_appointment_becomes_a_whole_event() {
    let appointment = read(FIELDS, &APPOINTMENT);
    assert_eq!(appointment.id, "54321");
    assert_eq!(appointment.service, "88");
    assert_eq!(appointment.starts_at.unwrap().to_string(), "2026-01-12T15:15:00Z");
    assert_eq!(appointment.booked_at.unwrap().to_string(), "2026-01-10T11:30:00Z");
    assert!(appointment.is_trial && !appointment.is_canceled);
    assert_eq!(appointment.unwanted, None);
    let event = booking::derive(None, &appointment, NOW).unwrap();
    let event: Value = serde_json::from_str(&event.to_json()).unwrap();
    assert_eq!(
        event,
        json!({
            "eventId": "appt-54321",
            "eventName": "TRIAL_BOOKED",
            "eventTime": "2026-01-10T11:30:00Z",
            "conversionId": "appt-54321",
            "email": "ada@example.com",
            "phone": "(415) 555-0123",
            "externalId": "c-9",
            "firstName": "Ada",
            "lastName": "Lovelace",
            "ip": "203.0.113.7",
            "userAgent": "Mozilla/5.0",
            "clickIds": {"gclid": "Cj0KCQ", "ttclid": "E.C.P.x"},
            "pageUrl": "https://x.test/?utm_source=a",
            "pageReferrer": "https://search.test/",
            "value": 10.00,
            "currency": "USD",
            "appointmentId": "54321",
            "attributionId": "7f9c2ba4e88f827d616045507605853e",
        })
    );
}

#[test]
fn a_client_without_a_name_or_address_is_booked_all_the_same() {
    let changes = ["firstName", "lastName", "phone", "email"].map(|field| (field, json!(" ")));
    let details = read("value = 'none'", &with(&changes)).details;
    let bare = CanonicalEvent::new("", "", conversion_core::Timestamp::UNIX_EPOCH);
    assert_eq!(details, bare);
    for shape in [json!(null), json!([]), json!({"a": 1})] {
        let changes =
            ["firstName", "lastName", "phone", "email", "forms"].map(|field| (field, shape.clone()));
        assert_eq!(read(&format!("value = 'none'\n{FIELDS}"), &with(&changes)).details, bare);
    }
}

#[test]
fn values_come_from_the_setting() {
    let value = |settings: &str, changes: &[(&str, Value)]| {
        let details = read(&format!("currency = 'EUR'\n{settings}"), &with(changes)).details;
        assert_eq!(details.value.is_some(), details.currency.is_some(), "a currency alone says nothing");
        details.value.map(|value| value.to_string())
    };
    for (settings, changes, expected) in [
        ("", &[][..], Some("10.00")),
        ("value = 'price'", &[], Some("10.00")),
        ("value = 'price_sold'", &[], Some("8.50")),
        ("value = 'amount_paid'", &[], Some("4.25")),
        ("value = 'none'", &[], None),
        ("fixed_value = 25", &[], Some("25")),
        ("fixed_value = 25.5", &[], Some("25.5")),
        ("fixed_value = '25.00'", &[("price", json!("7"))], Some("25.00")),
        ("", &[("price", json!(" 7.5 "))], Some("7.5")),
        ("", &[("price", json!(7))], Some("7")),
        ("", &[("price", json!(7.25))], Some("7.25")),
        ("", &[("price", json!("0.00"))], Some("0.00")),
        ("", &[("price", json!("-7.00"))], None),
        ("", &[("price", json!("7,50"))], None),
        ("", &[("price", json!("$7.50"))], None),
        ("", &[("price", json!("NaN"))], None),
        ("", &[("price", json!("1e30"))], None),
        ("", &[("price", json!(""))], None),
        ("", &[("price", json!(null))], None),
        ("", &[("price", json!(true))], None),
        ("", &[("price", json!(["7"]))], None),
    ] {
        assert_eq!(value(settings, changes).as_deref(), expected, "{settings} {changes:?}");
    }
    assert_eq!(read("", &APPOINTMENT).details.currency, None);
}

#[test]
fn types_are_uneven() {
    let read = |changes: &[(&str, Value)]| read("trial_types = ['88']", &with(changes));
    for id in [json!(7), json!("7"), json!(" 7 ")] {
        assert_eq!(read(&[("id", id)]).id, "7");
    }
    for (service, known, is_trial) in [
        (json!(88), "88", true),
        (json!("88"), "88", true),
        (json!(89), "89", false),
        (json!(null), "", false),
        (json!("eighty-eight"), "", false),
    ] {
        let appointment = read(&[("appointmentTypeID", service)]);
        assert_eq!((appointment.service.as_str(), appointment.is_trial), (known, is_trial));
    }
    for (canceled, expected) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(1), true),
        (json!("yes"), true),
        (json!(false), false),
        (json!("false"), false),
        (json!(0), false),
        (json!(""), false),
        (json!(null), false),
    ] {
        assert_eq!(read(&[("canceled", canceled.clone())]).is_canceled, expected, "{canceled}");
    }
}

#[test]
fn offsets_are_written_in_more_than_one_way() {
    for (datetime, expected) in [
        ("2013-07-02T10:15:00-0700", "2013-07-02T17:15:00Z"),
        ("2013-07-02T10:15:00-07:00", "2013-07-02T17:15:00Z"),
        ("2013-07-02T10:15:00+0530", "2013-07-02T04:45:00Z"),
        ("2013-07-02T10:15:00+0000", "2013-07-02T10:15:00Z"),
        ("2013-07-02T10:15:00Z", "2013-07-02T10:15:00Z"),
        ("2013-07-02T10:15:00.250-0700", "2013-07-02T17:15:00.25Z"),
    ] {
        let appointment =
            read("", &with(&[("datetime", json!(datetime)), ("datetimeCreated", json!(datetime))]));
        assert_eq!(appointment.starts_at.unwrap().to_string(), expected);
        assert_eq!(appointment.booked_at, appointment.starts_at);
    }
    for created in
        ["", "July 2, 2013", "0000-00-00T00:00:00-0000", "1970-01-01T00:00:00-0000", "2013-07-02T10:15:00"]
    {
        let appointment = read("", &with(&[("datetimeCreated", json!(created))]));
        assert_eq!(appointment.booked_at, None, "{created}: the event then has the time of its notice");
    }
}

#[test]
fn answers_that_say_nothing_are_absent() {
    for nothing in ["", " ", "null", "NULL", "undefined", "N/A", " n/a "] {
        assert_eq!(answer("gclid", &json!(nothing)), None, "{nothing:?}");
    }
    for nothing in [json!(null), json!([]), json!({})] {
        assert_eq!(answer("gclid", &nothing), None);
    }
    for something in ["0", "nullable", "NA", "none"] {
        assert_eq!(answer("gclid", &json!(something)), Some(json!(something)));
    }
    assert_eq!(answer("gclid", &json!(12)), Some(json!("12")));
}

#[test]
fn answers_that_an_event_may_not_say_are_left_out() {
    for (field, unusable, usable) in [
        ("attributionId", "x".repeat(65), "x".repeat(64)),
        ("attributionId", "ada@example.com".into(), "ada".into()),
        ("gclid", "x".repeat(1001), "x".repeat(1000)),
        ("gclid", "a\u{0}b".into(), "a b".into()),
        ("ttclid", "a\nb".into(), "a-b".into()),
        ("ip", "unknown".into(), "2001:db8::1".into()),
        ("ip", "203.0.113.7, 10.0.0.1".into(), "203.0.113.7".into()),
        ("userAgent", "x".repeat(1001), "x".repeat(1000)),
        ("pageUrl", "javascript:alert(1)".into(), "https://x.test/".into()),
        ("pageUrl", format!("https://x.test/{}", "x".repeat(4096)), "http://x.test".into()),
        ("pageReferrer", "/landing".into(), "https://y.test/landing".into()),
        ("externalId", "x".repeat(321), "x".repeat(320)),
    ] {
        assert_eq!(answer(field, &json!(unusable)), None, "{field}");
        assert_eq!(answer(field, &json!(usable)), Some(json!(usable)), "{field}");
    }
}

#[test]
fn answers_are_found_by_the_id_of_their_field_alone() {
    let forms = |values: Value| {
        let forms = json!([5, {"values": 1}, {"name": "no values"}, {"values": values}]);
        read("fields = { gclid = 5, ttclid = 6 }", &with(&[("forms", forms)])).details.click_ids
    };
    let named = json!({"id": 5, "fieldID": 7, "name": "gclid", "value": "wrong"});
    assert!(forms(json!([named])).is_empty());
    let found = forms(json!([
        "odd",
        named,
        {"fieldID": 5, "value": "undefined"},
        {"fieldID": "5", "name": "renamed", "value": "right"},
        {"fieldID": 5, "value": "later"},
        {"fieldID": [6], "value": "wrong"},
        {"fieldID": 6},
    ]));
    assert_eq!(found, [("gclid".to_owned(), "right".to_owned())].into());
}

#[test]
fn what_staff_booked_may_be_unwanted() {
    for (settings, by, unwanted) in [
        ("", json!("front-desk"), false),
        ("staff_bookings = 'report'", json!("front-desk"), false),
        ("staff_bookings = 'ignore'", json!("front-desk"), true),
        ("staff_bookings = 'ignore'", json!(null), false),
        ("staff_bookings = 'ignore'", json!(""), false),
    ] {
        let appointment = read(settings, &with(&[("scheduledBy", by)]));
        assert_eq!(appointment.unwanted.is_some(), unwanted, "{settings}");
        assert!(appointment.unwanted.is_none_or(|reason| !reason.contains("front-desk")));
    }
}

#[test]
fn private_links_and_free_text_are_not_kept() {
    assert!(APPOINTMENT.matches("PRIVATE").count() > 5);
    assert!(!read(FIELDS, &APPOINTMENT).details.to_json().contains("PRIVATE"));
}
