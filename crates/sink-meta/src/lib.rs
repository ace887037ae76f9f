//! Meta's Conversions API: each event becomes one item of a `POST …/{dataset}/events`.
//!
//! [`prepare`](ConversionSink::prepare) maps and hashes, [`compose`](ConversionSink::compose) puts items into one
//! request, [`send`](ConversionSink::send) makes one exchange, and `classify` reads Meta's verdict from the answer's
//! `error.code` and `error_subcode`. Facts and their sources are in `platforms/meta.md`.

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
use conversion_core::descriptor::{BatchLimits, Cookie, Dedup, SinkDescriptor, Variable, VariableKind};
use conversion_core::exchange::Request;
use conversion_core::failure::Failure;
use conversion_core::identity::Recipe;
use conversion_core::registry::{BuiltSink, SinkContext, SinkPlugin};
use conversion_core::report::SendReport;
use conversion_core::settings::SettingsError;
use conversion_core::sink::{CheckReport, ConversionSink, NotSent, Payload, Subject};
use http_exchange::{Client, ClientOptions};

use crate::config::{API_VERSION, Config};

/// Meta in facts.
pub const DESCRIPTOR: SinkDescriptor = SinkDescriptor {
    kind: "meta",
    platform: "META",
    title: "Meta",
    docs: "https://developers.facebook.com/docs/marketing-api/conversions-api/using-the-api",
    api_version: API_VERSION,
    // The ends of v24 to v26 are not known (platforms/meta.md, "Unconfirmed", 4).
    sunsets: &[],
    // Meta names no size. The default keeps a recorded request small.
    batch: BatchLimits { items: 100, max_items: 1000, max_bytes: 1_000_000 },
    // One event that is older refuses the whole request ("Server Event Parameters", event_time).
    max_event_age: Some(Duration::from_secs(7 * 24 * 3600)),
    dedup: Some(Dedup {
        key: "dataset + event_name + event_id",
        // "Handling Duplicate Pixel and Conversions API Events".
        window: Some(Duration::from_secs(48 * 3600)),
    }),
    atomic: true,
    confirmation: None,
    test_mode: "test_event_code",
    takes_consent: false,
    cookies: &[Cookie { name: "_fbc", click_id: "fbc" }, Cookie { name: "_fbp", click_id: "fbp" }],
    match_keys: &["em", "ph", "fbc", "fbp", "external_id", "client_ip_address + client_user_agent"],
    click_ids: &["fbclid", "fbc", "fbp"],
    environment: &[
        text("META_DATASET_ID", "dataset_id"),
        text("META_ACCESS_TOKEN", "access_token"),
        text("META_APP_SECRET", "app_secret"),
        text("META_TEST_EVENT_CODE", "test_event_code"),
        Variable { name: "META_EVENT_NAMES", setting: "events", kind: VariableKind::Map },
        text("META_ACTION_SOURCE", "action_source"),
        Variable { name: "META_LIMITED_DATA_USE", setting: "limited_data_use", kind: VariableKind::Flag },
        text("META_PHONE_COUNTRY", "phone_country"),
        text("META_TEST_SECRET", "test_secret"),
        text("META_API_VERSION", "api_version"),
        text("META_BASE_URL", "base_url"),
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
    Ok(Arc::new(Meta::new(settings, context)?))
}

/// The settings as they are read, for the fuzz targets: making a sink takes them too long.
#[cfg(fuzzing)]
pub fn settings(table: toml::Table) -> Result<impl std::fmt::Debug, SettingsError> {
    Config::read(table)
}

/// The verdict on an answer to so many items, for the fuzz targets: they have no connection to read it from.
#[cfg(fuzzing)]
pub fn verdict(reply: &http_exchange::FullReply, items: usize) -> Result<(), Failure> {
    classify::verdict(reply, items)
}

/// Meta answers for the request as a whole and names nobody.
fn own_reply(body: &str, _position: usize) -> Option<String> {
    Some(body.to_owned())
}

/// A connection to one dataset (pixel).
#[derive(Debug)]
pub struct Meta {
    config: Config,
    recipes: Vec<Recipe>,
    /// The sentence about missing credentials, if any are.
    missing: Option<String>,
    client: Client,
}

impl Meta {
    /// A sink with these settings. Missing credentials are no error: its events are skipped for that.
    pub fn new(settings: toml::Table, context: &SinkContext) -> Result<Self, SettingsError> {
        let config = Config::read(settings)?;
        let timeout = Duration::from_secs(config.timeout_seconds);
        let missing = config.missing_credentials();
        Ok(Self {
            recipes: prepare::recipes(config.phone_country.unwrap_or(context.phone_country)),
            missing: (!missing.is_empty()).then(|| context.missing(&DESCRIPTOR, &missing)),
            client: Client::new(ClientOptions { timeout, ..ClientOptions::default() })?,
            config,
        })
    }
}

#[async_trait]
impl ConversionSink for Meta {
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
        &self.config.api_version
    }

    fn mapping(&self) -> &BTreeMap<String, String> {
        &self.config.events
    }

    fn advice(&self, _now: Timestamp) -> Vec<String> {
        self.config.advice()
    }

    fn dedup_target(&self, event_name: &str) -> Option<DedupTarget> {
        let name = self.config.meta_event(event_name).filter(|_| self.missing.is_none())?;
        Some(DedupTarget::new(&[self.config.dataset_id.as_deref()?, name]))
    }
}
