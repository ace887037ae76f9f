//! The sandbox's own calls to the service it plays against.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// More of an answer than this is not read.
const MAX_ANSWER: usize = 1 << 20;

/// Keeps connections open between calls. Speaks plain HTTP only.
pub(crate) type Client = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

pub(crate) fn client() -> Client {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector)
}

/// What a call was answered. Redirects are not followed.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("no answer within the timeout")]
    Timeout,
    #[error("the request failed: {0}")]
    Unsent(#[from] hyper_util::client::legacy::Error),
    #[error("the answer ended early or is too long")]
    Unread,
}

/// Sends one request and reads the answer to its end, both within the timeout.
pub(crate) async fn send(
    client: &Client,
    request: Request<Full<Bytes>>,
    timeout: Duration,
) -> Result<Answer, Failure> {
    let exchange = async {
        let (parts, body) = client.request(request).await?.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|_| Failure::Unread)?;
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
    };
    tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(Failure::Timeout))
}
