//! Upstash QStash: takes messages over HTTP, calls their destinations, and tries again.
//!
//! A message is held until it is delivered, cancelled or given up. Deliveries run beside the listener for as long as
//! the sandbox serves; what was under way when it stopped is delivered when it serves again. Destinations are called
//! by plain HTTP; one behind TLS counts as unreachable.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::chance::Chance;
use crate::exchange::Call;
use crate::reply::Reply;
use crate::state::{State, lock};

mod callback;
mod deliver;
mod expression;
mod manage;
mod message;
mod options;
mod pace;
mod publish;
mod refusal;
mod remembered;
mod report;
mod settings;
mod shelf;
mod sign;
mod span;

pub(crate) use deliver::drive;
use refusal::Refusal;
pub use report::QstashReport;
pub use settings::QstashSettings;
use shelf::Shelf;

/// Longest body of a message. QStash's own limit depends on the plan.
const MAX_BODY: usize = 1 << 20;

/// Most messages in a batch.
const MAX_BATCH: usize = 1_000;

/// The two keys of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeys {
    /// Signs now.
    pub current: String,
    /// Signs after the next rotation.
    pub next: String,
}

/// The emulated QStash of a [`Sandbox`](crate::Sandbox); clones share it.
#[derive(Clone, Debug)]
pub struct Qstash {
    pub(crate) state: Arc<State>,
}

impl Qstash {
    /// Replaces the settings.
    pub fn configure(&self, settings: QstashSettings) {
        self.state.qstash.configure(settings);
    }

    /// What was published since the start or the last reset, and what became of it.
    pub fn report(&self) -> QstashReport {
        self.state.qstash.report()
    }

    /// The signing keys.
    pub fn keys(&self) -> SigningKeys {
        self.state.qstash.keys()
    }

    /// Makes the next signing key the current one and invents a new next one, like `POST /v2/keys/rotate`.
    pub fn rotate(&self) -> SigningKeys {
        self.state.qstash.rotate(&self.state.chance)
    }
}

/// Settings, keys and messages.
#[derive(Debug)]
pub(crate) struct Account {
    settings: Mutex<Arc<QstashSettings>>,
    keys: Mutex<SigningKeys>,
    shelf: Mutex<Shelf>,
    changed: Notify,
}

impl Account {
    pub(crate) fn new() -> Self {
        Self {
            settings: Mutex::default(),
            keys: Mutex::new(SigningKeys {
                current: "sig_current_sandbox".to_owned(),
                next: "sig_next_sandbox".to_owned(),
            }),
            shelf: Mutex::default(),
            changed: Notify::new(),
        }
    }

    fn settings(&self) -> Arc<QstashSettings> {
        Arc::clone(&lock(&self.settings))
    }

    pub(crate) fn configure(&self, mut settings: QstashSettings) {
        let mut keys = lock(&self.keys);
        if let Some(current) = settings.current_signing_key.take() {
            keys.current = current;
        }
        if let Some(next) = settings.next_signing_key.take() {
            keys.next = next;
        }
        drop(keys);
        *lock(&self.settings) = Arc::new(settings);
        self.wake();
    }

    fn keys(&self) -> SigningKeys {
        lock(&self.keys).clone()
    }

    fn rotate(&self, chance: &Chance) -> SigningKeys {
        let mut keys = lock(&self.keys);
        let fresh = format!("sig_{}", chance.name());
        keys.current = std::mem::replace(&mut keys.next, fresh);
        keys.clone()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        lock(&self.shelf)
    }

    /// Something may be due sooner than was known.
    fn wake(&self) {
        self.changed.notify_one();
    }

    async fn woken(&self) {
        self.changed.notified().await;
    }

    pub(crate) fn report(&self) -> QstashReport {
        self.shelf().report()
    }

    /// Settings and keys stay.
    pub(crate) fn reset(&self) {
        *self.shelf() = Shelf::default();
    }
}

/// Answers one request to the API.
pub(crate) async fn answer(state: &State, call: &Call) -> Reply {
    let latency = Duration::from_millis(state.qstash.settings().latency_ms);
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    run(state, call).unwrap_or_else(|refusal| {
        state.qstash.shelf().counts.refused += 1;
        refusal.reply()
    })
}

fn run(state: &State, call: &Call) -> Result<Reply, Refusal> {
    let settings = state.qstash.settings();
    if settings.down {
        return Err(Refusal::Down);
    }
    let token = call.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    if token != Some(settings.token.as_str()) {
        return Err(Refusal::Unauthorized);
    }
    let method = call.parts.method.as_str();
    // A destination is written raw, with its own slashes and its own query.
    let target = call.parts.uri.path_and_query().map_or("", |target| target.as_str());
    if let Some(destination) = target.strip_prefix("/v2/publish/").filter(|_| method == "POST") {
        return publish::one(state, call, destination, None);
    }
    if let Some(rest) = target.strip_prefix("/v2/enqueue/").filter(|_| method == "POST") {
        let (queue, destination) = rest.split_once('/').ok_or(Refusal::Destination)?;
        return publish::one(state, call, destination, Some(queue));
    }
    let parts: Vec<&str> = call.path().split('/').skip(2).collect();
    match (method, parts.as_slice()) {
        ("POST", ["batch"]) => publish::batch(state, call),
        ("GET", ["messages", id]) => manage::message(state, id),
        ("DELETE", ["messages", id]) => manage::cancel(state, id),
        ("GET", ["dlq"]) => manage::dead_letters(state, call),
        ("GET", ["dlq", id]) => manage::dead_letter(state, id),
        ("DELETE", ["dlq", id]) => manage::drop_dead(state, id),
        ("POST", ["dlq", "retry", id]) => manage::retry_dead(state, call, id),
        ("GET", ["keys"]) => Ok(manage::keys(state)),
        ("POST", ["keys", "rotate"]) => Ok(manage::rotate(state)),
        _ => {
            state.unknown_path(method, call.path());
            Err(Refusal::NoSuchPath)
        }
    }
}
