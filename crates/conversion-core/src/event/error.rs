//! What is wrong with an event, said so that its sender can mend it without our seeing its data.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest path of a field, in characters: longer than any of a field that there is.
const MAX_PATH: usize = 80;
/// Most mistakes of one event that are told.
const MAX_ERRORS: usize = 50;

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Path of the field, such as `contents[2].price`, cut if it is long; empty where the whole event is meant.
    pub field: String,
    /// What is wrong and what would be right. Says the value's shape, never its content.
    pub message: String,
}

impl FieldError {
    /// The sender may have made up a part of the path: an overlong one is cut.
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut field = field.into();
        if let Some((end, _)) = field.char_indices().nth(MAX_PATH) {
            field.truncate(end);
        }
        Self { field, message: message.into() }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// All that is wrong with one event, and as much of its identity as could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventError {
    /// The event's id, where it has a valid one.
    pub event_id: Option<String>,
    /// The event's name, where it has a valid one.
    pub event_name: Option<String>,
    /// What is wrong, in the order of the fields; never empty.
    pub errors: Vec<FieldError>,
}

impl EventError {
    /// With as many of these mistakes as are told.
    pub(crate) fn new(
        event_id: Option<String>,
        event_name: Option<String>,
        mut errors: Vec<FieldError>,
    ) -> Self {
        if errors.len() > MAX_ERRORS {
            let more = format!("there are {} more mistakes", errors.len() - MAX_ERRORS);
            errors.truncate(MAX_ERRORS);
            errors.push(FieldError::new("", more));
        }
        Self { event_id, event_name, errors }
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.errors.iter().map(FieldError::to_string).collect();
        f.write_str(&lines.join("; "))
    }
}

impl std::error::Error for EventError {}
