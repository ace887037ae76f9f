//! The OAuth token endpoint.

use hyper::StatusCode;
use serde_json::json;

use crate::Platform;
use crate::exchange::Call;
use crate::reply::Reply;
use crate::settings::Settings;
use crate::state::State;

const SCOPE: &str = "https://www.googleapis.com/auth/adwords https://www.googleapis.com/auth/datamanager";

/// Why no token is issued.
#[derive(Debug, thiserror::Error)]
enum TokenError {
    #[error("the body must be application/x-www-form-urlencoded")]
    NotAForm,
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("grant_type must be refresh_token")]
    GrantType,
    #[error("The OAuth client was not found.")]
    Client,
    #[error("Token has been expired or revoked.")]
    Grant,
}

impl TokenError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotAForm | Self::Missing(_) => "invalid_request",
            Self::GrantType => "unsupported_grant_type",
            Self::Client => "invalid_client",
            Self::Grant => "invalid_grant",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Client => StatusCode::UNAUTHORIZED,
            Self::NotAForm | Self::Missing(_) | Self::GrantType | Self::Grant => StatusCode::BAD_REQUEST,
        }
    }
}

/// `POST /token`.
pub(crate) fn token(state: &State, call: &Call) -> Reply {
    state.token_requested();
    let settings = state.of(Platform::GoogleAds).settings();
    match check(call, &settings) {
        Ok(()) => issue(state, &settings),
        Err(error) => {
            let body = json!({"error": error.code(), "error_description": error.to_string()});
            Reply::json(error.status(), &body)
        }
    }
}

fn issue(state: &State, settings: &Settings) -> Reply {
    let token = format!("ya29.sandbox-{}", state.chance.name());
    state.access_tokens().issue(token.clone(), state.now_us(settings), settings.expires_in_s);
    let body = json!({
        "access_token": token,
        "expires_in": settings.expires_in_s,
        "scope": SCOPE,
        "token_type": "Bearer",
    });
    Reply::json(StatusCode::OK, &body)
}

fn check(call: &Call, settings: &Settings) -> Result<(), TokenError> {
    if !call.is_of_type("application/x-www-form-urlencoded") {
        return Err(TokenError::NotAForm);
    }
    let field = |name: &'static str| {
        let mut pairs = form_urlencoded::parse(&call.body);
        pairs.find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value)
    };
    if field("grant_type").ok_or(TokenError::Missing("grant_type"))? != "refresh_token" {
        return Err(TokenError::GrantType);
    }
    if field("client_id").is_none() || field("client_secret").is_none() {
        return Err(TokenError::Client);
    }
    let refresh_token = field("refresh_token").ok_or(TokenError::Missing("refresh_token"))?;
    if settings.refresh_tokens.is_empty()
        || settings.refresh_tokens.iter().any(|known| *known == refresh_token)
    {
        Ok(())
    } else {
        Err(TokenError::Grant)
    }
}
