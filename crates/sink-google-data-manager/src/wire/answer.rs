//! Answers (sections 7.3 and 7.4), as far as they decide anything.

use serde::{Deserialize, Deserializer};

/// HTTP 200 of `events:ingest`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IngestReply {
    #[serde(default)]
    pub(crate) request_id: String,
    #[serde(default)]
    pub(crate) field_warnings: Vec<Violation>,
}

/// HTTP 400 and above.
#[derive(Deserialize)]
pub(crate) struct ErrorReply {
    pub(crate) error: Status,
}

/// `google.rpc.Status`, with the name that HTTP answers add.
#[derive(Deserialize)]
pub(crate) struct Status {
    /// Such as `INVALID_ARGUMENT`.
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    details: Vec<Detail>,
}

impl Status {
    /// What is wrong with which field.
    pub(crate) fn violations(&self) -> impl Iterator<Item = &Violation> {
        self.details.iter().flat_map(|detail| &detail.field_violations)
    }

    /// The reason that an `ErrorInfo` gives for the whole.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.details.iter().map(|detail| detail.reason.as_str()).find(|reason| !reason.is_empty())
    }
}

/// An `ErrorInfo` has a reason, a `BadRequest` violations, others neither.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    field_violations: Vec<Violation>,
}

/// What is wrong with a field, or was passed over.
#[derive(Deserialize)]
pub(crate) struct Violation {
    /// Such as `events.events[3].user_data.user_identifiers[1]`.
    #[serde(default)]
    pub(crate) field: String,
    #[serde(default)]
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) description: String,
}

impl Violation {
    /// The event that it is about: `events[3]`, wherever in the path.
    pub(crate) fn event(&self) -> Option<usize> {
        index_behind(&self.field, "events[")
    }

    /// Whether it is about a destination.
    pub(crate) fn is_about_destination(&self) -> bool {
        index_behind(&self.field, "destinations[").is_some()
    }
}

fn index_behind(path: &str, list: &str) -> Option<usize> {
    let (_, rest) = path.split_once(list)?;
    rest.split(']').next()?.parse().ok()
}

/// HTTP 200 of `requestStatus:retrieve`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusReply {
    #[serde(default)]
    pub(crate) request_status_per_destination: Vec<DestinationStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DestinationStatus {
    #[serde(default)]
    pub(crate) request_status: String,
    error_info: Option<ErrorInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorInfo {
    #[serde(default)]
    error_counts: Vec<ErrorCount>,
}

impl DestinationStatus {
    /// How many were refused for what.
    pub(crate) fn errors(&self) -> &[ErrorCount] {
        self.error_info.as_ref().map(|info| info.error_counts.as_slice()).unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorCount {
    #[serde(default, deserialize_with = "number")]
    pub(crate) record_count: usize,
    #[serde(default)]
    pub(crate) reason: String,
    /// The rows, since release 1.9.
    #[serde(default, deserialize_with = "numbers")]
    pub(crate) record_indices: Vec<usize>,
}

/// Google writes integers of 64 bits as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(usize),
    Text(String),
}

impl Number {
    fn read<E: serde::de::Error>(self) -> Result<usize, E> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Text(text) => text.parse().map_err(E::custom),
        }
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    Number::deserialize(deserializer)?.read()
}

fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<usize>, D::Error> {
    Vec::<Number>::deserialize(deserializer)?.into_iter().map(Number::read).collect()
}
