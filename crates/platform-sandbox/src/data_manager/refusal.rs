//! Refusals in Google's form (`google.rpc.Status`).

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::reply::Reply;

/// What is wrong with a field.
#[derive(Debug)]
pub(super) struct Violation {
    event: Option<usize>,
    /// In `snake_case`, below the event if there is one.
    field: String,
    reason: String,
    description: String,
}

impl Violation {
    pub(super) fn of_request(field: impl Into<String>, reason: &str, description: impl Into<String>) -> Self {
        Self { event: None, field: field.into(), reason: reason.to_owned(), description: description.into() }
    }

    pub(super) fn of_event(
        index: usize,
        field: impl Into<String>,
        reason: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        let (field, reason, description) = (field.into(), reason.into(), description.into());
        Self { event: Some(index), field, reason, description }
    }

    fn to_json(&self, name_index: bool) -> Value {
        let Self { field, reason, description, .. } = self;
        let field = match self.event {
            Some(index) if name_index => format!("events.events[{index}].{field}"),
            _ => field.clone(),
        };
        json!({"field": field, "reason": reason, "description": description})
    }
}

/// A refusal of the whole request.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    name: &'static str,
    message: String,
    /// Reason of an `ErrorInfo`.
    reason: Option<&'static str>,
    violations: Vec<Violation>,
}

impl Refusal {
    pub(super) fn status(status: StatusCode, name: &'static str, message: impl Into<String>) -> Self {
        Self { status, name, message: message.into(), reason: None, violations: Vec::new() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::status(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message)
    }

    pub(super) fn with_reason(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    pub(super) fn violated(violations: Vec<Violation>) -> Self {
        Self { violations, ..Self::invalid("There was a problem with the request.") }
    }

    pub(super) fn unauthenticated() -> Self {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access token.";
        Self::status(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message)
    }

    pub(super) fn insufficient_scope() -> Self {
        let message = "Request had insufficient authentication scopes.";
        Self::status(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message)
            .with_reason("ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    }

    pub(super) fn reply(&self, name_index: bool) -> Reply {
        let mut details = Vec::new();
        if let Some(reason) = self.reason {
            let kind = "type.googleapis.com/google.rpc.ErrorInfo";
            details.push(json!({"@type": kind, "reason": reason, "domain": "datamanager.googleapis.com"}));
        }
        if !self.violations.is_empty() {
            let violations: Vec<Value> =
                self.violations.iter().map(|violation| violation.to_json(name_index)).collect();
            let kind = "type.googleapis.com/google.rpc.BadRequest";
            details.push(json!({"@type": kind, "fieldViolations": violations}));
        }
        details.push(json!({"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "sandbox"}));
        let code = self.status.as_u16();
        let error = json!({"code": code, "message": self.message, "status": self.name, "details": details});
        Reply::json(self.status, &json!({ "error": error })).with_code(self.name)
    }
}
