//! What callbacks say. Each is a message of its own.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;

use super::message::{Attempt, Fate, Message, Response, lists};
use super::options::{Callback, Options};
use crate::state::State;

/// The documented fields. Bodies are in Base64; times in milliseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    status: u16,
    header: BTreeMap<String, Vec<String>>,
    body: String,
    retried: u32,
    max_retries: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    dlq_id: Option<&'a str>,
    source_message_id: &'a str,
    topic_name: &'a str,
    endpoint_name: &'a str,
    url: &'a str,
    method: &'a str,
    source_header: BTreeMap<String, Vec<String>>,
    source_body: String,
    not_before: u64,
    created_at: u64,
    schedule_id: &'a str,
    #[serde(rename = "callerIP")]
    caller_ip: &'a str,
}

/// The report on one attempt; with the id of a dead letter, on a failure.
pub(super) fn body(attempt: &Attempt, response: &Response, dlq_id: Option<&str>) -> Bytes {
    let message = &attempt.message;
    let manner = &message.options.manner;
    let body = Body {
        status: response.status,
        header: lists(&response.headers),
        body: STANDARD.encode(&response.body),
        retried: attempt.retried,
        max_retries: manner.retries,
        dlq_id,
        source_message_id: &message.id,
        topic_name: "",
        endpoint_name: "",
        url: &message.destination.url,
        method: manner.method.as_str(),
        source_header: lists(&manner.headers),
        source_body: STANDARD.encode(&message.body),
        not_before: message.not_before_ms(),
        created_at: message.created_us / 1000,
        schedule_id: "",
        caller_ip: "",
    };
    // Texts and numbers cannot fail to serialise.
    serde_json::to_vec(&body).unwrap_or_default().into()
}

pub(super) fn message(state: &State, to: &Callback, body: Bytes) -> Message {
    let mut manner = to.manner.clone();
    manner.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Message {
        id: format!("msg_{}", state.chance.name()),
        is_callback: true,
        destination: to.to.clone(),
        options: Options { manner, ..Options::default() },
        queue: None,
        body,
        created_us: state.clock_us(),
        fate: Fate::draw(&state.qstash.settings(), &state.chance),
    }
}
