//! Why a request is refused, in the words of the answer.

use std::borrow::Cow;

/// A refusal of the whole request, whatever part of it gave the reason.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: u32,
    event: Option<usize>,
    field: Option<String>,
    reason: Cow<'static, str>,
}

impl Refusal {
    /// A refusal that concerns no field.
    pub(super) fn whole(code: u32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, event: None, field: None, reason: message.into() }
    }

    /// A refusal for the value of a field.
    pub(super) fn field(code: u32, field: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, event: None, field: Some(field.into()), reason: reason.into() }
    }

    /// Says which event the field belongs to.
    pub(super) fn of_event(self, index: usize) -> Self {
        Self { event: Some(index), ..self }
    }

    /// Puts the field inside an object.
    pub(super) fn within(self, object: &str) -> Self {
        Self { field: self.field.map(|field| format!("{object}.{field}")), ..self }
    }

    pub(super) fn message(&self, name_index: bool) -> String {
        let reason = &self.reason;
        match (&self.field, self.event) {
            (Some(field), Some(event)) if name_index => {
                format!("invalid value for `data.{event}.{field}`: {reason}")
            }
            (Some(field), _) => format!("invalid value for `{field}`: {reason}"),
            (None, _) => reason.to_string(),
        }
    }
}
