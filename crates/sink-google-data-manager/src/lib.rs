//! The Google Data Manager sink: reports conversions through `events:ingest`, and asks later what became of them.
//!
//! The order to read it in: `config` (what a human sets), `wire` (Google's shape), `prepare` (an event in that shape),
//! `send` (the request), `classify` (what the answer means), `confirm` (what the later verdict says). Facts and their
//! sources: `platforms/google-ads.md`; the sections named in comments are that page's.

mod classify;
mod config;
mod confirm;
mod prepare;
mod send;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use conversion_core::Timestamp;
use conversion_core::confirmation::{Confirmation, ConfirmationSchedule};
use conversion_core::dedup::DedupTarget;
use conversion_core::descriptor::VariableKind::{Flag, Map, Text};
use conversion_core::descriptor::{BatchLimits, Dedup, SinkDescriptor, Variable, VariableKind};
use conversion_core::exchange::Request;
use conversion_core::failure::Failure;
use conversion_core::identity::{Recipe, Source};
use conversion_core::registry::{SinkContext, SinkPlugin};
use conversion_core::report::SendReport;
use conversion_core::secret::Secret;
use conversion_core::settings::SettingsError;
use conversion_core::sink::{CheckReport, ConversionSink, NotSent, Payload, Subject};
use google_platform::{AccessTokens, Credentials, identity};
use http_exchange::{Client, ClientOptions};

use crate::config::Config;

/// Google Data Manager in facts.
pub const DESCRIPTOR: SinkDescriptor = SinkDescriptor {
    kind: "google-data-manager",
    platform: "GOOGLE_DATA_MANAGER",
    title: "Google Data Manager",
    docs: "https://developers.google.com/data-manager/api/devguides/events",
    api_version: "v1",
    sunsets: &[],
    // 2000 is Google's limit (section 7.1); 500 keeps the cost of a refused request low (section 7.3).
    batch: BatchLimits { items: 500, max_items: 2000, max_bytes: 1024 * 1024 },
    // Google judges the age later (EVENT_TOO_OLD); its limit is not documented (section 10).
    max_event_age: None,
    dedup: Some(Dedup { key: "conversion action + transactionId", window: None }),
    // Section 7.3: one bad row fails all.
    atomic: true,
    // Section 7.4: first after half an hour, then doubling, up to a day.
    confirmation: Some(ConfirmationSchedule {
        first: Duration::from_secs(1800),
        last: Duration::from_secs(24 * 3600),
    }),
    test_mode: "validate_only",
    takes_consent: true,
    match_keys: &["gclid", "gbraid", "wbraid", "emailAddress", "phoneNumber", "address"],
    cookies: &[],
    click_ids: &["gclid", "gbraid", "wbraid"],
    environment: &ENVIRONMENT,
    example: include_str!("../config.example.toml"),
};

const ENVIRONMENT: [Variable; 13] = [
    variable("GOOGLE_DATA_MANAGER_CLIENT_ID", "client_id", Text),
    variable("GOOGLE_DATA_MANAGER_CLIENT_SECRET", "client_secret", Text),
    variable("GOOGLE_DATA_MANAGER_REFRESH_TOKEN", "refresh_token", Text),
    variable("GOOGLE_DATA_MANAGER_OPERATING_ACCOUNT", "operating_account", Text),
    variable("GOOGLE_DATA_MANAGER_LOGIN_ACCOUNT", "login_account", Text),
    variable("GOOGLE_DATA_MANAGER_CONVERSION_ACTION", "conversion_action", Text),
    variable("GOOGLE_DATA_MANAGER_CONVERSION_ACTIONS", "events", Map),
    variable("GOOGLE_DATA_MANAGER_EVENT_SOURCE", "event_source", Text),
    variable("GOOGLE_DATA_MANAGER_SEND_IP", "send_ip", Flag),
    variable("GOOGLE_DATA_MANAGER_VALIDATE_ONLY", "validate_only", Flag),
    variable("GOOGLE_DATA_MANAGER_TEST_SECRET", "test_secret", Text),
    variable("GOOGLE_DATA_MANAGER_BASE_URL", "base_url", Text),
    variable("GOOGLE_DATA_MANAGER_TOKEN_URL", "token_url", Text),
];

const fn variable(name: &'static str, setting: &'static str, kind: VariableKind) -> Variable {
    Variable { name, setting, kind }
}

inventory::submit! {
    SinkPlugin {
        descriptor: &DESCRIPTOR,
        build: |settings, context| Ok(Arc::new(DataManager::new(settings, context)?)),
        own_reply: classify::own_reply,
    }
}

/// The settings as they are read, for the fuzz targets: making a sink takes them too long.
#[cfg(fuzzing)]
pub fn settings(table: toml::Table) -> Result<impl std::fmt::Debug, SettingsError> {
    config::Config::read(table)
}

/// A connection to one account through the Data Manager API.
#[derive(Debug)]
pub struct DataManager {
    config: Config,
    /// The sentence about missing credentials, if any are.
    missing: Option<String>,
    /// E-mail, phone, and the four parts of an address.
    recipes: [Recipe; 6],
    client: Client,
    tokens: AccessTokens,
}

impl DataManager {
    /// A sink with these settings. Missing credentials are no error: they are why its events are skipped.
    pub fn new(settings: toml::Table, context: &SinkContext) -> Result<Self, SettingsError> {
        let config = Config::read(settings)?;
        let missing = config.missing_credentials();
        let missing = (!missing.is_empty()).then(|| context.missing(&DESCRIPTOR, &missing));
        let timeout = Duration::from_secs(config.timeout_seconds);
        let country = config.phone_country.unwrap_or(context.phone_country);
        Ok(Self {
            missing,
            recipes: [
                identity::email("userData.userIdentifiers.emailAddress"),
                identity::phone("userData.userIdentifiers.phoneNumber", country),
                identity::name(Source::FirstName, "userData.userIdentifiers.address.givenName"),
                identity::name(Source::LastName, "userData.userIdentifiers.address.familyName"),
                identity::country("userData.userIdentifiers.address.regionCode"),
                identity::postal_code("userData.userIdentifiers.address.postalCode"),
            ],
            client: Client::new(ClientOptions { timeout, ..ClientOptions::default() })?,
            tokens: AccessTokens::new(&config.token_url, credentials(&config)),
            config,
        })
    }
}

/// What is missing stays empty: nothing is sent then.
fn credentials(config: &Config) -> Credentials {
    let secret = |setting: &Option<Secret>| setting.clone().unwrap_or_else(|| Secret::new(""));
    Credentials {
        client_id: config.client_id.clone().unwrap_or_default(),
        client_secret: secret(&config.client_secret),
        refresh_token: secret(&config.refresh_token),
    }
}

#[async_trait]
impl ConversionSink for DataManager {
    fn prepare(&self, subject: &Subject<'_>, now: Timestamp) -> Result<Payload, NotSent> {
        self.payload(subject, now)
    }

    fn compose(&self, payloads: &[&Payload]) -> Request {
        let action = payloads.first().map_or("", |first| first.group.as_ref());
        let events = payloads.iter().map(|payload| payload.item.as_ref());
        self.request(action, events, self.config.validate_only)
    }

    async fn send(&self, request: Arc<Request>) -> SendReport {
        self.ingest(request).await
    }

    async fn confirm(&self, receipt: &str, items: usize) -> Result<Confirmation, Failure> {
        self.ask(receipt, items).await
    }

    async fn check(&self) -> Result<CheckReport, Failure> {
        self.try_credentials().await
    }

    fn recipes(&self) -> &[Recipe] {
        &self.recipes
    }

    fn api_version(&self) -> &str {
        DESCRIPTOR.api_version
    }

    fn mapping(&self) -> &BTreeMap<String, String> {
        &self.config.events
    }

    fn advice(&self, _now: Timestamp) -> Vec<String> {
        self.config.advice()
    }

    fn dedup_target(&self, event_name: &str) -> Option<DedupTarget> {
        let action = self.config.events.get(event_name).filter(|_| self.missing.is_none())?;
        Some(self.config.dedup_target(action))
    }
}
