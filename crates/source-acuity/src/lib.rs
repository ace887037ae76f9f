//! Acuity Scheduling: a webhook says that an appointment changed, the API says how it is now.
//!
//! [`receive`](BookingSource::receive) proves a webhook genuine and takes nothing but the id from it,
//! [`fetch`](BookingSource::fetch) and [`list`](BookingSource::list) ask for appointments, and
//! [`read`](BookingSource::read) turns one into ours. What follows from it is decided elsewhere
//! ([`conversion_core::booking::derive`]). Facts and their sources are in `platforms/acuity.md`.

mod config;
mod fetch;
mod read;
mod receive;
mod wire;

use std::iter;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conversion_core::booking::Appointment;
use conversion_core::descriptor::{Variable, VariableKind};
use conversion_core::exchange::{Header, HeaderValue};
use conversion_core::failure::Failure;
use conversion_core::registry::{BuiltSource, SourcePlugin};
use conversion_core::secret::Secret;
use conversion_core::settings::SettingsError;
use conversion_core::sink::CheckReport;
use conversion_core::source::{BookingSource, NotGenuine, Notice, SourceDescriptor};
use http_exchange::{Client, ClientOptions, Pace};
use jiff::civil::Date;
use serde_json::value::RawValue;

use crate::config::Config;

/// Acuity in facts.
pub const DESCRIPTOR: SourceDescriptor = SourceDescriptor {
    kind: "acuity",
    title: "Acuity Scheduling",
    docs: "https://developers.acuityscheduling.com/",
    signature_header: "x-acuity-signature",
    // Acuity gives each account a name under as.me.
    booking_hosts: &["acuityscheduling.com", "as.me"],
    environment: &[
        text("ACUITY_USER_ID", "user_id"),
        text("ACUITY_API_KEY", "api_key"),
        text("ACUITY_WEBHOOK_KEYS", "webhook_keys"),
        text("ACUITY_TRIAL_TYPES", "trial_types"),
        text("ACUITY_CURRENCY", "currency"),
        text("ACUITY_BASE_URL", "base_url"),
    ],
    example: include_str!("../config.example.toml"),
};

/// Requests a second. Acuity takes 10 from one address (section 4), of which the service and a command that lists
/// beside it each keep to their share.
const FETCHED_PER_SECOND: u32 = 7;
const LISTED_PER_SECOND: u32 = 3;

const fn text(name: &'static str, setting: &'static str) -> Variable {
    Variable { name, setting, kind: VariableKind::Text }
}

inventory::submit! {
    SourcePlugin { descriptor: &DESCRIPTOR, build }
}

fn build(settings: toml::Table) -> BuiltSource {
    Ok(Arc::new(Acuity::new(settings)?))
}

/// The settings as they are read, for the fuzz targets: making a source takes them too long.
#[cfg(fuzzing)]
pub fn settings(table: toml::Table) -> Result<impl std::fmt::Debug, SettingsError> {
    Config::read(table)
}

/// A connection to one Acuity account.
#[derive(Debug)]
pub struct Acuity {
    config: Config,
    authorization: Header,
    client: Client,
    /// Of requests for one appointment.
    fetching: Pace,
    /// Of requests for lists.
    listing: Pace,
}

impl Acuity {
    /// A source with these settings.
    pub fn new(settings: toml::Table) -> Result<Self, SettingsError> {
        let config = Config::read(settings)?;
        let timeout = Duration::from_secs(config.timeout_seconds);
        let credentials = STANDARD.encode(format!("{}:{}", config.user_id, config.api_key.expose()));
        let value = HeaderValue::Secret(Secret::new(format!("Basic {credentials}")));
        Ok(Self {
            authorization: Header { name: "authorization", value },
            client: Client::new(ClientOptions { timeout, ..ClientOptions::default() })?,
            fetching: Pace::new(NonZeroU32::new(FETCHED_PER_SECOND)),
            listing: Pace::new(NonZeroU32::new(LISTED_PER_SECOND)),
            config,
        })
    }
}

#[async_trait]
impl BookingSource for Acuity {
    fn receive(&self, signature: Option<&[u8]>, body: &[u8]) -> Result<Notice, NotGenuine> {
        let keys = iter::once(&self.config.api_key).chain(&self.config.webhook_keys);
        if !receive::is_genuine(keys, signature, body) {
            return Err(NotGenuine);
        }
        Ok(receive::notice(body))
    }

    async fn fetch(&self, appointment: &str) -> Result<Appointment, Failure> {
        self.fetched(appointment).await
    }

    async fn list(&self, from: Date, to: Date) -> Result<Vec<Box<RawValue>>, Failure> {
        self.listed(from, to).await
    }

    fn read(&self, appointment: &RawValue) -> Result<Appointment, String> {
        read::appointment(&self.config, appointment)
    }

    async fn check(&self) -> Result<CheckReport, Failure> {
        self.try_credentials().await
    }

    fn attribution_parameter(&self) -> Option<String> {
        self.config.fields.get("attributionId").map(|id| format!("field:{id}"))
    }
}
