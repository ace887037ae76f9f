//! One event of a request: what is accepted reads the same when it is read from the store, and what is refused says so
//! without repeating a value.
#![no_main]

use conversion_core::event::{EventError, Vocabulary};
use conversion_core::{CanonicalEvent, Timestamp};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use signalbox_fuzz::{SENTINEL, SENTINEL_NUMBER, repeats_a_value};

const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);

/// Longest path of a field that an error may name, in characters. Keys are the sender's, and have no bound of their own.
const MAX_PATH: usize = 80;

fuzz_target!(|json: &str| {
    match parse(json) {
        Ok(event) => kept(&event),
        Err(error) => refused(&error),
    }
    // A sentinel that the fuzzer has made a key of is named rightly.
    if !repeats_a_value(json)
        && let Ok(Value::Object(members)) = serde_json::from_str(json)
        && let Err(error) = parse(&Value::Object(masked(members)).to_string())
    {
        refused(&error);
        assert!(!repeats_a_value(&error.to_string()), "{error}");
    }
});

fn parse(json: &str) -> Result<CanonicalEvent, EventError> {
    CanonicalEvent::parse(json, &Vocabulary::new(["gbraid", "gclid", "ttclid", "ttp", "wbraid"]), NOW)
}

fn kept(event: &CanonicalEvent) {
    let stored = event.to_json();
    let again = parse(&stored).unwrap_or_else(|error| panic!("{stored} is not read again: {error}"));
    assert_eq!(again.to_json(), stored);
    assert!(again == *event, "{stored} is another event");
    // An event that names nobody is an event, too.
    let bare = event.without_identifiers();
    assert!(bare.email.is_none() && bare.phone.is_none() && bare.ip.is_none());
    assert!(parse(&bare.to_json()).is_ok_and(|again| again == bare), "{}", bare.to_json());
}

fn refused(error: &EventError) {
    assert!(!error.errors.is_empty());
    for error in &error.errors {
        assert!(!error.message.is_empty());
        assert!(error.field.chars().count() <= MAX_PATH, "{error}");
    }
}

/// The members with a word in each text and a number for each number. Keys stay: errors name them.
fn masked(members: Map<String, Value>) -> Map<String, Value> {
    members.into_iter().map(|(key, value)| (key, mask(value))).collect()
}

fn mask(value: Value) -> Value {
    match value {
        Value::String(text) => (text + SENTINEL).into(),
        Value::Number(number) if number.is_i64() && number.as_i64() < Some(0) => {
            (-i64::from(SENTINEL_NUMBER)).into()
        }
        Value::Number(number) if number.is_f64() => (f64::from(SENTINEL_NUMBER) + 0.5).into(),
        Value::Number(_) => SENTINEL_NUMBER.into(),
        Value::Array(items) => items.into_iter().map(mask).collect(),
        Value::Object(members) => masked(members).into(),
        Value::Null | Value::Bool(_) => value,
    }
}
