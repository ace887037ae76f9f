//! Looking up, cancelling and putting back messages; the signing keys.

use std::collections::BTreeMap;

use hyper::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::message::{View, lists};
use super::publish::{self, Order};
use super::refusal::Refusal;
use super::shelf::DeadLetter;
use crate::exchange::Call;
use crate::reply::Reply;
use crate::state::State;

/// So many dead letters make a page, unless fewer are asked for.
const PAGE: usize = 100;

const MESSAGE: Refusal = Refusal::NotFound("message; once delivered or given up it is gone");
const DEAD_LETTER: Refusal = Refusal::NotFound("dead letter");

/// A dead letter as the API shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeadView<'a> {
    dlq_id: &'a str,
    #[serde(flatten)]
    message: View<'a>,
    response_status: u16,
    response_header: BTreeMap<String, Vec<String>>,
    response_body: String,
}

impl<'a> DeadView<'a> {
    fn of((dlq_id, letter): (&'a str, &'a DeadLetter)) -> Self {
        Self {
            dlq_id,
            message: letter.message.view(),
            response_status: letter.response.status,
            response_header: lists(&letter.response.headers),
            response_body: String::from_utf8_lossy(&letter.response.body).into_owned(),
        }
    }
}

/// `GET /v2/messages/{id}`
pub(super) fn message(state: &State, id: &str) -> Result<Reply, Refusal> {
    let shelf = state.qstash.shelf();
    Ok(Reply::json(StatusCode::OK, &shelf.get(id).ok_or(MESSAGE)?.view()))
}

/// `DELETE /v2/messages/{id}`
pub(super) fn cancel(state: &State, id: &str) -> Result<Reply, Refusal> {
    if !state.qstash.shelf().cancel(id) {
        return Err(MESSAGE);
    }
    Ok(Reply::json(StatusCode::ACCEPTED, &json!({ "cancelled": 1 })))
}

/// `GET /v2/dlq`: a page, with a cursor where there is more.
pub(super) fn dead_letters(state: &State, call: &Call) -> Result<Reply, Refusal> {
    let (mut cursor, mut count) = (None, PAGE);
    for (name, value) in form_urlencoded::parse(call.parts.uri.query().unwrap_or_default().as_bytes()) {
        match &*name {
            "cursor" => cursor = Some(value.into_owned()),
            "count" => count = value.parse().map_err(|_| Refusal::Query)?,
            _ => return Err(Refusal::Query),
        }
    }
    if !(1..=PAGE).contains(&count) {
        return Err(Refusal::Query);
    }
    let shelf = state.qstash.shelf();
    let mut letters = shelf.dead_from(cursor.as_deref()).map(|(dlq_id, letter)| (dlq_id.as_str(), letter));
    let page: Vec<DeadView<'_>> = letters.by_ref().take(count).map(DeadView::of).collect();
    let mut answer = json!({ "messages": page });
    if let Some((next, _)) = letters.next() {
        answer["cursor"] = Value::from(next);
    }
    Ok(Reply::json(StatusCode::OK, &answer))
}

/// `GET /v2/dlq/{id}`
pub(super) fn dead_letter(state: &State, dlq_id: &str) -> Result<Reply, Refusal> {
    let shelf = state.qstash.shelf();
    let letter = shelf.dead(dlq_id).ok_or(DEAD_LETTER)?;
    Ok(Reply::json(StatusCode::OK, &DeadView::of((dlq_id, letter))))
}

/// `DELETE /v2/dlq/{id}`
pub(super) fn drop_dead(state: &State, dlq_id: &str) -> Result<Reply, Refusal> {
    state.qstash.shelf().unbury(dlq_id).ok_or(DEAD_LETTER)?;
    Ok(Reply::json(StatusCode::OK, &json!({ "deleted": 1 })))
}

/// `POST /v2/dlq/retry/{id}`: a new message, at once, with what the headers of this request change.
pub(super) fn retry_dead(state: &State, call: &Call, dlq_id: &str) -> Result<Reply, Refusal> {
    // Out of the dead letters first, so that of two retries at the same time one finds nothing.
    let letter = state.qstash.shelf().unbury(dlq_id).ok_or(DEAD_LETTER)?;
    let again = |letter: &DeadLetter| {
        publish::single(
            state,
            Order {
                destination: letter.message.destination.clone(),
                options: letter.message.options.clone().again().amended(&call.parts.headers)?,
                queue: letter.message.queue.clone(),
                body: letter.message.body.clone(),
            },
        )
    };
    let answer = again(&letter);
    if answer.is_err() {
        state.qstash.shelf().bury(dlq_id.to_owned(), letter);
    }
    answer
}

/// `GET /v2/keys`
pub(super) fn keys(state: &State) -> Reply {
    Reply::json(StatusCode::OK, &state.qstash.keys())
}

/// `POST /v2/keys/rotate`
pub(super) fn rotate(state: &State) -> Reply {
    Reply::json(StatusCode::OK, &state.qstash.rotate(&state.chance))
}
