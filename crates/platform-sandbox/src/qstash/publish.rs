//! Publishing: one message, one for a queue, or many at once.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::message::{Fate, Message};
use super::options::{Destination, Options};
use super::refusal::{HeaderFault, Refusal};
use super::settings::QstashSettings;
use super::shelf::Shelf;
use super::{MAX_BATCH, MAX_BODY};
use crate::exchange::Call;
use crate::reply::Reply;
use crate::state::State;

/// A message that may be accepted.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) destination: Destination,
    pub(super) options: Options,
    pub(super) queue: Option<String>,
    pub(super) body: Bytes,
}

/// What a publisher is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    message_id: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deduplicated: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InBatch {
    destination: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    queue: Option<String>,
}

/// `POST /v2/publish/{destination}`, `POST /v2/enqueue/{queue}/{destination}`
pub(super) fn one(
    state: &State,
    call: &Call,
    destination: &str,
    queue: Option<&str>,
) -> Result<Reply, Refusal> {
    let order = order(destination, &call.parts.headers, call.body.clone(), queue)?;
    single(state, order)
}

/// Accepts one message and answers with its id.
pub(super) fn single(state: &State, order: Order) -> Result<Reply, Refusal> {
    let receipts = accept(state, vec![order])?;
    let status = if receipts.iter().any(|receipt| receipt.deduplicated) {
        StatusCode::ACCEPTED
    } else {
        StatusCode::CREATED
    };
    Ok(Reply::json(status, &receipts.first()))
}

/// `POST /v2/batch`: all or, if one is wrong, none.
pub(super) fn batch(state: &State, call: &Call) -> Result<Reply, Refusal> {
    let messages: Vec<InBatch> = serde_json::from_slice(&call.body).map_err(Refusal::NotABatch)?;
    if messages.is_empty() || messages.len() > MAX_BATCH {
        return Err(Refusal::BatchSize);
    }
    let orders = messages.into_iter().enumerate().map(|(index, message)| {
        let in_batch = |refusal| Refusal::InBatch { index, refusal: Box::new(refusal) };
        let headers = headers(&message.headers).map_err(in_batch)?;
        order(&message.destination, &headers, message.body.into(), message.queue.as_deref()).map_err(in_batch)
    });
    let receipts = accept(state, orders.collect::<Result<_, _>>()?)?;
    Ok(Reply::json(StatusCode::CREATED, &receipts))
}

fn headers(written: &BTreeMap<String, String>) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::new();
    for (name, value) in written {
        let read = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
        let fault = HeaderFault::Malformed("a header's name with a header's value");
        let (read, value) = read.ok_or_else(|| Refusal::Header { name: name.clone(), fault })?;
        headers.append(read, value);
    }
    Ok(headers)
}

fn order(destination: &str, headers: &HeaderMap, body: Bytes, queue: Option<&str>) -> Result<Order, Refusal> {
    let destination = Destination::read(destination)?;
    let options = Options::read(headers)?;
    let belongs = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if queue.is_some_and(|name| name.is_empty() || !name.bytes().all(belongs)) {
        return Err(Refusal::Queue);
    }
    if body.len() > MAX_BODY {
        return Err(Refusal::TooLarge);
    }
    Ok(Order { destination, options, queue: queue.map(str::to_owned), body })
}

fn accept(state: &State, orders: Vec<Order>) -> Result<Vec<Receipt>, Refusal> {
    let settings = state.qstash.settings();
    let now_us = state.clock_us();
    let max_s = settings.max_delay_s;
    if orders.iter().any(|order| order.options.wait_us(now_us) > max_s.saturating_mul(1_000_000)) {
        return Err(Refusal::TooLate(max_s));
    }
    let messages: Vec<Message> =
        orders.into_iter().map(|order| message(state, &settings, order, now_us)).collect();
    let mut shelf = state.qstash.shelf();
    if !shelf.has_room(messages.len(), messages.iter().map(Message::size).sum()) {
        return Err(Refusal::Full);
    }
    let receipts = messages.into_iter().map(|message| settle(&mut shelf, &settings, message)).collect();
    drop(shelf);
    state.qstash.wake();
    Ok(receipts)
}

fn message(state: &State, settings: &QstashSettings, order: Order, now_us: u64) -> Message {
    Message {
        id: format!("msg_{}", state.chance.name()),
        is_callback: false,
        destination: order.destination,
        options: order.options,
        queue: order.queue,
        body: order.body,
        created_us: now_us,
        fate: Fate::draw(settings, &state.chance),
    }
}

fn settle(shelf: &mut Shelf, settings: &QstashSettings, message: Message) -> Receipt {
    if let Some(key) = message.deduplication_key() {
        let window_us = settings.dedup_window_ms.saturating_mul(1000);
        if let Some(earlier) = shelf.remembered.earlier(&key, message.created_us, window_us) {
            let message_id = earlier.to_owned();
            shelf.counts.deduplicated += 1;
            return Receipt { message_id, deduplicated: true };
        }
        shelf.remembered.note(key, &message.id, message.created_us);
    }
    shelf.counts.published += 1;
    let message_id = message.id.clone();
    if message.fate.is_lost {
        shelf.counts.lost += 1;
    } else {
        let due_us = message.due_us(settings);
        shelf.admit(message, due_us);
    }
    Receipt { message_id, deduplicated: false }
}
