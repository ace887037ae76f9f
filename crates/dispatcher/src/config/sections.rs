//! The sections beside keys and sinks.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use conversion_core::consent::WhenUnknown;
use conversion_core::identity::CallingCode;
use conversion_core::secret::Secret;
use conversion_store::Driver;
use serde::Deserialize;

use super::span;

/// Environment variables of a section, with the setting that each gives.
pub(super) fn variables(section: &str) -> &'static [(&'static str, &'static str)] {
    match section {
        "server" => &[
            ("SIGNALBOX_LISTEN", "listen"),
            ("SIGNALBOX_PUBLIC_URL", "public_url"),
            ("SIGNALBOX_TLS_CERTIFICATE", "tls_certificate"),
            ("SIGNALBOX_TLS_KEY", "tls_key"),
        ],
        "store" => &[("SIGNALBOX_STORE", "url")],
        "outbound" => &[("OUTBOUND_MODE", "mode")],
        "delivery" => &[("SIGNALBOX_QUEUE", "queue")],
        "qstash" => &[
            ("QSTASH_URL", "url"),
            ("QSTASH_TOKEN", "token"),
            ("QSTASH_CURRENT_SIGNING_KEY", "current_signing_key"),
            ("QSTASH_NEXT_SIGNING_KEY", "next_signing_key"),
        ],
        "defaults" => &[("SIGNALBOX_PHONE_COUNTRY", "phone_country")],
        "log" => &[("SIGNALBOX_LOG", "level"), ("SIGNALBOX_LOG_FORMAT", "format")],
        _ => &[],
    }
}

/// `[server]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address of the HTTP API.
    pub listen: SocketAddr,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Longest request body, in bytes.
    pub max_body: usize,
    /// Most events in one request.
    pub max_events: usize,
    /// Most connections at once; one more takes the place of the one that has waited longest.
    pub max_connections: usize,
    /// How long a connection may take until the head of its next request is there.
    #[serde(deserialize_with = "span::deserialize")]
    pub idle_timeout: Duration,
    /// The address under which the outside world reaches this service; may have a path before ours.
    pub public_url: Option<String>,
    /// File of the certificate, and of those that lead from it to the root, in PEM.
    pub tls_certificate: Option<PathBuf>,
    /// File of its private key, in PEM.
    pub tls_key: Option<PathBuf>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            trusted_proxies: Vec::new(),
            max_body: 8 * 1024 * 1024,
            max_events: 10_000,
            max_connections: 512,
            // Longer than the minute after which proxies give up theirs: who closes first cuts nobody off.
            idle_timeout: Duration::from_secs(75),
            public_url: None,
            tls_certificate: None,
            tls_key: None,
        }
    }
}

/// `[store]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSection {
    /// Where the account is kept.
    pub url: String,
}

impl Default for StoreSection {
    fn default() -> Self {
        Self { url: "sqlite://signalbox.db".to_owned() }
    }
}

/// `[outbound]`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outbound {
    /// Whether platforms are told.
    pub mode: OutboundMode,
}

/// Whether platforms are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutboundMode {
    /// They are.
    #[default]
    Live,
    /// Every delivery is skipped, with the request that would have been sent.
    Mock,
}

/// `[defaults]`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// Country of phone numbers that do not name theirs.
    pub phone_country: CallingCode,
}

/// `[consent]`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Consent {
    /// What becomes of events that do not say.
    pub when_unknown: WhenUnknown,
}

/// `[delivery]`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delivery {
    /// How long after acceptance a delivery is tried, holds not counted.
    #[serde(deserialize_with = "span::deserialize")]
    pub retry_for: Duration,
    /// Who decides when deliveries are tried.
    pub queue: Queue,
}

impl Default for Delivery {
    fn default() -> Self {
        Self { retry_for: Duration::from_secs(14 * 86_400), queue: Queue::Builtin }
    }
}

/// Who decides when deliveries are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Queue {
    /// The store's own schedule.
    Builtin,
    /// Upstash QStash, which calls this service for each of them.
    Qstash,
}

impl From<Queue> for Driver {
    fn from(queue: Queue) -> Self {
        match queue {
            Queue::Builtin => Self::Builtin,
            Queue::Qstash => Self::Queue,
        }
    }
}

/// `[qstash]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Qstash {
    /// QStash's address in the region of the token.
    pub url: String,
    /// What publishing is authorised by.
    pub token: Option<Secret>,
    /// Signs QStash's calls now.
    pub current_signing_key: Option<Secret>,
    /// Signs them after the next rotation.
    pub next_signing_key: Option<Secret>,
    /// How often QStash tries again after its first call.
    pub retries: u32,
    /// How far its clock and ours may differ.
    #[serde(deserialize_with = "span::deserialize")]
    pub clock_tolerance: Duration,
    /// Takes the published keys of QStash's development server.
    pub allow_development_keys: bool,
}

impl Default for Qstash {
    fn default() -> Self {
        Self {
            url: "https://qstash.upstash.io".to_owned(),
            token: None,
            current_signing_key: None,
            next_signing_key: None,
            retries: 3,
            clock_tolerance: Duration::from_secs(30),
            allow_development_keys: false,
        }
    }
}

/// `[graphql]`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Graphql {
    /// Serves the GraphiQL page.
    pub graphiql: bool,
    /// Deepest nesting of a query.
    pub max_depth: usize,
    /// Most fields that a query may ask for, times the items that it asks them of.
    pub max_complexity: usize,
}

impl Default for Graphql {
    fn default() -> Self {
        Self { graphiql: false, max_depth: 16, max_complexity: 50_000 }
    }
}

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// What is logged, as `tracing` filters say it, such as `info` or `signalbox=debug`.
    pub level: String,
    /// For humans or machines.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Pretty }
    }
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For humans.
    Pretty,
    /// One JSON object a line.
    Json,
}
