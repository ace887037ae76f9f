//! `[[sinks]]`: what every sink has in common, and the table that is the sink's own.

use std::num::NonZeroU32;
use std::time::Duration;

use conversion_core::confirmation::ConfirmationSchedule;
use conversion_core::descriptor::SinkDescriptor;
use conversion_core::registry;
use conversion_core::secret::Secret;
use serde::Deserialize;

use super::connector::{ConnectorSettings, Entry, List, refuse};
use super::{ConfigError, Environment, span};

/// A configured sink.
#[derive(Clone, Debug)]
pub struct SinkConfig {
    /// Its name, unique.
    pub name: String,
    /// Its platform.
    pub descriptor: &'static SinkDescriptor,
    /// What every sink has.
    pub options: SinkOptions,
    /// The sink's own settings, the environment over the file. May hold secrets.
    pub settings: ConnectorSettings,
}

impl SinkConfig {
    /// When the platform is asked what became of what it took, where it says so later.
    pub fn confirmation(&self) -> Option<ConfirmationSchedule> {
        let schedule = self.descriptor.confirmation?;
        Some(ConfirmationSchedule { first: self.options.confirm_after.unwrap_or(schedule.first), ..schedule })
    }
}

/// What every sink has, whatever its platform.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SinkOptions {
    /// Most items in one request; by default the platform's own recommendation.
    pub max_batch: Option<usize>,
    /// Most requests under way at once.
    pub max_in_flight: usize,
    /// Most requests begun in one second; without it as many as come.
    pub requests_per_second: Option<NonZeroU32>,
    /// Older events are skipped; by default the platform's own limit, if it has one.
    #[serde(deserialize_with = "span::deserialize_option")]
    pub max_event_age: Option<Duration>,
    /// The platform's later verdict is asked for first after so long; by default when the platform advises.
    #[serde(deserialize_with = "span::deserialize_option")]
    pub confirm_after: Option<Duration>,
    /// What becomes of deliveries while credentials are missing.
    pub on_missing_credentials: OnMissingCredentials,
    /// Report the click, with the person's refusal, where the platform has a field for it.
    pub send_denied: bool,
    /// Opens `POST /api/test/NAME` to who knows it.
    pub test_secret: Option<Secret>,
}

impl Default for SinkOptions {
    fn default() -> Self {
        Self {
            max_batch: None,
            max_in_flight: 4,
            requests_per_second: None,
            max_event_age: None,
            confirm_after: None,
            on_missing_credentials: OnMissingCredentials::Skip,
            send_denied: false,
            test_secret: None,
        }
    }
}

/// What becomes of deliveries while credentials are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnMissingCredentials {
    /// They are skipped.
    Skip,
    /// They wait; the sink is held.
    Hold,
}

const OPTIONS: [&str; 8] = [
    "max_batch",
    "max_in_flight",
    "requests_per_second",
    "max_event_age",
    "confirm_after",
    "on_missing_credentials",
    "send_denied",
    "test_secret",
];

const LIST: List =
    List { section: "sinks", noun: "sink", variable: "SIGNALBOX_SINKS", default: "tiktok,google-ads" };

/// The sinks of the file; without any, those that `SIGNALBOX_SINKS` names.
pub(super) fn read_all(
    section: Option<toml::Value>,
    environment: &Environment,
) -> Result<Vec<SinkConfig>, ConfigError> {
    let read = |entry: Entry| read_one(entry, environment);
    LIST.read(section, environment)?.into_iter().map(read).collect()
}

fn read_one(entry: Entry, environment: &Environment) -> Result<SinkConfig, ConfigError> {
    let place = entry.place();
    let kinds = registry::plugins().into_iter().map(|plugin| plugin.descriptor.kind);
    let plugin = registry::find(&entry.kind).ok_or_else(|| entry.unknown_kind(kinds))?;
    let descriptor = plugin.descriptor;
    let (name, table) = entry.overlaid(descriptor.kind, descriptor.environment, environment)?;
    let (common, own): (toml::Table, toml::Table) =
        table.into_iter().partition(|(key, _)| OPTIONS.contains(&key.as_str()));
    let options: SinkOptions = super::read(common, &place)?;
    check(&options, descriptor).map_err(|message| refuse(&place, message))?;
    Ok(SinkConfig { name, descriptor, options, settings: ConnectorSettings(own) })
}

fn check(options: &SinkOptions, descriptor: &SinkDescriptor) -> Result<(), String> {
    let most = descriptor.batch.max_items;
    if options.max_batch.is_some_and(|items| !(1..=most).contains(&items)) {
        return Err(format!(
            "max_batch must lie between 1 and {most}, the most that {} takes",
            descriptor.title
        ));
    }
    if !(1..=64).contains(&options.max_in_flight) {
        return Err("max_in_flight must lie between 1 and 64".to_owned());
    }
    match (options.confirm_after, descriptor.confirmation) {
        (Some(_), None) => {
            return Err(format!(
                "confirm_after: {} gives its verdict at once; remove the setting",
                descriptor.title
            ));
        }
        (Some(wait), Some(schedule)) if wait.is_zero() || wait > schedule.last => {
            let hours = schedule.last.as_secs() / 3600;
            return Err(format!("confirm_after must lie between 1s and {hours}h"));
        }
        _ => {}
    }
    if options.send_denied && !descriptor.takes_consent {
        return Err(format!("send_denied: {} has no field for a person's refusal", descriptor.title));
    }
    Ok(())
}
