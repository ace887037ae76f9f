//! Events as a booking business reports them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use conversion_core::Timestamp;
use serde_json::{Value, json};

/// The body of the specification's curl command, letter for letter.
pub(crate) const SPEC_EVENT: &str = r#"{
    "eventId": "test-123",
    "eventName": "TRIAL_BOOKED",
    "eventTime": "2026-01-10T12:00:00Z",
    "ttclid": "E.C.P.abc123xyz",
    "email": "test@example.com",
    "phone": "+14155551234",
    "pageUrl": "https://virtu.academy/schedule"
  }"#;

/// A few hours before the test began: no platform finds it too old, and no clock that a test has put back finds it ahead.
static RECENTLY: LazyLock<String> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "the event happens in the test's own present")]
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second() - 3 * 3600).unwrap().to_string()
});

/// A booking that came by an ad of each platform. The clicks are its own: Google takes no two conversions of one click
/// at one time in a request.
pub(crate) fn booked(id: &str) -> Value {
    event("TRIAL_BOOKED", id)
}

/// The same under another name.
pub(crate) fn event(name: &str, id: &str) -> Value {
    json!({
        "eventId": id,
        "eventName": name,
        "eventTime": *RECENTLY,
        "email": format!("{id}@example.com"),
        "ttclid": format!("ttclid-{id}"),
        "gclid": format!("gclid-{id}"),
        "pageUrl": "https://virtu.academy/schedule",
    })
}

/// `count` bookings with ids of `prefix` and a number.
pub(crate) fn many(prefix: &str, count: usize) -> Vec<Value> {
    (0..count).map(|number| booked(&format!("{prefix}-{number}"))).collect()
}

/// The ids of events.
pub(crate) fn ids(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(|event| event["eventId"].as_str().unwrap().to_owned()).collect()
}
