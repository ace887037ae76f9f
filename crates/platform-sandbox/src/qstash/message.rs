//! One message.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::HeaderMap;
use serde::Serialize;

use super::options::{Deduplication, Destination, Options};
use super::settings::QstashSettings;
use crate::chance::Chance;
use crate::outgoing::{Answer, Failure};

/// What a message occupies besides its body, roughly.
const OVERHEAD: usize = 1024;

/// A message, or a callback on its way; it never changes.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) is_callback: bool,
    pub(super) destination: Destination,
    pub(super) options: Options,
    pub(super) queue: Option<String>,
    pub(super) body: Bytes,
    pub(super) created_us: u64,
    pub(super) fate: Fate,
}

/// The faults that a message is to meet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fate {
    pub(super) is_lost: bool,
    fails_once: bool,
    answer_is_lost: bool,
    is_doubled: bool,
}

impl Fate {
    pub(super) fn draw(settings: &QstashSettings, chance: &Chance) -> Self {
        Self {
            is_lost: chance.hit(settings.p_lost),
            fails_once: chance.hit(settings.p_fail_once),
            answer_is_lost: chance.hit(settings.p_answer_lost),
            is_doubled: chance.hit(settings.p_duplicate),
        }
    }
}

/// One attempt to make.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) message: Arc<Message>,
    /// How many were made before.
    pub(super) retried: u32,
    /// Made besides another one; nothing depends on how it ends.
    pub(super) is_duplicate: bool,
}

impl Attempt {
    pub(super) fn first(message: Arc<Message>) -> Self {
        Self { message, retried: 0, is_duplicate: false }
    }

    /// The flow control key that it counts for, and how many calls may be made at once.
    pub(super) fn lane(&self) -> Option<(&str, usize)> {
        let flow_control = &self.message.options.flow_control;
        flow_control.key.as_deref().zip(flow_control.parallelism)
    }

    /// Whether it fails on its way.
    pub(super) fn never_arrives(&self) -> bool {
        self.message.fate.fails_once && self.retried == 0
    }

    pub(super) fn answer_is_lost(&self) -> bool {
        self.message.fate.answer_is_lost && self.is_first_to_arrive()
    }

    /// The same once more, where the message's fate has it so.
    pub(super) fn duplicate(&self) -> Option<Self> {
        let doubled = self.message.fate.is_doubled && self.is_first_to_arrive() && !self.is_duplicate;
        doubled.then(|| Self { is_duplicate: true, ..self.clone() })
    }

    fn is_first_to_arrive(&self) -> bool {
        self.retried == u32::from(self.message.fate.fails_once)
    }
}

impl Message {
    pub(super) fn size(&self) -> usize {
        self.body.len() + OVERHEAD
    }

    /// When its first attempt is due.
    pub(super) fn due_us(&self, settings: &QstashSettings) -> u64 {
        let wait_s = self.options.wait_us(self.created_us) as f64 / 1e6;
        self.created_us.saturating_add(settings.scaled_us(wait_s))
    }

    /// Unix milliseconds before which no attempt was to be made, whatever the scale of time.
    pub(super) fn not_before_ms(&self) -> u64 {
        self.created_us.saturating_add(self.options.wait_us(self.created_us)) / 1000
    }

    /// What a second publication of the same is known by.
    pub(super) fn deduplication_key(&self) -> Option<String> {
        use sha2::{Digest as _, Sha256};

        match self.options.deduplication.as_ref()? {
            Deduplication::Id(id) => Some(format!("id {id}")),
            Deduplication::Content => {
                let mut digest = Sha256::new();
                let manner = &self.options.manner;
                let mut headers: Vec<(&str, &[u8])> =
                    manner.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
                headers.sort_unstable();
                let head =
                    [("url", self.destination.url.as_bytes()), ("method", manner.method.as_str().as_bytes())];
                for (name, value) in head.into_iter().chain(headers) {
                    digest.update(name);
                    digest.update([0]);
                    digest.update(value);
                    digest.update([0]);
                }
                digest.update(&self.body);
                Some(format!("content {}", STANDARD.encode(digest.finalize())))
            }
        }
    }

    pub(super) fn view(&self) -> View<'_> {
        let text = std::str::from_utf8(&self.body).ok();
        let options = &self.options;
        View {
            message_id: &self.id,
            url: &self.destination.url,
            method: options.manner.method.as_str(),
            header: lists(&options.manner.headers),
            body: text,
            body_base64: text.is_none().then(|| STANDARD.encode(&self.body)),
            max_retries: options.manner.retries,
            retry_delay_expression: options.manner.retry_delay.as_deref(),
            not_before: self.not_before_ms(),
            created_at: self.created_us / 1000,
            callback: options.callback.as_ref().map(|callback| callback.to.url.as_str()),
            failure_callback: options.failure_callback.as_ref().map(|callback| callback.to.url.as_str()),
            queue_name: self.queue.as_deref(),
            label: options.label.as_deref(),
        }
    }
}

/// A message as the API shows it. Times are in milliseconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View<'a> {
    message_id: &'a str,
    url: &'a str,
    method: &'a str,
    header: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    max_retries: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_delay_expression: Option<&'a str>,
    not_before: u64,
    created_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_callback: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
}

/// What became of an attempt.
#[derive(Clone, Debug)]
pub(super) struct Response {
    /// 0 where there was no answer.
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// Says what went wrong where there was no answer.
    pub(super) body: Bytes,
}

impl Response {
    pub(super) fn of(result: Result<Answer, Failure>) -> Self {
        match result {
            Ok(Answer { status, headers, body }) => Self { status: status.as_u16(), headers, body },
            Err(failure) => Self::none(failure.to_string()),
        }
    }

    pub(super) fn none(why: impl Into<Bytes>) -> Self {
        Self { status: 0, headers: HeaderMap::new(), body: why.into() }
    }

    pub(super) fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the destination wants no more attempts.
    pub(super) fn is_final(&self) -> bool {
        let marked = self.headers.get("upstash-nonretryable-error");
        self.status == 489 && marked.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
    }
}

/// Headers as the API writes them.
pub(super) fn lists(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        lists.entry(name.as_str().to_owned()).or_default().push(value);
    }
    lists
}
