//! Acme: each event becomes one item of a `POST …/events`.
//!
//! [`prepare`](ConversionSink::prepare) maps and hashes, [`compose`](ConversionSink::compose) puts items into one
//! request, [`send`](ConversionSink::send) makes one exchange, and `classify` reads the verdict from the answer.

mod classify;
mod config;
mod prepare;
mod send;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use conversion_core::Timestamp;
use conversion_core::dedup::DedupTarget;
use conversion_core::descriptor::{BatchLimits, Dedup, SinkDescriptor, Variable, VariableKind};
use conversion_core::exchange::Request;
use conversion_core::failure::Failure;
use conversion_core::identity::Recipe;
use conversion_core::registry::{BuiltSink, SinkContext, SinkPlugin};
use conversion_core::report::SendReport;
use conversion_core::settings::SettingsError;
use conversion_core::sink::{CheckReport, ConversionSink, NotSent, Payload, Subject};
use http_exchange::{Client, ClientOptions};

use crate::config::{API_VERSION, Config};

/// Acme in facts.
pub const DESCRIPTOR: SinkDescriptor = SinkDescriptor {
    kind: "acme",
    platform: "ACME",
    title: "Acme",
    docs: "https://docs.acme.example/events",
    api_version: API_VERSION,
    sunsets: &[],
    batch: BatchLimits { items: 100, max_items: 100, max_bytes: 1_000_000 },
    max_event_age: None,
    dedup: Some(Dedup {
        key: "account + event_name + event_id",
        window: Some(Duration::from_secs(24 * 3600)),
    }),
    atomic: true,
    confirmation: None,
    test_mode: "test_code",
    takes_consent: false,
    cookies: &[],
    match_keys: &["email"],
    click_ids: &[],
    environment: &[
        text("ACME_ACCOUNT_ID", "account_id"),
        text("ACME_ACCESS_TOKEN", "access_token"),
        text("ACME_TEST_CODE", "test_code"),
        Variable { name: "ACME_EVENTS", setting: "events", kind: VariableKind::Map },
        text("ACME_BASE_URL", "base_url"),
        text("ACME_TEST_SECRET", "test_secret"),
    ],
    example: include_str!("../config.example.toml"),
};

const fn text(name: &'static str, setting: &'static str) -> Variable {
    Variable { name, setting, kind: VariableKind::Text }
}

inventory::submit! {
    SinkPlugin { descriptor: &DESCRIPTOR, build, own_reply }
}

fn build(settings: toml::Table, context: &SinkContext) -> BuiltSink {
    Ok(Arc::new(Acme::new(settings, context)?))
}

/// The answer speaks of the request as a whole.
fn own_reply(body: &str, _position: usize) -> Option<String> {
    Some(body.to_owned())
}

/// A connection to one account.
#[derive(Debug)]
pub struct Acme {
    config: Config,
    recipes: Vec<Recipe>,
    /// The sentence about missing credentials, if any are.
    missing: Option<String>,
    client: Client,
}

impl Acme {
    /// A sink with these settings. Missing credentials are no error: its events are skipped for that.
    pub fn new(settings: toml::Table, context: &SinkContext) -> Result<Self, SettingsError> {
        let config = Config::read(settings)?;
        let timeout = Duration::from_secs(config.timeout_seconds);
        let missing = config.missing_credentials();
        Ok(Self {
            recipes: prepare::recipes(),
            missing: (!missing.is_empty()).then(|| context.missing(&DESCRIPTOR, &missing)),
            client: Client::new(ClientOptions { timeout, ..ClientOptions::default() })?,
            config,
        })
    }
}

#[async_trait]
impl ConversionSink for Acme {
    fn prepare(&self, subject: &Subject<'_>, _now: Timestamp) -> Result<Payload, NotSent> {
        self.payload(subject)
    }

    fn compose(&self, payloads: &[&Payload]) -> Request {
        self.request(payloads)
    }

    async fn send(&self, request: Arc<Request>) -> SendReport {
        self.exchange(request).await
    }

    async fn check(&self) -> Result<CheckReport, Failure> {
        self.try_credentials().await
    }

    fn recipes(&self) -> &[Recipe] {
        &self.recipes
    }

    fn api_version(&self) -> &str {
        API_VERSION
    }

    fn mapping(&self) -> &BTreeMap<String, String> {
        &self.config.events
    }

    fn advice(&self, _now: Timestamp) -> Vec<String> {
        self.config.advice()
    }

    fn dedup_target(&self, event_name: &str) -> Option<DedupTarget> {
        let name = self.config.events.get(event_name).filter(|_| self.missing.is_none())?;
        Some(DedupTarget::new(&[self.config.account_id.as_deref()?, name]))
    }
}
