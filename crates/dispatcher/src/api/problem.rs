//! Errors as the API tells them.

use std::fmt;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use conversion_core::event::FieldError;
use conversion_store::StoreError;
use serde::Serialize;
use tokio::task::JoinError;
use utoipa::ToSchema;

use crate::ingest::IngestError;

/// The body of every error.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(super) struct ErrorBody {
    /// One sentence that names the mend.
    error: String,
}

/// What is wrong with a body that was understood, field by field.
#[derive(Serialize, ToSchema)]
pub(super) struct FieldErrors {
    #[schema(value_type = Vec<FieldErrorBody>)]
    errors: Vec<FieldError>,
}

/// One thing wrong with one field.
#[derive(ToSchema)]
#[schema(as = FieldError)]
#[expect(dead_code, reason = "describes conversion_core::event::FieldError, which knows no OpenAPI")]
pub(crate) struct FieldErrorBody {
    /// Path of the field; empty where the whole is meant.
    field: String,
    /// What is wrong and what would be right.
    message: String,
}

/// An error with its status and one sentence that names the mend.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    message: String,
    /// When to come again.
    retry_after: Option<Duration>,
}

impl Problem {
    /// With this status and sentence.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(Duration::from_secs(1));
        Self { status, message: message.into(), retry_after }
    }

    /// To be tried again after `wait`.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(ErrorBody { error: self.message })).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after {
            // In whole seconds, and not a moment too early.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store refused");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl From<JoinError> for Problem {
    fn from(error: JoinError) -> Self {
        tracing::error!(%error, "a task broke off");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the service broke on this request; please report it")
    }
}

impl From<IngestError> for Problem {
    fn from(error: IngestError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

/// 422, with everything that is wrong.
pub(super) fn unprocessable(errors: Vec<FieldError>) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(FieldErrors { errors })).into_response()
}

/// No such address.
pub(super) async fn no_route() -> Problem {
    Problem::not_found("there is nothing at this address; GET /api/openapi.json lists what there is")
}

/// The address exists, for another method.
pub(super) async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this address takes another method; the header Allow names it",
    )
}
