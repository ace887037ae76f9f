//! `[[sources]]`: booking systems, each with a table that is its own.

use conversion_core::registry;
use conversion_core::source::SourceDescriptor;

use super::connector::{ConnectorSettings, Entry, List};
use super::{ConfigError, Environment};

/// A configured source.
#[derive(Clone, Debug)]
pub struct SourceConfig {
    /// Its name, unique: the last part of its webhook's address.
    pub name: String,
    /// Its booking system.
    pub descriptor: &'static SourceDescriptor,
    /// The source's own settings, the environment over the file. May hold secrets.
    pub settings: ConnectorSettings,
}

const LIST: List = List { section: "sources", noun: "source", variable: "SIGNALBOX_SOURCES", default: "" };

/// The sources of the file; without any, those that `SIGNALBOX_SOURCES` names.
pub(super) fn read_all(
    section: Option<toml::Value>,
    environment: &Environment,
) -> Result<Vec<SourceConfig>, ConfigError> {
    let read = |entry: Entry| read_one(entry, environment);
    LIST.read(section, environment)?.into_iter().map(read).collect()
}

fn read_one(entry: Entry, environment: &Environment) -> Result<SourceConfig, ConfigError> {
    let sources = registry::sources();
    let plugin = sources.iter().find(|plugin| plugin.descriptor.kind == entry.kind);
    let kinds = sources.iter().map(|plugin| plugin.descriptor.kind);
    let descriptor = plugin.ok_or_else(|| entry.unknown_kind(kinds))?.descriptor;
    let (name, table) = entry.overlaid(descriptor.kind, descriptor.environment, environment)?;
    Ok(SourceConfig { name, descriptor, settings: ConnectorSettings(table) })
}
