//! `[[sinks]]`: what every sink has in common, and the table that is the sink's own.

use std::num::NonZeroU32;
use std::time::Duration;

use conversion_core::descriptor::{SinkDescriptor, Variable, VariableKind};
use conversion_core::registry;
use conversion_core::secret::Secret;
use conversion_core::settings::{SettingsError, nearest};
use serde::Deserialize;

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
    pub settings: SinkSettings,
}

/// A sink's own settings before the sink has read them. Not printed.
#[derive(Clone, Default)]
pub struct SinkSettings(pub toml::Table);

impl std::fmt::Debug for SinkSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
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

const OPTIONS: [&str; 7] = [
    "max_batch",
    "max_in_flight",
    "requests_per_second",
    "max_event_age",
    "on_missing_credentials",
    "send_denied",
    "test_secret",
];

const DEFAULT_SINKS: &str = "tiktok,google-ads";

/// The sinks of the file; without any, those that `SIGNALBOX_SINKS` names.
pub(super) fn read_all(
    section: Option<toml::Value>,
    environment: &Environment,
) -> Result<Vec<SinkConfig>, ConfigError> {
    let tables: Vec<toml::Table> = match section {
        None => environment
            .get("SIGNALBOX_SINKS")
            .unwrap_or(DEFAULT_SINKS)
            .split(',')
            .filter(|kind| !kind.trim().is_empty())
            .map(of_kind)
            .collect(),
        Some(toml::Value::Array(items)) => items
            .into_iter()
            .map(|item| match item {
                toml::Value::Table(table) => Ok(table),
                _ => Err(refuse("[[sinks]]", "must be a list of tables: write [[sinks]]")),
            })
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(refuse("[[sinks]]", "must be a list: write [[sinks]]")),
    };
    let mut sinks: Vec<SinkConfig> = Vec::new();
    for table in tables {
        let sink = read_one(table, environment)?;
        if sinks.iter().any(|other| other.name == sink.name) {
            return Err(refuse(
                format!("sink {}", sink.name),
                "is configured twice; give each a name of its own",
            ));
        }
        sinks.push(sink);
    }
    Ok(sinks)
}

fn of_kind(kind: &str) -> toml::Table {
    toml::Table::from_iter([("kind".to_owned(), toml::Value::String(kind.trim().to_owned()))])
}

fn refuse(place: impl Into<String>, message: impl Into<String>) -> ConfigError {
    ConfigError::setting(place, SettingsError::new(message))
}

fn read_one(mut table: toml::Table, environment: &Environment) -> Result<SinkConfig, ConfigError> {
    let kind = take_text(&mut table, "kind")?.ok_or_else(|| refuse("[[sinks]]", "`kind` is missing"))?;
    let name = take_text(&mut table, "name")?.unwrap_or_else(|| kind.clone());
    let place = format!("sink {name}");
    let well_formed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 40 || !name.chars().all(well_formed) {
        return Err(refuse(place, "`name` has 1 to 40 lower-case letters, digits and hyphens"));
    }
    let descriptor =
        registry::find(&kind).map(|plugin| plugin.descriptor).ok_or_else(|| unknown_kind(&place, &kind))?;
    if name == descriptor.kind {
        overlay(&mut table, descriptor, environment).map_err(|error| ConfigError::setting(&place, error))?;
    }
    let mut own = toml::Table::new();
    let mut common = toml::Table::new();
    for (key, value) in table {
        if OPTIONS.contains(&key.as_str()) {
            common.insert(key, value)
        } else {
            own.insert(key, value)
        };
    }
    let options: SinkOptions = super::read(common, &place)?;
    check(&options, descriptor).map_err(|message| refuse(&place, message))?;
    Ok(SinkConfig { name, descriptor, options, settings: SinkSettings(own) })
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
    if options.send_denied && !descriptor.takes_consent {
        return Err(format!("send_denied: {} has no field for a person's refusal", descriptor.title));
    }
    Ok(())
}

fn unknown_kind(place: &str, kind: &str) -> ConfigError {
    let known: Vec<&str> = registry::plugins().iter().map(|plugin| plugin.descriptor.kind).collect();
    let hint = match nearest(kind, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known are {}", known.join(", ")),
    };
    refuse(place, format!("there is no sink of kind `{kind}`; {hint}"))
}

fn take_text(table: &mut toml::Table, key: &str) -> Result<Option<String>, ConfigError> {
    match table.remove(key) {
        None => Ok(None),
        Some(toml::Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(toml::Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(refuse("[[sinks]]", format!("`{key}` must be text"))),
    }
}

/// Lays the sink's environment variables over its table.
fn overlay(
    table: &mut toml::Table,
    descriptor: &SinkDescriptor,
    environment: &Environment,
) -> Result<(), SettingsError> {
    for Variable { name, setting, kind } in descriptor.environment {
        let Some(text) = environment.get(name) else { continue };
        let value = match kind {
            VariableKind::Text => toml::Value::String(text.to_owned()),
            VariableKind::Flag => toml::Value::Boolean(flag(name, text)?),
            VariableKind::Map => {
                let mut map = match table.remove(*setting) {
                    Some(toml::Value::Table(map)) => map,
                    _ => toml::Table::new(),
                };
                map.extend(pairs(name, text)?);
                toml::Value::Table(map)
            }
        };
        table.insert((*setting).to_owned(), value);
    }
    Ok(())
}

fn flag(name: &str, text: &str) -> Result<bool, SettingsError> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(SettingsError::new(format!("{name} must be true or false"))),
    }
}

/// `A=B,C=D`; an empty value unmaps.
fn pairs(name: &str, text: &str) -> Result<Vec<(String, toml::Value)>, SettingsError> {
    text.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok((key.trim().to_owned(), toml::Value::String(value.trim().to_owned())))
            }
            _ => Err(SettingsError::new(format!("{name} must have the form EVENT=NAME,EVENT=NAME"))),
        })
        .collect()
}
