//! Deliveries: when each is due, what is sent, and what its answer means.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::Request;
use hyper::header::{HeaderName, HeaderValue, USER_AGENT};
use tokio::task::JoinSet;

use super::callback;
use super::message::{Attempt, Response};
use super::options::Callback;
use super::pace;
use super::shelf::{DeadLetter, Next, Shelf};
use super::sign::{self, Letter};
use crate::outgoing::{self, Client};
use crate::state::State;

const SIGNATURE: HeaderName = HeaderName::from_static("upstash-signature");
const MESSAGE_ID: HeaderName = HeaderName::from_static("upstash-message-id");
const RETRIED: HeaderName = HeaderName::from_static("upstash-retried");
const REGION: HeaderName = HeaderName::from_static("upstash-region");

/// Delivers what is due for as long as it is polled.
pub(crate) async fn drive(state: &Arc<State>) -> Infallible {
    let client = outgoing::client();
    let mut deliveries = JoinSet::new();
    loop {
        let wait = start_due(state, &client, &mut deliveries);
        let due = async {
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = state.qstash.woken() => {}
            () = due => {}
            Some(_) = deliveries.join_next() => {}
        }
    }
}

/// Starts what is due as far as there is room; says how long nothing more is due.
fn start_due(state: &Arc<State>, client: &Client, deliveries: &mut JoinSet<()>) -> Option<Duration> {
    let concurrency = state.qstash.settings().concurrency.max(1);
    while deliveries.len() < concurrency {
        let now_us = state.clock_us();
        let mut shelf = state.qstash.shelf();
        match shelf.next(now_us) {
            Next::Now(attempt) => {
                if let Some(duplicate) = attempt.duplicate() {
                    shelf.schedule(duplicate, now_us);
                }
                let in_flight = deliveries.len() as u64 + 1;
                shelf.counts.max_in_flight = shelf.counts.max_in_flight.max(in_flight);
                // A runtime that is stopping drops what it is given, and that takes the shelf.
                drop(shelf);
                let lane = attempt.lane().map(|(key, _)| key.to_owned());
                let under_way = UnderWay { state: Arc::clone(state), attempt: Some(attempt), lane };
                deliveries.spawn(deliver(client.clone(), under_way));
            }
            Next::At(due_us) => return Some(Duration::from_micros(due_us - now_us)),
            Next::Nothing => return None,
        }
    }
    None
}

/// An attempt that goes back to the schedule if it is dropped before its end, as it is when the sandbox stops serving.
struct UnderWay {
    state: Arc<State>,
    attempt: Option<Attempt>,
    /// The flow control key that it counts for.
    lane: Option<String>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let now_us = self.state.clock_us();
        let mut shelf = self.state.qstash.shelf();
        if let Some(key) = &self.lane {
            shelf.leave(key, now_us);
        }
        let Some(attempt) = self.attempt.take() else { return };
        if shelf.get(&attempt.message.id).is_some() {
            shelf.schedule(attempt, now_us);
            self.state.qstash.wake();
        }
    }
}

async fn deliver(client: Client, mut under_way: UnderWay) {
    let Some(attempt) = &under_way.attempt else { return };
    let state = &under_way.state;
    let response = if attempt.never_arrives() {
        Response::none("the connection failed")
    } else {
        let answer =
            outgoing::send(&client, request(state, attempt), attempt.message.options.manner.timeout).await;
        if attempt.answer_is_lost() { Response::none("the answer was lost") } else { Response::of(answer) }
    };
    settle(state, attempt, &response);
    under_way.attempt = None;
}

fn request(state: &State, attempt: &Attempt) -> Request<Full<bytes::Bytes>> {
    let message = &attempt.message;
    let settings = state.qstash.settings();
    let letter = Letter {
        to: &message.destination.url,
        body: &message.body,
        jti: &format!("jwt_{}", state.chance.name()),
        padded: settings.padded_digest,
    };
    let now_s = state.moved_clock_us(settings.clock_offset_s) / 1_000_000;
    let token = sign::token(&state.qstash.keys().current, letter, now_s);
    let mut request = Request::new(Full::new(message.body.clone()));
    *request.method_mut() = message.options.manner.method.clone();
    *request.uri_mut() = message.destination.uri.clone();
    let headers = request.headers_mut();
    headers.clone_from(&message.options.manner.headers);
    headers.insert(USER_AGENT, HeaderValue::from_static("Upstash-QStash"));
    headers.insert(REGION, HeaderValue::from_static("EU-CENTRAL-1"));
    headers.insert(RETRIED, HeaderValue::from(attempt.retried));
    for (name, text) in [(SIGNATURE, token), (MESSAGE_ID, message.id.clone())] {
        // Both are made of letters, digits and a few signs, so they do make header values.
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
    request
}

/// What follows from a response.
fn settle(state: &State, attempt: &Attempt, response: &Response) {
    let message = &attempt.message;
    let mut shelf = state.qstash.shelf();
    if attempt.is_duplicate {
        shelf.counts.duplicates += u64::from(!message.is_callback);
        return;
    }
    if shelf.get(&message.id).is_none() {
        // Cancelled meanwhile, or the sandbox was reset.
        return;
    }
    count(&mut shelf, attempt, response);
    let mut dlq_id = None;
    if response.is_good() {
        shelf.remove(&message.id);
    } else if response.is_final() || attempt.retried >= message.options.manner.retries {
        dlq_id = give_up(state, &mut shelf, attempt, response);
    } else {
        retry(state, &mut shelf, attempt, response);
    }
    tell(state, &mut shelf, message.options.callback.as_ref(), attempt, response, None);
    if let Some(dlq_id) = &dlq_id {
        let failure_callback = message.options.failure_callback.as_ref();
        tell(state, &mut shelf, failure_callback, attempt, response, Some(dlq_id));
    }
}

fn count(shelf: &mut Shelf, attempt: &Attempt, response: &Response) {
    let counts = &mut shelf.counts;
    match (attempt.message.is_callback, response.is_good()) {
        (true, true) => counts.callbacks_delivered += 1,
        (true, false) => {}
        (false, true) => {
            counts.attempts += 1;
            counts.delivered += 1;
        }
        (false, false) => {
            counts.attempts += 1;
            counts.failed_attempts += 1;
        }
    }
}

/// A callback that is given up is dropped; a message becomes a dead letter.
fn give_up(state: &State, shelf: &mut Shelf, attempt: &Attempt, response: &Response) -> Option<String> {
    let message = shelf.remove(&attempt.message.id)?;
    if message.is_callback {
        shelf.counts.callbacks_failed += 1;
        return None;
    }
    shelf.counts.dead += 1;
    let dlq_id = format!("{}-{}", state.clock_us(), state.chance.name());
    shelf.bury(dlq_id.clone(), DeadLetter { message, response: response.clone() });
    Some(dlq_id)
}

fn retry(state: &State, shelf: &mut Shelf, attempt: &Attempt, response: &Response) {
    let now_us = state.clock_us();
    let expression = attempt.message.options.manner.retry_delay.as_deref();
    let wait_s = pace::wait_s(&response.headers, expression, attempt.retried, now_us / 1_000_000);
    let due_us = now_us.saturating_add(state.qstash.settings().scaled_us(wait_s));
    shelf.schedule(Attempt { retried: attempt.retried + 1, ..attempt.clone() }, due_us);
}

/// Sends a callback on its way, where there is one.
fn tell(
    state: &State,
    shelf: &mut Shelf,
    to: Option<&Callback>,
    attempt: &Attempt,
    response: &Response,
    dlq_id: Option<&str>,
) {
    let Some(to) = to else { return };
    shelf.counts.callbacks += 1;
    let settings = state.qstash.settings();
    let message = callback::message(state, to, callback::body(attempt, response, dlq_id));
    if message.fate.is_lost || !shelf.has_room(1, message.size()) {
        shelf.counts.callbacks_failed += 1;
        return;
    }
    let due_us = message.due_us(&settings);
    shelf.admit(message, due_us);
    state.qstash.wake();
}
