//! When a worker should next look into the store.

use std::sync::{Arc, Mutex, PoisonError};

use conversion_core::Timestamp;
use tokio::sync::Notify;

/// The earliest time that anyone asked for. Cheap to set, from anywhere.
#[derive(Debug)]
pub struct Alarm {
    at: Mutex<Option<Timestamp>>,
    set: Notify,
    /// Goes off with it, and is taken off by itself.
    second: Option<Arc<Self>>,
}

impl Alarm {
    /// An alarm that goes off at `at`.
    pub fn at(at: Timestamp) -> Self {
        Self { at: Mutex::new(Some(at)), set: Notify::new(), second: None }
    }

    /// The same, which also sets and wakes a second one, for another listener.
    pub fn with(at: Timestamp, second: Arc<Self>) -> Self {
        Self { second: Some(second), ..Self::at(at) }
    }

    /// Goes off at `at`, or earlier if it was set earlier.
    pub fn set(&self, at: Timestamp) {
        if let Some(second) = &self.second {
            second.set(at);
        }
        let mut current = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if current.is_none_or(|current| at < current) {
            *current = Some(at);
            self.set.notify_one();
        }
    }

    /// Wakes whoever waits, whatever the time.
    pub fn wake(&self) {
        if let Some(second) = &self.second {
            second.wake();
        }
        self.set.notify_one();
    }

    /// When it goes off.
    pub fn time(&self) -> Option<Timestamp> {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes it off if it has gone off by `now`.
    pub fn take(&self, now: Timestamp) -> bool {
        let mut current = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = current.is_some_and(|at| at <= now);
        if is_due {
            *current = None;
        }
        is_due
    }

    /// Returns when it has been set earlier, or woken.
    pub async fn changed(&self) {
        self.set.notified().await;
    }
}
