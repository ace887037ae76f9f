//! Sending one request.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use conversion_core::exchange::{Exchange, Header, HeaderValue, MAX_RECORDED_RESPONSE, Reply, Request};
use conversion_core::failure::{Failure, FailureClass};
use conversion_core::secret::{REDACTED, Secret};
use conversion_core::settings::SettingsError;
use reqwest::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use serde::Deserialize;

use crate::retry_after;

/// Longest answer that is read; a longer one counts as unreadable.
const MAX_RESPONSE: usize = 8 * 1024 * 1024;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct ClientOptions {
    /// From sending to the last byte of the answer.
    pub timeout: Duration,
    /// For name resolution, connecting and TLS.
    pub connect_timeout: Duration,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), connect_timeout: Duration::from_secs(5) }
    }
}

/// An HTTP client for one platform: keeps its connections, follows no redirect, retries nothing.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
}

/// What came of one request.
#[derive(Debug)]
pub struct Answer {
    /// The exchange as it is to be recorded.
    pub exchange: Exchange,
    /// The whole answer, or why there is none: [`FailureClass::Unreachable`] where nothing was sent,
    /// [`FailureClass::Interrupted`] where it was perhaps received.
    pub result: Result<FullReply, Failure>,
}

/// An answer of any status, as it came but for credentials, which are taken out.
#[derive(Clone, PartialEq, Eq)]
pub struct FullReply {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: String,
    /// The wait that `Retry-After` names.
    pub retry_after: Option<Duration>,
}

impl FullReply {
    /// The body, if it is a JSON object with these members. Serde alone would make them of an array, too.
    pub fn object<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        let is_object = self.body.trim_ascii_start().starts_with('{');
        is_object.then(|| serde_json::from_str(&self.body).ok()).flatten()
    }
}

impl fmt::Debug for FullReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FullReply({}, {} bytes)", self.status, self.body.len())
    }
}

impl Client {
    /// A client with these bounds.
    pub fn new(options: ClientOptions) -> Result<Self, SettingsError> {
        // An error means that the process has a provider already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder()
            .timeout(options.timeout)
            .connect_timeout(options.connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("signalbox/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| SettingsError::new(format!("cannot set up TLS: {error}")))?;
        Ok(Self { http })
    }

    /// Sends `request`, with `access_token` where a header asks for one.
    pub async fn exchange(&self, request: &Arc<Request>, access_token: Option<&Secret>) -> Answer {
        let builder = self.http.post(&request.url).body(request.body.sent());
        let started = Instant::now();
        let secrets = request.body.secrets().chain(access_token).collect();
        let result = send(builder, &request.headers, access_token, secrets).await;
        let exchange = Exchange {
            request: Arc::clone(request),
            reply: result.as_ref().ok().map(record),
            duration: started.elapsed(),
        };
        Answer { exchange, result }
    }

    /// Gets `url`, with `access_token` where a header asks for one. Not recorded.
    pub async fn get(
        &self,
        url: &str,
        headers: &[Header],
        access_token: Option<&Secret>,
    ) -> Result<FullReply, Failure> {
        send(self.http.get(url), headers, access_token, access_token.into_iter().collect()).await
    }

    /// Posts a form whose fields are credentials. Not recorded.
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<FullReply, Failure> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        read(self.http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)).await
    }
}

/// Sends with these headers; their credentials, as these secrets, are taken out of the answer.
async fn send<'a>(
    mut builder: reqwest::RequestBuilder,
    headers: &'a [Header],
    access_token: Option<&Secret>,
    mut secrets: Vec<&'a Secret>,
) -> Result<FullReply, Failure> {
    for header in headers {
        builder = match &header.value {
            HeaderValue::Plain(value) => builder.header(header.name, value.as_ref()),
            HeaderValue::Secret(secret) => {
                secrets.push(secret);
                builder.header(header.name, secret.expose())
            }
            HeaderValue::AccessToken => {
                builder.header(header.name, format!("Bearer {}", access_token.map_or("", Secret::expose)))
            }
        };
    }
    read(builder).await.map(|reply| FullReply { body: redact(reply.body, &secrets), ..reply })
}

async fn read(builder: reqwest::RequestBuilder) -> Result<FullReply, Failure> {
    let mut response = builder.send().await.map_err(|error| transport_failure(&error))?;
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let retry_after = header(RETRY_AFTER).and_then(|value| retry_after::parse(value, header(DATE)));
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport_failure(&error))? {
        if body.len() + chunk.len() > MAX_RESPONSE {
            let message = format!("the answer is longer than {MAX_RESPONSE} bytes");
            return Err(Failure::new(FailureClass::Interrupted, message));
        }
        body.extend_from_slice(&chunk);
    }
    let body = String::from_utf8(body)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok(FullReply { status, body, retry_after })
}

/// What was never sent may be sent again at will; all else was perhaps received.
fn transport_failure(error: &reqwest::Error) -> Failure {
    let cause = root_cause(error);
    if error.is_builder() {
        return Failure::new(FailureClass::Unreachable, format!("the address cannot be used: {cause}"));
    }
    if error.is_connect() {
        return Failure::new(FailureClass::Unreachable, format!("cannot connect: {cause}"));
    }
    if error.is_timeout() {
        return Failure::new(FailureClass::Interrupted, "no answer within the time limit");
    }
    Failure::new(FailureClass::Interrupted, format!("the connection broke off: {cause}"))
}

/// The innermost error: the outer ones repeat the address.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.source().is_none() { "unknown cause".to_owned() } else { cause.to_string() }
}

fn redact(mut body: String, secrets: &[&Secret]) -> String {
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        if body.contains(secret.expose()) {
            body = body.replace(secret.expose(), REDACTED);
        }
    }
    body
}

fn record(reply: &FullReply) -> Reply {
    let longest = reply.body.len().min(MAX_RECORDED_RESPONSE);
    let body = (0..=longest).rev().find_map(|end| reply.body.get(..end)).unwrap_or_default().to_owned();
    Reply { status: reply.status, truncated: body.len() < reply.body.len(), body }
}
