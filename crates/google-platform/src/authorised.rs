//! One request with an access token.

use std::sync::Arc;

use conversion_core::exchange::{Exchange, Header, HeaderValue, Request};
use conversion_core::failure::Failure;
use http_exchange::{Answer, Client, FullReply};

use crate::tokens::AccessTokens;

/// What came of an authorised request.
#[derive(Debug)]
pub struct Authorised {
    /// None where no token was to be had, two where the first token was refused. Token requests are not recorded.
    pub exchanges: Vec<Exchange>,
    /// The last answer, of any status, or why there is none.
    pub result: Result<FullReply, Failure>,
}

impl Authorised {
    fn failed(exchanges: Vec<Exchange>, failure: Failure) -> Self {
        Self { exchanges, result: Err(failure) }
    }
}

/// Sends `request` with a current token. A refused one (401) is renewed once, and the request sent once more; a second
/// 401 is the answer.
pub async fn send_authorised(client: &Client, request: &Arc<Request>, tokens: &AccessTokens) -> Authorised {
    let token = match tokens.get(client).await {
        Ok(token) => token,
        Err(failure) => return Authorised::failed(Vec::new(), failure),
    };
    let Answer { exchange: first, result } = client.exchange(request, Some(&token.secret)).await;
    if !result.as_ref().is_ok_and(|reply| reply.status == 401) {
        return Authorised { exchanges: vec![first], result };
    }
    let token = match tokens.renew(client, &token).await {
        Ok(token) => token,
        Err(failure) => return Authorised::failed(vec![first], failure),
    };
    let Answer { exchange: second, result } = client.exchange(request, Some(&token.secret)).await;
    Authorised { exchanges: vec![first, second], result }
}

/// Gets `url` with a current token, as [`send_authorised`] sends. Not recorded.
///
/// # Errors
///
/// If no token is to be had, or there is no answer.
pub async fn get_authorised(client: &Client, url: &str, tokens: &AccessTokens) -> Result<FullReply, Failure> {
    let headers = [Header { name: "authorization", value: HeaderValue::AccessToken }];
    let token = tokens.get(client).await?;
    let reply = client.get(url, &headers, Some(&token.secret)).await?;
    if reply.status != 401 {
        return Ok(reply);
    }
    let token = tokens.renew(client, &token).await?;
    client.get(url, &headers, Some(&token.secret)).await
}
