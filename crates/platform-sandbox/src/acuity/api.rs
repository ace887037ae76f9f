//! The API that shows appointments.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::{Method, StatusCode};
use serde_json::json;
use tokio::time::Duration;

use super::list::{BadParameter, List};
use super::settings::AcuitySettings;
use crate::exchange::Call;
use crate::reply::Reply;
use crate::state::State;

const BASE: &str = "/api/v1/";

/// What the API answers instead.
#[derive(Debug, thiserror::Error)]
enum ApiError {
    #[error("Unauthorized")]
    Unauthorized,
    #[error("The appointment was not found.")]
    NoAppointment,
    #[error("There is no such resource.")]
    NoResource,
    #[error("The method is not allowed.")]
    Method,
    #[error("The parameter {0:?} is unknown or invalid.")]
    Parameter(String),
    #[error("Too many requests.")]
    TooManyRequests,
    #[error("The service is unavailable.")]
    Unavailable,
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NoAppointment | Self::NoResource => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Parameter(_) => StatusCode::BAD_REQUEST,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::NoAppointment | Self::NoResource => "not_found",
            Self::Method => "method_not_allowed",
            Self::Parameter(_) => "bad_request",
            Self::TooManyRequests => "too_many_requests",
            Self::Unavailable => "service_unavailable",
        }
    }

    fn reply(&self) -> Reply {
        let status = self.status();
        let body =
            json!({ "status_code": status.as_u16(), "message": self.to_string(), "error": self.name() });
        let retry_after = matches!(self, Self::TooManyRequests).then_some(1);
        Reply::json(status, &body).with_retry_after(retry_after)
    }
}

/// Whether a path is the API's.
pub(crate) fn is_api(path: &str) -> bool {
    path.starts_with(BASE)
}

pub(crate) async fn answer(state: &State, call: &Call) -> Reply {
    let account = &state.acuity;
    let settings = account.settings();
    if settings.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(settings.latency_ms)).await;
    }
    let this_second = account.requested(state.clock_us());
    let over_limit = settings.max_rps > 0 && this_second > settings.max_rps;
    let reply = respond(state, &settings, call, over_limit).unwrap_or_else(|error| error.reply());
    account.answered(&reply);
    reply
}

fn respond(
    state: &State,
    settings: &AcuitySettings,
    call: &Call,
    over_limit: bool,
) -> Result<Reply, ApiError> {
    if settings.down || state.chance.hit(settings.p_503) {
        return Err(ApiError::Unavailable);
    }
    if over_limit || state.chance.hit(settings.p_429) {
        return Err(ApiError::TooManyRequests);
    }
    if !is_authorized(settings, call) {
        return Err(ApiError::Unauthorized);
    }
    if call.parts.method != Method::GET {
        return Err(ApiError::Method);
    }
    match call.path().strip_prefix(BASE).unwrap_or_default() {
        "appointments" => list(state, call),
        "meta" => Ok(meta(settings)),
        resource => match resource.strip_prefix("appointments/") {
            Some(id) => one(state, id),
            None => {
                state.unknown_path(call.parts.method.as_str(), call.path());
                Err(ApiError::NoResource)
            }
        },
    }
}

fn is_authorized(settings: &AcuitySettings, call: &Call) -> bool {
    let given = call.header("authorization").and_then(|value| value.strip_prefix("Basic "));
    let given = given.and_then(|encoded| STANDARD.decode(encoded).ok());
    given.is_some_and(|given| given == format!("{}:{}", settings.user_id, settings.api_key).into_bytes())
}

fn meta(settings: &AcuitySettings) -> Reply {
    let id = settings.user_id.parse::<u64>().ok();
    Reply::json(StatusCode::OK, &json!({ "id": id, "name": "Sandbox" }))
}

fn one(state: &State, id: &str) -> Result<Reply, ApiError> {
    let id: u64 = id.parse().map_err(|_| ApiError::NoAppointment)?;
    let shown = state.acuity.show(id).ok_or(ApiError::NoAppointment)?;
    Ok(Reply::json(StatusCode::OK, &shown))
}

fn list(state: &State, call: &Call) -> Result<Reply, ApiError> {
    let query = call.parts.uri.query().unwrap_or_default();
    let list = List::read(query).map_err(|BadParameter(name)| ApiError::Parameter(name))?;
    Ok(Reply::json(StatusCode::OK, &list.of(state.acuity.appointments().values())))
}
