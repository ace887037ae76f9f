//! What is wrong with an event, said so that its sender can mend it without our seeing its data.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Path of the field, such as `contents[2].price`; empty where the whole event is meant.
    pub field: String,
    /// What is wrong and what would be right. Says the value's shape, never its content.
    pub message: String,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
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

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.errors.iter().map(FieldError::to_string).collect();
        f.write_str(&lines.join("; "))
    }
}

impl std::error::Error for EventError {}
