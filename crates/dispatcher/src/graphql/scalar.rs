//! Scalars beyond GraphQL's own.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use conversion_core::Timestamp;

/// A time in the schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct DateTime(pub(super) Timestamp);

/// A time, as RFC 3339 in UTC, such as 2026-01-10T12:00:00Z.
#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                let wrong = "must be a time as RFC 3339, such as 2026-01-10T12:00:00Z";
                text.parse().map(Self).map_err(|_| InputValueError::custom(wrong))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A time that may be missing.
pub(super) fn time(time: Option<Timestamp>) -> Option<DateTime> {
    time.map(DateTime)
}
