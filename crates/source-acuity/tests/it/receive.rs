//! Webhooks: which are genuine, and what they are about.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conversion_core::source::{BookingSource as _, NotGenuine, Notice};
use source_acuity::Acuity;

use crate::support::{KEY, build, sign, source};

/// The vector of platforms/acuity.md, section 2.
const BODY: &str = "action=scheduled&id=12345&calendarID=77&appointmentTypeID=88";
const SIGNATURE: &str = "om0Auwu2ujJGE20HGdATONQ+ffz1eS5VsC1LJUeYeT0=";

/// Setting up TLS for each case would take longer than the case.
static SOURCE: LazyLock<Acuity> = LazyLock::new(|| source(""));

fn receive(signature: &[u8], body: &[u8]) -> Result<Notice, NotGenuine> {
    SOURCE.receive(Some(signature), body)
}

/// What a genuine body says.
fn notice(body: &str) -> Notice {
    receive(sign(KEY, body.as_bytes()).as_bytes(), body.as_bytes()).unwrap()
}

#[test]
fn the_published_vector_is_genuine() {
    let notice = receive(SIGNATURE.as_bytes(), BODY.as_bytes()).unwrap();
    assert_eq!(notice, Notice { action: "scheduled".into(), appointment: Ok("12345".into()) });
}

#[test]
fn no_byte_of_the_body_can_be_another() {
    for position in 0..BODY.len() {
        let mut body = BODY.as_bytes().to_vec();
        body[position] ^= 1;
        assert_eq!(receive(SIGNATURE.as_bytes(), &body), Err(NotGenuine), "{position}");
    }
    for body in [format!("{BODY}\n"), format!(" {BODY}"), BODY.replace('&', "&&"), String::new()] {
        assert_eq!(receive(SIGNATURE.as_bytes(), body.as_bytes()), Err(NotGenuine), "{body}");
    }
}

#[test]
fn no_byte_of_the_signature_can_be_another() {
    for position in 0..SIGNATURE.len() {
        let mut signature = SIGNATURE.as_bytes().to_vec();
        signature[position] = if signature[position] == b'A' { b'B' } else { b'A' };
        assert_eq!(receive(&signature, BODY.as_bytes()), Err(NotGenuine), "{position}");
    }
}

#[test]
fn no_byte_of_the_key_can_be_another() {
    for position in 0..KEY.len() {
        let mut key = KEY.as_bytes().to_vec();
        key[position] ^= 1;
        let key = String::from_utf8(key).unwrap();
        let other = build(&format!("user_id = '1'\napi_key = '{key}'")).unwrap();
        assert_eq!(other.receive(Some(SIGNATURE.as_bytes()), BODY.as_bytes()), Err(NotGenuine), "{key}");
    }
}

#[test]
fn malformed_signatures_are_refused() {
    assert_eq!(source("").receive(None, BODY.as_bytes()), Err(NotGenuine));
    let hex = "a26d00bb0bb6ba3246136d0719d01338d43e7dfcf5792e55b02d4b254798793d";
    let malformed: Vec<Vec<u8>> = [
        "",
        " ",
        "=",
        "AAAA",
        "not base64 at all!",
        SIGNATURE.trim_end_matches('='),
        SIGNATURE.trim_start_matches('o'),
        hex,
        &format!("{SIGNATURE}="),
        &format!(" {SIGNATURE}"),
        &format!("{SIGNATURE}\n"),
        &format!("{SIGNATURE}{SIGNATURE}"),
        &format!("{SIGNATURE},{SIGNATURE}"),
        &format!("sha256={SIGNATURE}"),
        // The same bytes, written for addresses.
        &SIGNATURE.replace('+', "-"),
        // The last digit has two bits that say nothing; they must be zero.
        &SIGNATURE.replace("T0=", "T1="),
        &"A".repeat(44),
        &format!("{}=", "A".repeat(43)),
        &"A".repeat(1 << 16),
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([vec![0xff; 44], vec![0; 32]])
    .collect();
    for signature in malformed {
        let shown = String::from_utf8_lossy(&signature);
        assert_eq!(receive(&signature, BODY.as_bytes()), Err(NotGenuine), "{shown}");
    }
}

#[test]
fn a_signature_with_more_after_it_is_refused() {
    let mut longer = STANDARD.decode(SIGNATURE).unwrap();
    longer.push(0);
    assert_eq!(receive(STANDARD.encode(longer).as_bytes(), BODY.as_bytes()), Err(NotGenuine));
}

#[test]
fn every_configured_key_may_sign() {
    let rotating = source("webhook_keys = ['old-key', 'older-key']");
    for (key, genuine) in [(KEY, true), ("old-key", true), ("older-key", true), ("oldest-key", false)] {
        let signature = sign(key, BODY.as_bytes());
        let received = rotating.receive(Some(signature.as_bytes()), BODY.as_bytes());
        assert_eq!(received.is_ok(), genuine, "{key}");
    }
    let empty = sign("", BODY.as_bytes());
    let blank = source("webhook_keys = ['', ' ']");
    assert_eq!(blank.receive(Some(empty.as_bytes()), BODY.as_bytes()), Err(NotGenuine));
}

#[test]
fn actions_of_appointments_in_both_spellings() {
    for action in ["scheduled", "rescheduled", "canceled", "changed"] {
        for spelling in [action.to_owned(), format!("appointment.{action}")] {
            let notice = notice(&format!("action={spelling}&id=9007199254740993"));
            let appointment = Ok("9007199254740993".to_owned());
            assert_eq!(notice, Notice { action: action.to_owned(), appointment });
        }
    }
}

#[test]
fn fields_come_in_any_order_and_unknown_ones_are_passed_over() {
    let notice = notice("newField=%E2%9C%93&appointmentTypeID=88&id=1&flag&action=changed");
    assert_eq!(notice, Notice { action: "changed".into(), appointment: Ok("1".into()) });
}

#[test]
fn genuine_notices_of_no_appointment_are_ignored_with_a_reason() {
    for (body, action, reason) in [
        ("action=order.completed&id=5", "order.completed", "order"),
        ("action=appointment.deleted&id=5", "deleted", "unknown_action"),
        ("action=SCHEDULED&id=5", "SCHEDULED", "unknown_action"),
        ("action=evil%0Aline&id=5", "evilline", "unknown_action"),
        ("id=5", "", "unknown_action"),
        ("", "", "unknown_action"),
        ("{\"action\":\"scheduled\",\"id\":5}", "", "unknown_action"),
        ("action=scheduled", "scheduled", "unusable_id"),
        ("action=scheduled&id=", "scheduled", "unusable_id"),
        ("action=canceled&id=-5", "canceled", "unusable_id"),
        ("action=changed&id=5x", "changed", "unusable_id"),
        ("action=changed&id=..%2F5", "changed", "unusable_id"),
        ("action=changed&id=%D9%A3", "changed", "unusable_id"),
        ("action=changed&id=12345678901234567890", "changed", "unusable_id"),
    ] {
        let notice = notice(body);
        assert_eq!(notice.action, action, "{body}");
        let ignored = notice.appointment.unwrap_err();
        assert_eq!(ignored.reason.name, reason, "{body}");
        assert!(ignored.message.contains(' ') && !ignored.message.contains("5x"), "{}", ignored.message);
    }
    let long = notice(&format!("action={}&id=5", "x".repeat(10_000)));
    assert_eq!(long.action.len(), 64);
}
