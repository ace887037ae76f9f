//! TikTok's Events API: each event becomes one item of a `POST …/open_api/v1.3/event/track/`.
//!
//! [`prepare`](ConversionSink::prepare) maps and hashes, [`compose`](ConversionSink::compose) puts items into one
//! request, [`send`](ConversionSink::send) makes one exchange, and `classify` reads TikTok's verdict from the answer's
//! `code`: HTTP 200 alone says nothing. Facts and their sources are in `platforms/tiktok.md`.

mod classify;
mod config;
mod prepare;
mod send;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use conversion_core::dedup::DedupTarget;
use conversion_core::descriptor::{BatchLimits, Cookie, Dedup, SinkDescriptor, Variable, VariableKind};
use conversion_core::exchange::Request;
use conversion_core::failure::Failure;
use conversion_core::identity::Recipe;
use conversion_core::registry::{BuiltSink, SinkContext, SinkPlugin};
use conversion_core::report::SendReport;
use conversion_core::settings::SettingsError;
use conversion_core::sink::{CheckReport, ConversionSink, NotSent, Payload, Subject};
use conversion_core::{CanonicalEvent, Timestamp};
use http_exchange::{Client, ClientOptions};

use crate::config::{API_VERSION, Config, Reschedules};

/// TikTok in facts.
pub const DESCRIPTOR: SinkDescriptor = SinkDescriptor {
    kind: "tiktok",
    platform: "TIKTOK",
    title: "TikTok",
    docs: "https://business-api.tiktok.com/portal/docs?id=1771100865818625",
    api_version: API_VERSION,
    sunsets: &[],
    // TikTok names no size; Tealium's connector stops at 1 MB (platforms/tiktok.md, section 7).
    batch: BatchLimits { items: 100, max_items: 1000, max_bytes: 1_000_000 },
    max_event_age: None,
    dedup: Some(Dedup {
        key: "event_source_id + event + event_id",
        // TikTok Help Centre, "event-deduplication".
        window: Some(Duration::from_secs(48 * 3600)),
    }),
    atomic: true,
    confirmation: None,
    test_mode: "test_event_code",
    takes_consent: false,
    cookies: &[Cookie { name: "_ttp", click_id: "ttp" }],
    match_keys: &["ttclid", "ttp", "email", "phone", "external_id", "ip + user_agent"],
    click_ids: &["ttclid", "ttp"],
    environment: &[
        text("TIKTOK_PIXEL_ID", "pixel_id"),
        text("TIKTOK_ACCESS_TOKEN", "access_token"),
        text("TIKTOK_TEST_EVENT_CODE", "test_event_code"),
        text("TIKTOK_DEFAULT_PHONE_COUNTRY_CODE", "phone_country"),
        Variable { name: "TIKTOK_EVENT_ACTIONS", setting: "events", kind: VariableKind::Map },
        text("TIKTOK_TEST_SECRET", "test_secret"),
        text("TIKTOK_PARTNER_NAME", "partner_name"),
        text("TIKTOK_PHONE_FORMAT", "phone_format"),
        text("TIKTOK_BASE_URL", "base_url"),
        text("TIKTOK_EVENT_SOURCE", "event_source"),
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
    Ok(Arc::new(TikTok::new(settings, context)?))
}

/// The settings as they are read, for the fuzz targets: making a sink takes them too long.
#[cfg(fuzzing)]
pub fn settings(table: toml::Table) -> Result<impl std::fmt::Debug, SettingsError> {
    Config::read(table)
}

/// The verdict on an answer to so many items, for the fuzz targets: they have no connection to read it from.
#[cfg(fuzzing)]
pub fn verdict(
    reply: &http_exchange::FullReply,
    items: usize,
) -> Result<Vec<conversion_core::report::Outcome>, Failure> {
    classify::verdict(reply, items)
}

/// TikTok answers for the request as a whole: nothing in it is about single items but an index, which names no person.
fn own_reply(body: &str, _position: usize) -> Option<String> {
    Some(body.to_owned())
}

/// A connection to one TikTok pixel or event set.
#[derive(Debug)]
pub struct TikTok {
    config: Config,
    recipes: Vec<Recipe>,
    /// The sentence about missing credentials, if any are.
    missing: Option<String>,
    /// The body up to the first item: the same for every request.
    head: String,
    client: Client,
}

impl TikTok {
    /// A sink with these settings. Missing credentials are no error: its events are skipped for that.
    pub fn new(settings: toml::Table, context: &SinkContext) -> Result<Self, SettingsError> {
        let config = Config::read(settings)?;
        let timeout = Duration::from_secs(config.timeout_seconds);
        let country = config.phone_country.unwrap_or(context.phone_country);
        let missing = config.missing_credentials();
        Ok(Self {
            recipes: prepare::recipes(config.event_source, config.phone_format, country),
            missing: (!missing.is_empty()).then(|| context.missing(&DESCRIPTOR, &missing)),
            head: wire::head(&config),
            client: Client::new(ClientOptions { timeout, ..ClientOptions::default() })?,
            config,
        })
    }
}

#[async_trait]
impl ConversionSink for TikTok {
    fn prepare(&self, subject: &Subject<'_>, now: Timestamp) -> Result<Payload, NotSent> {
        self.payload(subject, now)
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

    /// TikTok Help Centre, "event-deduplication".
    fn dedup_target(&self, event_name: &str) -> Option<DedupTarget> {
        let name = self.config.tiktok_event(event_name).filter(|_| self.missing.is_none())?;
        Some(DedupTarget::new(&[self.config.pixel_id.as_deref()?, name]))
    }

    fn wants_related(&self, event: &CanonicalEvent) -> bool {
        self.config.reschedules == Reschedules::Once && self.config.tiktok_event(&event.event_name).is_some()
    }
}
