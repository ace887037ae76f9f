//! Errors in the form that all Google Ads services share.

use std::borrow::Cow;

use hyper::StatusCode;
use serde_json::{Value, json};

/// A documented error: its family and its name there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code(pub(super) &'static str, pub(super) &'static str);

impl Code {
    pub(super) const REQUIRED: Self = Self("fieldError", "REQUIRED");
    pub(super) const INVALID_VALUE: Self = Self("fieldError", "INVALID_VALUE");
    pub(super) const MUST_BE_UNSET: Self = Self("fieldError", "VALUE_MUST_BE_UNSET");
    pub(super) const MALFORMED_NAME: Self = Self("requestError", "RESOURCE_NAME_MALFORMED");
    pub(super) const ENUM_VALUE: Self = Self("enumError", "ENUM_VALUE_NOT_PERMITTED");

    /// One of the errors of conversion uploads.
    pub(super) const fn upload(name: &'static str) -> Self {
        Self("conversionUploadError", name)
    }

    /// One of the errors of adjustments.
    pub(super) const fn adjustment(name: &'static str) -> Self {
        Self("conversionAdjustmentUploadError", name)
    }

    pub(super) fn error(self, message: impl Into<Cow<'static, str>>) -> ApiError {
        ApiError::new(self.0, self.1, message)
    }

    /// The error at a field of a row.
    pub(super) fn at(self, field: &'static str, message: impl Into<Cow<'static, str>>) -> ApiError {
        self.error(message).within(field, None)
    }
}

/// One entry of `GoogleAdsFailure.errors`.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    pub(super) family: Cow<'static, str>,
    pub(super) code: Cow<'static, str>,
    pub(super) message: Cow<'static, str>,
    /// From the inside out: fields find their place before their rows do.
    path: Vec<(&'static str, Option<usize>)>,
    trigger: Option<String>,
    details: Option<Value>,
}

impl ApiError {
    pub(super) fn new(
        family: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (family, code, message) = (family.into(), code.into(), message.into());
        Self { family, code, message, path: Vec::new(), trigger: None, details: None }
    }

    /// Names the field, in `snake_case`, that holds what the error concerns so far.
    pub(super) fn within(mut self, field: &'static str, index: Option<usize>) -> Self {
        self.path.push((field, index));
        self
    }

    /// The value that caused it.
    pub(super) fn triggered_by(self, value: &str) -> Self {
        Self { trigger: Some(value.to_owned()), ..self }
    }

    pub(super) fn with_details(self, details: Value) -> Self {
        Self { details: Some(details), ..self }
    }

    pub(super) fn to_json(&self) -> Value {
        let mut error = json!({
            "errorCode": { self.family.as_ref(): self.code },
            "message": self.message,
        });
        if let Some(trigger) = &self.trigger {
            error["trigger"] = json!({ "stringValue": trigger });
        }
        if let Some(details) = &self.details {
            error["details"] = details.clone();
        }
        if !self.path.is_empty() {
            error["location"] = json!({ "fieldPathElements": self.path_elements() });
        }
        error
    }

    fn path_elements(&self) -> Vec<Value> {
        let element = |(name, index): &(&str, Option<usize>)| match index {
            Some(index) => json!({ "fieldName": name, "index": index }),
            None => json!({ "fieldName": name }),
        };
        self.path.iter().rev().map(element).collect()
    }

    /// Message and place in one line, as the status of a partial failure quotes them.
    pub(super) fn summary(&self) -> String {
        let element = |(name, index): &(&str, Option<usize>)| match index {
            Some(index) => format!("{name}[{index}]"),
            None => (*name).to_owned(),
        };
        let place: Vec<String> = self.path.iter().rev().map(element).collect();
        format!("{}, at {}", self.message, place.join("."))
    }
}

/// A refusal of the whole request.
#[derive(Debug)]
pub(super) enum Refusal {
    /// In the form of the service, with an HTTP status.
    Api { status: StatusCode, error: Box<ApiError> },
    /// In the form of the JSON reader in front of the service, at a field.
    Json { message: String, field: Option<String> },
}

impl Refusal {
    pub(super) fn invalid(error: ApiError) -> Self {
        Self::Api { status: StatusCode::BAD_REQUEST, error: Box::new(error) }
    }

    pub(super) fn unauthenticated(error: ApiError) -> Self {
        Self::Api { status: StatusCode::UNAUTHORIZED, error: Box::new(error) }
    }
}
