//! A running service, called as a script would.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use conversion_core::backoff::Backoff;
use conversion_core::exchange::{Body, Header, HeaderValue, Request};
use conversion_core::failure::FailureClass;
use conversion_core::secret::Secret;
use http_exchange::{Client, ClientOptions, FullReply};

use crate::config::Environment;

/// A service that cannot take a request is asked so often.
const TRIES: u32 = 8;
/// Waits between them.
pub(super) const WAITS: Backoff = Backoff { base: Duration::from_millis(200), cap: Duration::from_secs(5) };
/// Bytes of one request, about.
const REQUEST_BYTES: usize = 2 * 1024 * 1024;

/// Where the service is.
#[derive(Debug, clap::Args)]
pub(super) struct Address {
    /// The running service.
    #[arg(long, env = "SIGNALBOX_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
}

/// Posts to one address of a running service, with the key of `SIGNALBOX_API_KEY`.
pub(super) struct Caller {
    client: Client,
    url: String,
    key: Option<Secret>,
}

impl Caller {
    /// Of the service at `address`, at this path.
    pub(super) fn new(address: &Address, path: &str, environment: &Environment) -> anyhow::Result<Self> {
        let options = ClientOptions { timeout: Duration::from_secs(60), ..ClientOptions::default() };
        Ok(Self {
            client: Client::new(options)?,
            url: format!("{}{path}", address.url.trim_end_matches('/')),
            key: environment.get("SIGNALBOX_API_KEY").map(Secret::new),
        })
    }

    /// The body of the answer, if its status is 2xx or 422. A service that cannot take the request now is asked again:
    /// only what may be repeated is to be posted.
    pub(super) async fn post(&self, body: Body) -> anyhow::Result<String> {
        let mut headers = vec![Header::json()];
        if let Some(key) = &self.key {
            let bearer = Secret::new(format!("Bearer {}", key.expose()));
            headers.push(Header { name: "authorization", value: HeaderValue::Secret(bearer) });
        }
        let request = Arc::new(Request { url: self.url.clone(), headers, body });
        for tries in 1.. {
            let answer = self.client.exchange(&request, None).await.result;
            let again = match answer {
                Ok(FullReply { status: 200..=299 | 422, body, .. }) => return Ok(body),
                Ok(reply @ FullReply { status: 429 | 503, .. }) => reply.body,
                Ok(reply) => bail!("{} answered {}: {}", self.url, reply.status, reply.body),
                Err(failure) if tries < TRIES || failure.class == FailureClass::Interrupted => {
                    failure.message
                }
                Err(failure) => {
                    bail!("{}: {}; is `signalbox serve` running there? (--url)", self.url, failure.message)
                }
            };
            if tries >= TRIES {
                bail!("{} could not take the request: {again}", self.url);
            }
            if tries == 1 {
                writeln!(io::stderr(), "waiting for {}: {again}", self.url)?;
            }
            tokio::time::sleep(WAITS.ceiling(tries)).await;
        }
        bail!("{} was not reached", self.url)
    }
}

/// How many items go into each request: at most so many, fewer where they are long.
pub(super) fn sizes(lengths: impl IntoIterator<Item = usize>, most: usize) -> Vec<usize> {
    let mut sizes = Vec::new();
    let (mut count, mut bytes) = (0, 0);
    for length in lengths {
        if count == most || (count > 0 && bytes + length > REQUEST_BYTES) {
            sizes.push(count);
            (count, bytes) = (0, 0);
        }
        count += 1;
        bytes += length + 1;
    }
    if count > 0 {
        sizes.push(count);
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_bounded_by_count_and_by_size() {
        assert_eq!(sizes([2; 5], 2), [2, 2, 1]);
        let half = REQUEST_BYTES / 2 + 1;
        assert_eq!(sizes([half, half, half, 2], 100), [1, 1, 2]);
    }
}
