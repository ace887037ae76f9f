//! What the token endpoint's answer means (`platforms/google-ads.md`, section 2).
//!
//! Nothing of the answer's own text goes into a failure: it may repeat what was sent.

use std::time::Duration;

use conversion_core::failure::{Failure, FailureClass, HoldScope};
use conversion_core::secret::Secret;
use http_exchange::{FullReply, Token, by_status};
use serde::Deserialize;

/// What Google grants where it does not say for how long (its tokens live 3599 s).
const USUAL_LIFE_SECONDS: u64 = 3599;
/// No token is believed to live longer.
const LONGEST_LIFE_SECONDS: u64 = 24 * 3600;

/// A granted token.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) token: Token,
    /// Normally absent: the old one stays valid.
    pub(crate) refresh_token: Option<Secret>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    expires_in: Option<u64>,
    refresh_token: Option<Secret>,
}

/// A word here, unlike the API's `error` object.
#[derive(Deserialize)]
struct Refused {
    error: String,
}

/// Error words that a human has to act on, and how.
const MENDS: [(&str, &str); 4] = [
    (
        "invalid_grant",
        "the refresh token was revoked, has expired or was not used for six months (seven days where the consent \
         screen is in Testing mode): authorise again and set the new refresh_token",
    ),
    ("invalid_client", "client_id or client_secret is wrong"),
    (
        "unauthorized_client",
        "the refresh token belongs to another client: set the client_id it was granted to",
    ),
    ("invalid_scope", "the refresh token was granted for another scope: authorise again"),
];

/// Error words that pass by themselves.
const PASSING: [&str; 3] = ["internal_failure", "server_error", "temporarily_unavailable"];

/// The token, or why there is none.
pub(crate) fn read(reply: &FullReply) -> Result<Grant, Failure> {
    if !(200..300).contains(&reply.status) {
        return Err(refusal(reply));
    }
    let granted =
        serde_json::from_str::<Granted>(&reply.body).ok().filter(|granted| !granted.access_token.is_empty());
    let Some(granted) = granted else {
        let message = "Google's token endpoint gave an answer that cannot be read";
        return Err(Failure::new(FailureClass::Unreachable, message));
    };
    Ok(Grant {
        token: Token::new(granted.access_token, life(granted.expires_in)),
        refresh_token: granted.refresh_token.filter(|token| !token.is_empty()),
    })
}

fn life(expires_in: Option<u64>) -> Duration {
    Duration::from_secs(expires_in.unwrap_or(USUAL_LIFE_SECONDS).min(LONGEST_LIFE_SECONDS))
}

fn refusal(reply: &FullReply) -> Failure {
    let word = serde_json::from_str::<Refused>(&reply.body).map(|refused| refused.error).unwrap_or_default();
    if let Some(passing) = PASSING.into_iter().find(|passing| *passing == word) {
        let class = FailureClass::Unavailable { retry_after: reply.retry_after };
        return Failure::new(class, format!("Google's token endpoint answered {passing}")).with_code(passing);
    }
    let class = match by_status(reply) {
        class @ (FailureClass::RateLimited { .. } | FailureClass::Unavailable { .. }) => class,
        // Whatever else was refused was the credentials or the address, for every conversion alike.
        _ => FailureClass::Unauthorized { scope: HoldScope::Sink },
    };
    match MENDS.into_iter().find(|(known, _)| *known == word) {
        Some((word, mend)) => {
            Failure::new(class, format!("Google gave no access token ({word}): {mend}")).with_code(word)
        }
        None => Failure::new(class, format!("Google's token endpoint answered HTTP {}", reply.status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> FullReply {
        FullReply { status, body: body.to_owned(), retry_after: Some(Duration::from_secs(7)) }
    }

    #[test]
    fn a_grant_is_read() {
        let body = r#"{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer","scope":"s"}"#;
        let grant = read(&reply(200, body)).unwrap();
        assert_eq!(grant.token.secret.expose(), "ya29.x");
        assert!(grant.refresh_token.is_none());
    }

    #[test]
    fn a_new_refresh_token_is_seen_and_an_absurd_life_is_not_believed() {
        let body = r#"{"access_token":"a","expires_in":18446744073709551615,"refresh_token":"1//new"}"#;
        let grant = read(&reply(200, body)).unwrap();
        assert_eq!(grant.refresh_token.unwrap().expose(), "1//new");
    }

    #[test]
    fn a_life_is_believed_up_to_a_day() {
        for (told, seconds) in [(None, 3599), (Some(5), 5), (Some(86_400), 86_400), (Some(86_401), 86_400)] {
            assert_eq!(life(told), Duration::from_secs(seconds));
        }
    }

    #[test]
    fn refusals_are_told_apart() {
        let unauthorized = FailureClass::Unauthorized { scope: HoldScope::Sink };
        let retry_after = Some(Duration::from_secs(7));
        let unavailable = FailureClass::Unavailable { retry_after };
        for (status, word, class, code) in [
            (400, "invalid_grant", unauthorized, Some("invalid_grant")),
            (401, "invalid_client", unauthorized, Some("invalid_client")),
            (400, "unauthorized_client", unauthorized, Some("unauthorized_client")),
            (400, "invalid_scope", unauthorized, Some("invalid_scope")),
            (400, "invalid_request", unauthorized, None),
            (413, "", unauthorized, None),
            (404, "", unauthorized, None),
            (302, "", unauthorized, None),
            (400, "internal_failure", unavailable, Some("internal_failure")),
            (500, "server_error", unavailable, Some("server_error")),
            (400, "temporarily_unavailable", unavailable, Some("temporarily_unavailable")),
            (408, "", unavailable, None),
            (503, "", unavailable, None),
            (429, "", FailureClass::RateLimited { retry_after }, None),
        ] {
            let body = format!(r#"{{"error":"{word}","error_description":"…"}}"#);
            let failure = read(&reply(status, &body)).unwrap_err();
            assert_eq!((failure.class, failure.code.as_deref()), (class, code), "{status} {word}");
        }
    }

    #[test]
    fn an_unreadable_grant_means_that_nothing_was_sent() {
        for body in ["", "<html>", "{}", r#"{"access_token":""}"#, r#"{"access_token":3}"#] {
            assert_eq!(read(&reply(200, body)).unwrap_err().class, FailureClass::Unreachable, "{body}");
        }
    }

    #[test]
    fn no_failure_repeats_what_the_endpoint_said() {
        for status in [200, 400, 401, 429, 500] {
            for word in ["invalid_grant", "1//echoed", "server_error"] {
                let body = format!(r#"{{"error":"{word}","error_description":"1//echoed"}}"#);
                let failure = read(&reply(status, &body)).unwrap_err();
                assert!(!format!("{failure:?}").contains("echoed"), "{failure:?}");
            }
        }
    }
}
