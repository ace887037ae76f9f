//! Whatever a client typed, the event of the booking is one that every entrance accepts.

use std::sync::LazyLock;

use conversion_core::event::Vocabulary;
use conversion_core::source::BookingSource as _;
use conversion_core::{CanonicalEvent, Timestamp, booking};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use source_acuity::Acuity;

use crate::support::{NOW, raw, source};

const FIELDS: [&str; 9] =
    ["attributionId", "pageUrl", "pageReferrer", "ip", "userAgent", "externalId", "gclid", "ttclid", "fb_c"];

/// Setting up TLS for each case would take longer than the case.
static SOURCE: LazyLock<Acuity> = LazyLock::new(|| {
    let fields: String =
        FIELDS.iter().zip(0..).map(|(name, id): (_, u32)| format!("{name} = {id}\n")).collect();
    source(&format!("currency = 'USD'\ntrial_types = [1]\n[fields]\n{fields}"))
});

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,20}",
        "\\PC{0,40}",
        "[a-z@.]{0,70}",
        "https?://[ -~]{0,30}",
        "[0-9.:a-f]{0,20}",
        (300usize..1200).prop_map(|length| "7".repeat(length)),
        "-?[0-9]{0,14}\\.[0-9]{0,12}",
        Just("\u{85}\u{a0}x\u{2028}".to_owned()),
    ]
}

fn time() -> impl Strategy<Value = String> {
    prop_oneof![
        word(),
        "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9][-+][01][0-9][03]0",
        Just("9999-12-30T22:00:00+0000".to_owned()),
        Just("-009999-01-02T01:00:00+0000".to_owned()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => word().prop_map(Value::String),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => prop_oneof![Just(json!(null)), Just(json!(true)), Just(json!([1])), Just(json!({"a": "b"}))],
    ]
}

proptest! {
    #[test]
    fn every_event_of_a_booking_is_accepted(
        said in vec(value(), 8),
        answers in vec((0u32..12, value()), 0..14),
        created in time(),
        starts_at in -377_705_023_201i64..=253_402_207_200,
        id in 0u64..=9_999_999_999_999_999_999,
        service in 0u8..3,
    ) {
        let [email, phone, first, last, price, by, paid, canceled] = &said[..] else { unreachable!() };
        let answers: Vec<Value> =
            answers.iter().map(|(field, value)| json!({"fieldID": field, "value": value})).collect();
        let appointment = json!({
            "id": id, "appointmentTypeID": service, "email": email, "phone": phone, "firstName": first,
            "lastName": last, "price": price, "amountPaid": paid, "canceled": canceled, "scheduledBy": by,
            "datetime": Timestamp::from_second(starts_at).unwrap().to_string(), "datetimeCreated": created,
            "forms": [{"values": answers}],
        });
        let appointment = SOURCE.read(&raw(&appointment)).unwrap();
        let booked = booking::derive(None, &appointment, NOW).unwrap();
        let known = booking::Known { revision: u32::MAX - 1, starts_at: None, is_canceled: !appointment.is_canceled,
            ..booking::Known::after(None, &appointment, None) };
        let again = booking::derive(Some(&known), &appointment, NOW).unwrap();
        for event in [booked, again] {
            let parsed = CanonicalEvent::parse(&event.to_json(), &Vocabulary::new([]), NOW);
            prop_assert_eq!(parsed.map_err(|error| error.to_string()), Ok(event));
        }
    }

    /// Whatever stands in the place of a value, reading does not panic.
    #[test]
    fn reading_is_total(shapes in vec(value(), 4), time in time()) {
        let appointment = json!({
            "id": shapes[0], "datetime": time, "forms": [shapes[1], {"values": [shapes[2], {"fieldID": shapes[3]}]}],
        });
        for json in [appointment.to_string(), shapes[0].to_string()] {
            match SOURCE.read(&raw(&json)) {
                Ok(appointment) => prop_assert!(appointment.id.bytes().all(|byte| byte.is_ascii_digit())),
                Err(complaint) => prop_assert!(complaint.starts_with("it")),
            }
        }
    }
}
