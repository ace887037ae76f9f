//! The Google Ads sink: reports conversions of ad clicks through `uploadClickConversions`, and takes those of cancelled
//! bookings back through `uploadConversionAdjustments`.
//!
//! The order to read it in: `config` (what a human sets), `wire` (Google's shape), `prepare` (an event in that shape),
//! `retraction` (a cancellation in that shape), `send` (the request), `classify` (what the answer means). Facts and their
//! sources: `platforms/google-ads.md`; the sections named in comments are that page's.

mod classify;
mod config;
mod prepare;
mod retraction;
mod send;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use conversion_core::dedup::DedupTarget;
use conversion_core::descriptor::VariableKind::{Flag, List, Map, Text};
use conversion_core::descriptor::{BatchLimits, Dedup, SinkDescriptor, Sunset, Variable, VariableKind};
use conversion_core::exchange::Request;
use conversion_core::failure::Failure;
use conversion_core::identity::Recipe;
use conversion_core::registry::{SinkContext, SinkPlugin};
use conversion_core::report::SendReport;
use conversion_core::secret::Secret;
use conversion_core::settings::SettingsError;
use conversion_core::sink::{CheckReport, ConversionSink, NotSent, Payload, Subject};
use conversion_core::{CanonicalEvent, Timestamp};
use google_platform::{AccessTokens, Credentials, identity};
use http_exchange::{Client, ClientOptions};

use crate::config::{API_VERSION, Config};
use crate::wire::Service;

/// Google Ads in facts.
pub const DESCRIPTOR: SinkDescriptor = SinkDescriptor {
    kind: "google-ads",
    platform: "GOOGLE_ADS",
    title: "Google Ads",
    docs: "https://developers.google.com/google-ads/api/docs/conversions/upload-offline",
    api_version: API_VERSION,
    sunsets: &SUNSETS,
    // 2000 is Google's limit (section 3.2).
    batch: BatchLimits { items: 100, max_items: 2000, max_bytes: 1024 * 1024 },
    // Google limits the age of the click, which the sender does not know: Google decides (EXPIRED_EVENT).
    max_event_age: None,
    dedup: Some(Dedup { key: "conversion action + orderId", window: None }),
    // Section 3.2: partialFailure lets the other rows through.
    atomic: false,
    confirmation: None,
    test_mode: "validate_only",
    takes_consent: true,
    cookies: &[],
    match_keys: &["gclid", "gbraid", "wbraid", "hashedEmail", "hashedPhoneNumber"],
    click_ids: &["gclid", "gbraid", "wbraid"],
    environment: &ENVIRONMENT,
    example: include_str!("../config.example.toml"),
};

/// Section 1.1. From v23 on the dates are projected, and stand for the end of the month that Google names.
const SUNSETS: [Sunset; 8] = [
    Sunset { version: "v19", date: "2026-02-11" },
    Sunset { version: "v20", date: "2026-06-10" },
    Sunset { version: "v21", date: "2026-08-05" },
    Sunset { version: "v22", date: "2026-10-07" },
    Sunset { version: "v23", date: "2027-02-28" },
    Sunset { version: "v24", date: "2027-05-31" },
    Sunset { version: "v25", date: "2027-08-31" },
    Sunset { version: "v26", date: "2027-11-30" },
];

const ENVIRONMENT: [Variable; 15] = [
    variable("GOOGLE_ADS_CLIENT_ID", "client_id", Text),
    variable("GOOGLE_ADS_CLIENT_SECRET", "client_secret", Text),
    variable("GOOGLE_ADS_REFRESH_TOKEN", "refresh_token", Text),
    variable("GOOGLE_ADS_DEVELOPER_TOKEN", "developer_token", Text),
    variable("GOOGLE_ADS_CUSTOMER_ID", "customer_id", Text),
    variable("GOOGLE_ADS_LOGIN_CUSTOMER_ID", "login_customer_id", Text),
    variable("GOOGLE_ADS_CONVERSION_ACTION", "conversion_action", Text),
    variable("GOOGLE_ADS_CONVERSION_ACTIONS", "events", Map),
    variable("GOOGLE_ADS_RETRACT_ON", "retract_on", List),
    variable("GOOGLE_ADS_SEND_IP", "send_ip", Flag),
    variable("GOOGLE_ADS_TEST_SECRET", "test_secret", Text),
    variable("GOOGLE_ADS_BASE_URL", "base_url", Text),
    variable("GOOGLE_ADS_TOKEN_URL", "token_url", Text),
    variable("GOOGLE_ADS_API_VERSION", "api_version", Text),
    variable("GOOGLE_ADS_VALIDATE_ONLY", "validate_only", Flag),
];

const fn variable(name: &'static str, setting: &'static str, kind: VariableKind) -> Variable {
    Variable { name, setting, kind }
}

inventory::submit! {
    SinkPlugin {
        descriptor: &DESCRIPTOR,
        build: |settings, context| Ok(Arc::new(GoogleAds::new(settings, context)?)),
        own_reply: classify::own_reply,
    }
}

/// The settings as they are read, for the fuzz targets: making a sink takes them too long.
#[cfg(fuzzing)]
pub fn settings(table: toml::Table) -> Result<impl std::fmt::Debug, SettingsError> {
    Config::read(table)
}

/// The verdict on an answer to so many rows, for the fuzz targets: they have no connection to read it from.
#[cfg(fuzzing)]
pub fn verdict(
    reply: &http_exchange::FullReply,
    rows: usize,
    validate_only: bool,
) -> Result<Vec<conversion_core::report::Outcome>, Failure> {
    classify::verdict(reply, rows, validate_only)
}

/// A connection to one Google Ads account.
#[derive(Debug)]
pub struct GoogleAds {
    config: Config,
    /// The sentence about missing credentials, if any are.
    missing: Option<String>,
    actions: BTreeMap<String, Action>,
    mapping: BTreeMap<String, String>,
    recipes: [Recipe; 2],
    client: Client,
    tokens: AccessTokens,
}

/// A conversion action that an event is mapped to.
#[derive(Debug)]
struct Action {
    id: String,
    resource_name: String,
    dedup: DedupTarget,
}

impl GoogleAds {
    /// A sink with these settings. Missing credentials are no error: they are why its events are skipped.
    pub fn new(settings: toml::Table, context: &SinkContext) -> Result<Self, SettingsError> {
        let config = Config::read(settings)?;
        let missing = config.missing_credentials();
        let missing = (!missing.is_empty()).then(|| context.missing(&DESCRIPTOR, &missing));
        let timeout = Duration::from_secs(config.timeout_seconds);
        let country = config.phone_country.unwrap_or(context.phone_country);
        Ok(Self {
            missing,
            actions: config
                .events
                .iter()
                .map(|(name, id)| (name.clone(), Action::new(&config, id)))
                .collect(),
            recipes: [
                identity::email("userIdentifiers.hashedEmail"),
                identity::phone("userIdentifiers.hashedPhoneNumber", country),
            ],
            mapping: config.mapping(),
            client: Client::new(ClientOptions { timeout, ..ClientOptions::default() })?,
            tokens: AccessTokens::new(&config.token_url, credentials(&config)),
            config,
        })
    }
}

impl Action {
    fn new(config: &Config, id: &str) -> Self {
        let customer = config.customer();
        Self {
            id: id.to_owned(),
            resource_name: format!("customers/{customer}/conversionActions/{id}"),
            dedup: DedupTarget::new(&[customer, id]),
        }
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
impl ConversionSink for GoogleAds {
    fn prepare(&self, subject: &Subject<'_>, now: Timestamp) -> Result<Payload, NotSent> {
        self.payload(subject, now)
    }

    fn compose(&self, payloads: &[&Payload]) -> Request {
        let service = payloads.first().map_or(Service::Conversions, |first| Service::of_group(&first.group));
        let rows = payloads.iter().map(|payload| payload.item.as_ref());
        self.request(service, rows, self.config.validate_only)
    }

    async fn send(&self, request: Arc<Request>) -> SendReport {
        self.upload(request).await
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
        &self.mapping
    }

    fn advice(&self, now: Timestamp) -> Vec<String> {
        self.config.advice(now)
    }

    /// None of cancellations: the conversion that one takes back decides its key.
    fn dedup_target(&self, event_name: &str) -> Option<DedupTarget> {
        let action = self.actions.get(event_name).filter(|_| self.missing.is_none())?;
        Some(action.dedup.clone())
    }

    fn wants_related(&self, event: &CanonicalEvent) -> bool {
        let name = &event.event_name;
        self.retracts(name) || !self.config.retract_on.is_empty() && self.actions.contains_key(name)
    }
}
