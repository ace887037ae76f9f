//! What the headers of a publication ask for.

use std::time::Duration;

use hyper::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use hyper::{Method, Uri};

use super::refusal::{HeaderFault, Refusal};
use super::{expression, span};

/// Retries after the first attempt, unless the publisher says otherwise.
const RETRIES: u32 = 3;

/// What the methods of a delivery are, according to the official client.
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH];

/// Headers that belong to the connection, not to the message.
const RESERVED: [HeaderName; 4] = [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING];

const CALLBACK: &str = "Upstash-Callback";
const FAILURE_CALLBACK: &str = "Upstash-Failure-Callback";
const FLOW_KEY: &str = "Upstash-Flow-Control-Key";
const FLOW_VALUE: &str = "Upstash-Flow-Control-Value";

/// Where a message goes.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    /// As it was published: the `sub` of its signatures.
    pub(super) url: String,
    pub(super) uri: Uri,
}

impl Destination {
    pub(super) fn read(url: &str) -> Result<Self, Refusal> {
        let uri: Uri = url.parse().map_err(|_| Refusal::Destination)?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        if !is_web || uri.host().is_none_or(str::is_empty) {
            return Err(Refusal::Destination);
        }
        Ok(Self { url: url.to_owned(), uri })
    }
}

/// How a message or a callback is delivered.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    pub(super) method: Method,
    /// The content type and what is forwarded.
    pub(super) headers: HeaderMap,
    pub(super) retries: u32,
    pub(super) retry_delay: Option<String>,
    /// For one attempt.
    pub(super) timeout: Duration,
    pub(super) delay_s: u64,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            method: Method::POST,
            headers: HeaderMap::new(),
            retries: RETRIES,
            retry_delay: None,
            timeout: Duration::from_secs(30),
            delay_s: 0,
        }
    }
}

impl Manner {
    /// Takes the header that is called so behind `Upstash-` or `Upstash-Callback-`.
    fn set(&mut self, name: &str, value: &HeaderValue) -> Result<(), HeaderFault> {
        match name {
            "method" => {
                let method = METHODS.iter().find(|method| method.as_str().as_bytes() == value.as_bytes());
                self.method =
                    method.ok_or(HeaderFault::Malformed("GET, POST, PUT, DELETE or PATCH"))?.clone();
            }
            "retries" => {
                self.retries =
                    text(value)?.parse().map_err(|_| HeaderFault::Malformed("a whole number from 0"))?;
            }
            "retry-delay" => {
                let delay = text(value)?;
                expression::value(delay, 0)?;
                self.retry_delay = Some(delay.to_owned());
            }
            "timeout" => {
                let timeout_s = seconds(value)?;
                if timeout_s == 0 {
                    return Err(HeaderFault::Malformed("longer than nothing"));
                }
                self.timeout = Duration::from_secs(timeout_s);
            }
            "delay" => self.delay_s = seconds(value)?,
            _ => self.forward(name.strip_prefix("forward-").ok_or(HeaderFault::Unknown)?, value)?,
        }
        Ok(())
    }

    fn forward(&mut self, name: &str, value: &HeaderValue) -> Result<(), HeaderFault> {
        let name: HeaderName =
            name.parse().map_err(|_| HeaderFault::Malformed("called after a header to forward"))?;
        if RESERVED.contains(&name) || name.as_str().starts_with("upstash-") {
            return Err(HeaderFault::Reserved);
        }
        self.headers.append(name, value.clone());
        Ok(())
    }
}

/// Someone to tell about an attempt or a failure.
#[derive(Clone, Debug)]
pub(super) struct Callback {
    pub(super) to: Destination,
    pub(super) manner: Manner,
}

/// What a duplicate is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deduplication {
    Id(String),
    Content,
}

/// What bounds the calls of many messages together.
#[derive(Clone, Debug, Default)]
pub(super) struct FlowControl {
    pub(super) key: Option<String>,
    /// So many calls at once of all messages with the key. Rates are not emulated.
    pub(super) parallelism: Option<usize>,
}

/// Everything the headers of a publication say.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) manner: Manner,
    /// Unix seconds; goes before the delay.
    pub(super) not_before: Option<u64>,
    pub(super) deduplication: Option<Deduplication>,
    pub(super) label: Option<String>,
    pub(super) flow_control: FlowControl,
    pub(super) callback: Option<Callback>,
    pub(super) failure_callback: Option<Callback>,
}

impl Options {
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut options = Self::default();
        if let Some(content_type) = headers.get(CONTENT_TYPE) {
            options.manner.headers.insert(CONTENT_TYPE, content_type.clone());
        }
        options.amended(headers)
    }

    /// The same, but for what these headers say.
    pub(super) fn amended(mut self, headers: &HeaderMap) -> Result<Self, Refusal> {
        for (name, callback) in
            [(CALLBACK, &mut self.callback), (FAILURE_CALLBACK, &mut self.failure_callback)]
        {
            if let Some(url) = headers.get(name) {
                let to = url.to_str().ok().and_then(|url| Destination::read(url).ok());
                let fault = HeaderFault::Malformed("an absolute http or https URL");
                let to = to.ok_or_else(|| Refusal::Header { name: name.to_owned(), fault })?;
                *callback = Some(Callback { to, manner: Manner::default() });
            }
        }
        for (name, value) in headers {
            if let Some(own) = name.as_str().strip_prefix("upstash-") {
                self.set(own, value)
                    .map_err(|fault| Refusal::Header { name: name.as_str().to_owned(), fault })?;
            }
        }
        if self.flow_control.key.is_some() != self.flow_control.parallelism.is_some() {
            let (name, other) = match self.flow_control.key {
                Some(_) => (FLOW_KEY, FLOW_VALUE),
                None => (FLOW_VALUE, FLOW_KEY),
            };
            return Err(Refusal::Header { name: name.to_owned(), fault: HeaderFault::Alone(other) });
        }
        Ok(self)
    }

    /// How long delivery is put off, in unscaled microseconds.
    pub(super) fn wait_us(&self, now_us: u64) -> u64 {
        match self.not_before {
            Some(at_s) => at_s.saturating_mul(1_000_000).saturating_sub(now_us),
            None => self.manner.delay_s.saturating_mul(1_000_000),
        }
    }

    /// The same for a message that is published once more: what concerned the first publication alone is gone.
    pub(super) fn again(self) -> Self {
        Self { manner: Manner { delay_s: 0, ..self.manner }, not_before: None, deduplication: None, ..self }
    }

    fn set(&mut self, name: &str, value: &HeaderValue) -> Result<(), HeaderFault> {
        match name {
            // Read before the headers that refine them.
            "callback" | "failure-callback" => {}
            // What the official client says of itself.
            "telemetry-sdk" | "telemetry-platform" | "telemetry-runtime" => {}
            "not-before" => {
                let at = text(value)?.parse().map_err(|_| HeaderFault::Malformed("Unix time in seconds"))?;
                self.not_before = Some(at);
            }
            "deduplication-id" => {
                self.deduplication = Some(Deduplication::Id(filled(value)?.to_owned()));
            }
            "content-based-deduplication" => match text(value)? {
                // An id that the caller gives says more than the content.
                "true" => self.deduplication = self.deduplication.take().or(Some(Deduplication::Content)),
                "false" => {}
                _ => return Err(HeaderFault::Malformed("true or false")),
            },
            "flow-control-key" => self.flow_control.key = Some(filled(value)?.to_owned()),
            "flow-control-value" => {
                let count = text(value)?.strip_prefix("parallelism=").and_then(|count| count.parse().ok());
                let count = count.filter(|count| *count > 0);
                self.flow_control.parallelism =
                    Some(count.ok_or(HeaderFault::Malformed("parallelism= and a whole number from 1"))?);
            }
            "label" => self.label = Some(filled(value)?.to_owned()),
            _ => return self.refine(name, value),
        }
        Ok(())
    }

    fn refine(&mut self, name: &str, value: &HeaderValue) -> Result<(), HeaderFault> {
        if let Some(name) = name.strip_prefix("callback-") {
            return self.callback.as_mut().ok_or(HeaderFault::Alone(CALLBACK))?.manner.set(name, value);
        }
        if let Some(name) = name.strip_prefix("failure-callback-") {
            let callback = self.failure_callback.as_mut();
            return callback.ok_or(HeaderFault::Alone(FAILURE_CALLBACK))?.manner.set(name, value);
        }
        self.manner.set(name, value)
    }
}

fn text(value: &HeaderValue) -> Result<&str, HeaderFault> {
    value.to_str().map(str::trim).map_err(|_| HeaderFault::Malformed("plain text"))
}

fn filled(value: &HeaderValue) -> Result<&str, HeaderFault> {
    match text(value)? {
        "" => Err(HeaderFault::Malformed("filled")),
        text => Ok(text),
    }
}

fn seconds(value: &HeaderValue) -> Result<u64, HeaderFault> {
    span::seconds(text(value)?).ok_or(HeaderFault::Malformed("a span such as 30s or 1d10h30m"))
}
