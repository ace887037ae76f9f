//! Upstash QStash as the queue: it is handed the ids of deliveries that are due, and calls this service for each of them.
//!
//! The store still decides what is due, the gate who may be told, and the worker's code tells it. What moves out is the
//! clock of the retries: QStash has it for what failed in passing, and for nothing else. Whatever must wait for another
//! reason (a hold, its time, an earlier delivery) is taken back from QStash and handed over again when it is due, so
//! that no hold uses up QStash's few retries.

mod call;
mod client;
mod handover;
pub mod message;
mod publisher;
mod schedule;
mod signature;

use conversion_core::settings::SettingsError;

pub use call::{CallHandler, Reply};
pub use client::Client;
pub use handover::Handover;
pub use publisher::Publisher;
pub use schedule::{CALL_TIMEOUT, Schedule};
pub use signature::{Flaw, Signed, Verifier};

use crate::config::QueueLink;

/// Path that QStash calls for each delivery.
pub const DELIVER: &str = "/api/qstash/deliver";
/// Path that it calls when it gives up.
pub const FAILED: &str = "/api/qstash/failed";

/// The way to QStash and back, for all sinks.
#[derive(Debug)]
pub struct Queue {
    /// Hands deliveries over.
    pub client: Client,
    /// Believes its calls, or not.
    pub verifier: Verifier,
    /// When it tries again.
    pub schedule: Schedule,
    public_url: String,
}

impl Queue {
    /// By these settings.
    pub fn new(link: QueueLink) -> Result<Self, SettingsError> {
        let schedule = Schedule { retries: link.retries };
        let verifier = Verifier { keys: link.signing_keys.clone(), tolerance: link.clock_tolerance };
        let public_url = link.public_url.clone();
        Ok(Self { client: Client::new(link)?, verifier, schedule, public_url })
    }

    /// The whole address of one of our paths, as QStash is told it.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }
}
