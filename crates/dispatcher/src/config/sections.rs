//! The sections beside keys and sinks.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use conversion_core::consent::WhenUnknown;
use conversion_core::identity::CallingCode;
use serde::Deserialize;

use super::span;

/// Environment variables of a section, with the setting that each gives.
pub(super) fn variables(section: &str) -> &'static [(&'static str, &'static str)] {
    match section {
        "server" => &[("SIGNALBOX_LISTEN", "listen")],
        "store" => &[("SIGNALBOX_STORE", "url")],
        "outbound" => &[("OUTBOUND_MODE", "mode")],
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
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            trusted_proxies: Vec::new(),
            max_body: 8 * 1024 * 1024,
            max_events: 10_000,
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
}

impl Default for Delivery {
    fn default() -> Self {
        Self { retry_for: Duration::from_secs(14 * 86_400) }
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
