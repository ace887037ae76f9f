//! Refusals in the form of the Graph API (`platforms/meta.md`, section 7).

use std::borrow::Cow;

use hyper::StatusCode;
use serde_json::json;

use crate::reply::Reply;

const INVALID_PARAMETER: i64 = 100;
const INVALID_TOKEN: i64 = 190;

/// A refusal of the whole request.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: i64,
    subcode: Option<i64>,
    message: Cow<'static, str>,
    is_transient: bool,
}

impl Refusal {
    pub(super) fn coded(code: i64, subcode: Option<i64>, message: impl Into<String>) -> Self {
        let message = Cow::Owned(message.into());
        Self { status: StatusCode::BAD_REQUEST, code, subcode, message, is_transient: false }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::coded(INVALID_PARAMETER, None, message)
    }

    /// An event that does not validate. What the other subcodes of this family mean is not known.
    pub(super) fn event(message: impl Into<String>) -> Self {
        Self::coded(INVALID_PARAMETER, Some(2_804_019), message)
    }

    pub(super) fn too_old() -> Self {
        let message = "The timestamp for this event is more than seven days in the past.";
        Self::coded(INVALID_PARAMETER, Some(2_804_003), message)
    }

    pub(super) fn no_such_dataset(dataset: &str) -> Self {
        let message = format!(
            "Unsupported post request. Object with ID '{dataset}' does not exist or cannot be loaded due to missing \
             permissions"
        );
        Self::coded(INVALID_PARAMETER, Some(33), message)
    }

    pub(super) fn token(message: &str) -> Self {
        Self::coded(INVALID_TOKEN, None, message)
    }

    pub(super) fn expired() -> Self {
        Self::coded(INVALID_TOKEN, Some(463), "Error validating access token: Session has expired.")
    }

    /// Meta cannot work now.
    pub(super) fn passing(status: StatusCode) -> Self {
        let refusal = Self::coded(2, None, "Service temporarily unavailable");
        Self { status, is_transient: true, ..refusal }
    }

    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(super) fn reply(&self, trace: &str) -> Reply {
        let Self { status, code, subcode, message, is_transient } = self;
        let mut error = json!({
            "message": message,
            "type": "OAuthException",
            "code": code,
            "is_transient": is_transient,
            "fbtrace_id": trace,
        });
        if let Some(subcode) = subcode {
            error["error_subcode"] = json!(subcode);
        }
        let code = subcode.map_or(code.to_string(), |subcode| format!("{code}-{subcode}"));
        Reply::json(*status, &json!({ "error": error })).with_code(Cow::Owned(code))
    }
}
