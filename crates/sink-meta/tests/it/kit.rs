//! What the tests share.

use conversion_core::identity::CallingCode;
use conversion_core::registry::SinkContext;
use conversion_core::settings::SettingsError;
use conversion_core::sink::{ConversionSink as _, NotSent, Payload, Subject};
use conversion_core::{CanonicalEvent, Timestamp};
use serde_json::Value;
use sink_meta::Meta;

/// 2026-01-10T12:00:00Z, the time of the specification's example.
pub(crate) const NOON: i64 = 1_768_046_400;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// A sink with exactly these settings.
pub(crate) fn build(settings: &str) -> Result<Meta, SettingsError> {
    let context = SinkContext { name: "meta".to_owned(), phone_country: CallingCode::NANP };
    Meta::new(settings.parse().unwrap(), &context)
}

/// A sink with credentials and these settings.
pub(crate) fn sink(settings: &str) -> Meta {
    build(&format!("dataset_id = '123'\naccess_token = 'hunter2'\n{settings}")).unwrap()
}

/// An event that names nobody.
pub(crate) fn bare_event() -> CanonicalEvent {
    CanonicalEvent::new("TRIAL_BOOKED", "test-123", at(NOON))
}

/// An event with an e-mail address.
pub(crate) fn event() -> CanonicalEvent {
    CanonicalEvent { email: Some("test@example.com".to_owned()), ..bare_event() }
}

pub(crate) fn try_prepare(settings: &str, event: &CanonicalEvent) -> Result<Payload, NotSent> {
    sink(settings).prepare(&Subject::new(event), at(NOON))
}

pub(crate) fn prepare(settings: &str, event: &CanonicalEvent) -> Payload {
    try_prepare(settings, event).unwrap()
}

/// The value at a JSON pointer of the item that becomes of the event.
pub(crate) fn field(settings: &str, event: &CanonicalEvent, pointer: &str) -> Option<Value> {
    let item: Value = serde_json::from_str(prepare(settings, event).item.get()).unwrap();
    item.pointer(pointer).cloned()
}
