//! Access tokens: which were issued, and which are still good.

use std::collections::HashMap;

use super::error::{Code, Refusal};
use crate::exchange::Desk;

/// More tokens than this are not remembered: beyond it, the dead ones go.
const REMEMBERED: usize = 10_000;

/// Tokens with the time at which each expires.
#[derive(Debug, Default)]
pub(crate) struct AccessTokens(HashMap<String, u64>);

impl AccessTokens {
    pub(super) fn issue(&mut self, token: String, now_us: u64, life_s: u64) {
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, expires_us| *expires_us > now_us);
        }
        self.0.insert(token, now_us.saturating_add(life_s.saturating_mul(1_000_000)));
    }

    /// Whether a token was issued and has not had its time.
    pub(crate) fn is_live(&self, token: &str, now_us: u64) -> bool {
        self.0.get(token).is_some_and(|expires_us| *expires_us > now_us)
    }

    pub(crate) fn revoke_all(&mut self) {
        self.0.clear();
    }
}

/// Refuses a call without a live token.
pub(super) fn check(desk: &Desk<'_>) -> Result<(), Refusal> {
    let Some(token) = desk.call.header("authorization").and_then(|value| value.strip_prefix("Bearer "))
    else {
        let error = Code("authenticationError", "AUTHENTICATION_ERROR")
            .error("Request is missing required authentication credential.");
        return Err(Refusal::unauthenticated(error));
    };
    let expires_us = desk.state.access_tokens().0.get(token).copied();
    match expires_us {
        Some(expires_us) if expires_us > desk.now_us => Ok(()),
        Some(_) => Err(expired()),
        None => {
            let error = Code("authenticationError", "OAUTH_TOKEN_INVALID")
                .error("OAuth token in the header is not valid.");
            Err(Refusal::unauthenticated(error))
        }
    }
}

/// The refusal for a token that has had its time.
pub(super) fn expired() -> Refusal {
    let error =
        Code("authenticationError", "OAUTH_TOKEN_EXPIRED").error("OAuth token in the header has expired.");
    Refusal::unauthenticated(error)
}
