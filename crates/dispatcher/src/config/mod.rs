//! Configuration: flag over environment over file over default. `config/signalbox.toml` documents every setting.

mod attribution;
mod connector;
mod environment;
mod expand;
mod keys;
mod private;
mod queue;
mod sections;
mod sink;
mod source;
mod span;
mod tls;

use std::path::{Path, PathBuf};

use conversion_core::settings::{self, SettingsError, nearest};

pub use attribution::Attribution;
pub use connector::ConnectorSettings;
pub use environment::Environment;
pub use keys::{ApiKey, Keys, Scope};
pub(crate) use private::read as read_private;
pub use queue::QueueLink;
pub use sections::{
    Consent, Defaults, Delivery, Graphql, Log, LogFormat, Outbound, OutboundMode, Qstash, Queue, Server,
    StoreSection,
};
pub use sink::{OnMissingCredentials, SinkConfig, SinkOptions};
pub use source::SourceConfig;
pub use tls::TlsFiles;

/// Everything that the program can be told.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[store]`
    pub store: StoreSection,
    /// `[outbound]`
    pub outbound: Outbound,
    /// `[defaults]`
    pub defaults: Defaults,
    /// `[consent]`
    pub consent: Consent,
    /// `[delivery]`
    pub delivery: Delivery,
    /// `[qstash]`
    pub qstash: Qstash,
    /// `[attribution]`
    pub attribution: Attribution,
    /// `[graphql]`
    pub graphql: Graphql,
    /// `[log]`
    pub log: Log,
    /// `[[keys]]` and `SIGNALBOX_API_KEY`
    pub keys: Keys,
    /// `[[sinks]]`, or what `SIGNALBOX_SINKS` names.
    pub sinks: Vec<SinkConfig>,
    /// `[[sources]]`, or what `SIGNALBOX_SOURCES` names.
    pub sources: Vec<SourceConfig>,
}

/// Why the configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A file with secrets can be read by others than its owner.
    #[error(
        "{path} can be read by others than its owner, and holds {what}: chmod 600 {path}, or, where it is mounted, give \
         it the mode 0400",
        path = path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// What is secret in it.
        what: String,
    },
    /// The file is not TOML.
    #[error("{path}: {message}", path = path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, column and problem.
        message: String,
    },
    /// A setting is wrong.
    #[error("{place}: {source}")]
    Setting {
        /// Where, such as `[server]` or `sink tiktok`.
        place: String,
        /// What.
        source: SettingsError,
    },
}

impl ConfigError {
    fn setting(place: impl Into<String>, source: SettingsError) -> Self {
        Self::Setting { place: place.into(), source }
    }
}

/// Most connections that can be configured: more files are open at once on no machine that is set up for one service.
pub const MAX_CONNECTIONS: usize = 1_000_000;

/// Longest request body that can be configured: the room that all bodies share.
pub const MAX_BODY: usize = 64 * 1024 * 1024;

const SECTIONS: [&str; 13] = [
    "server",
    "store",
    "outbound",
    "defaults",
    "consent",
    "delivery",
    "qstash",
    "attribution",
    "graphql",
    "log",
    "keys",
    "sinks",
    "sources",
];

impl Config {
    /// Reads the named file, if one is named, and the environment over it.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let table = match file {
            Some(path) => read_file(path)?,
            None => toml::Table::new(),
        };
        Self::from_table(table, environment)
    }

    /// Reads a configuration that is already a table, and the environment over it.
    pub fn from_table(mut table: toml::Table, environment: &Environment) -> Result<Self, ConfigError> {
        expand::variables(&mut table, environment)?;
        if let Some(unknown) = table.keys().find(|key| !SECTIONS.contains(&key.as_str())) {
            let hint = nearest(unknown, SECTIONS)
                .map_or_else(String::new, |name| format!("; did you mean [{name}]?"));
            let error = SettingsError::new(format!("there is no section [{unknown}]{hint}"));
            return Err(ConfigError::setting("configuration", error));
        }
        let mut section = |name: &'static str| take_section(&mut table, name, environment);
        Self {
            server: read(section("server")?, "[server]")?,
            store: read(section("store")?, "[store]")?,
            outbound: read(section("outbound")?, "[outbound]")?,
            defaults: read(section("defaults")?, "[defaults]")?,
            consent: read(section("consent")?, "[consent]")?,
            delivery: read(section("delivery")?, "[delivery]")?,
            qstash: read(section("qstash")?, "[qstash]")?,
            attribution: read(section("attribution")?, "[attribution]")?,
            graphql: read(section("graphql")?, "[graphql]")?,
            log: read(section("log")?, "[log]")?,
            keys: keys::read(table.remove("keys"), environment)?,
            sinks: sink::read_all(table.remove("sinks"), environment)?,
            sources: source::read_all(table.remove("sources"), environment)?,
        }
        .checked()
    }

    /// Refuses what can only be a mistake.
    fn checked(mut self) -> Result<Self, ConfigError> {
        let refuse =
            |place: &str, message: &str| Err(ConfigError::setting(place, SettingsError::new(message)));
        if self.sinks.is_empty() {
            return refuse("[[sinks]]", "no sink is configured: events would be accepted for nobody");
        }
        if self.delivery.retry_for.is_zero() {
            return refuse("[delivery] retry_for", "must be longer than nothing");
        }
        if !(1..=MAX_BODY).contains(&self.server.max_body) || self.server.max_events == 0 {
            let message = format!("max_body must lie between 1 and {MAX_BODY} bytes, and max_events above 0");
            return refuse("[server]", &message);
        }
        if !(1..=MAX_CONNECTIONS).contains(&self.server.max_connections) {
            return refuse("[server] max_connections", &format!("must lie between 1 and {MAX_CONNECTIONS}"));
        }
        if self.server.idle_timeout.is_zero() {
            return refuse("[server] idle_timeout", "must be longer than nothing");
        }
        if let Some(text) = self.server.public_url.take().filter(|text| !text.trim().is_empty()) {
            let place = "[server] public_url (SIGNALBOX_PUBLIC_URL)";
            self.server.public_url = match queue::address(&text) {
                Ok(address) => Some(address),
                Err(message) => return refuse(place, &message),
            };
        }
        self.server.tls()?;
        self.queue_link()?;
        self.attribution.check(self.server.public_url.as_deref())?;
        Ok(self)
    }

    /// Refuses to serve beyond this machine without keys: without them anyone who reaches the address may report events and read deliveries.
    pub fn check_exposure(&self) -> Result<(), ConfigError> {
        if self.keys.is_empty() && !self.server.listen.ip().is_loopback() {
            let message = format!(
                "refusing to listen on {} without API keys: set SIGNALBOX_API_KEY or [[keys]], or listen on 127.0.0.1",
                self.server.listen
            );
            return Err(ConfigError::setting("[server] listen", SettingsError::new(message)));
        }
        Ok(())
    }
}

/// The file as a table. One that holds secrets must be its owner's alone.
fn read_file(path: &Path) -> Result<toml::Table, ConfigError> {
    let private::File { text, is_exposed } = private::read(path)?;
    let table = text.parse::<toml::Table>().map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| text.get(..span.start).map_or(1, |head| head.lines().count().max(1)));
        ConfigError::Syntax { path: path.to_owned(), message: format!("line {line}: {}", error.message()) }
    })?;
    match private::secrets(&table).first() {
        Some(secret) if is_exposed => {
            Err(ConfigError::Exposed { path: path.to_owned(), what: secret.clone() })
        }
        _ => Ok(table),
    }
}

/// One section with its environment variables over it.
fn take_section(
    table: &mut toml::Table,
    name: &'static str,
    environment: &Environment,
) -> Result<toml::Table, ConfigError> {
    let mut section = match table.remove(name) {
        None => toml::Table::new(),
        Some(toml::Value::Table(section)) => section,
        Some(_) => {
            let error = SettingsError::new(format!("must be a section: write [{name}]"));
            return Err(ConfigError::setting(format!("[{name}]"), error));
        }
    };
    for (variable, setting) in sections::variables(name) {
        if let Some(value) = environment.get(variable) {
            section.insert((*setting).to_owned(), toml::Value::String(value.to_owned()));
        }
    }
    Ok(section)
}

fn read<T: serde::de::DeserializeOwned>(table: toml::Table, place: &str) -> Result<T, ConfigError> {
    settings::read(table).map_err(|error| ConfigError::setting(place, error))
}

#[cfg(test)]
mod tests;
