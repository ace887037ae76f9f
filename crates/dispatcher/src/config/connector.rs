//! What `[[sinks]]` and `[[sources]]` have in common: a kind, a name, and variables over the file.

use conversion_core::descriptor::{Variable, VariableKind};
use conversion_core::settings::{SettingsError, nearest};

use super::{ConfigError, Environment};

/// A connector's own settings, the environment over the file, before the connector has read them. May hold secrets:
/// not printed.
#[derive(Clone, Default)]
pub struct ConnectorSettings(pub toml::Table);

impl std::fmt::Debug for ConnectorSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// A list of connectors in the configuration.
pub(super) struct List {
    /// Its name in the file.
    pub(super) section: &'static str,
    /// What one of it is called.
    pub(super) noun: &'static str,
    /// The variable that names kinds where the file has no list.
    pub(super) variable: &'static str,
    /// Its value where it is unset.
    pub(super) default: &'static str,
}

/// One entry of a list.
pub(super) struct Entry {
    /// Its kind.
    pub(super) kind: String,
    noun: &'static str,
    name: String,
    table: toml::Table,
}

impl List {
    /// The entries, each with a name of its own.
    pub(super) fn read(
        &self,
        section: Option<toml::Value>,
        environment: &Environment,
    ) -> Result<Vec<Entry>, ConfigError> {
        let mut entries: Vec<Entry> = Vec::new();
        for table in self.tables(section, environment)? {
            let entry = self.entry(table)?;
            if entries.iter().any(|other| other.name == entry.name) {
                return Err(refuse(entry.place(), "is configured twice; give each a name of its own"));
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    fn tables(
        &self,
        section: Option<toml::Value>,
        environment: &Environment,
    ) -> Result<Vec<toml::Table>, ConfigError> {
        let wrong = |what: &str| self.refuse(format!("must be a list{what}: write {}", self.header()));
        match section {
            None => Ok(items(environment.get(self.variable).unwrap_or(self.default)).map(of_kind).collect()),
            Some(toml::Value::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    toml::Value::Table(table) => Ok(table),
                    _ => Err(wrong(" of tables")),
                })
                .collect(),
            Some(_) => Err(wrong("")),
        }
    }

    fn entry(&self, mut table: toml::Table) -> Result<Entry, ConfigError> {
        let kind = self.take_text(&mut table, "kind")?.ok_or_else(|| self.refuse("`kind` is missing"))?;
        let name = self.take_text(&mut table, "name")?.unwrap_or_else(|| kind.clone());
        let entry = Entry { kind, noun: self.noun, name, table };
        let well_formed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if entry.name.is_empty() || entry.name.len() > 40 || !entry.name.chars().all(well_formed) {
            let message = "`name` has 1 to 40 lower-case letters, digits and hyphens";
            return Err(refuse(entry.place(), message));
        }
        Ok(entry)
    }

    fn take_text(&self, table: &mut toml::Table, key: &str) -> Result<Option<String>, ConfigError> {
        match table.remove(key) {
            None => Ok(None),
            Some(toml::Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(toml::Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.refuse(format!("`{key}` must be text"))),
        }
    }

    fn header(&self) -> String {
        format!("[[{}]]", self.section)
    }

    fn refuse(&self, message: impl Into<String>) -> ConfigError {
        refuse(self.header(), message)
    }
}

impl Entry {
    /// Where errors place it.
    pub(super) fn place(&self) -> String {
        format!("{} {}", self.noun, self.name)
    }

    /// No connector is of its kind: these are.
    pub(super) fn unknown_kind(&self, known: impl Iterator<Item = &'static str>) -> ConfigError {
        let known: Vec<&str> = known.collect();
        let hint = match nearest(&self.kind, known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known are {}", known.join(", ")),
        };
        refuse(self.place(), format!("there is no {} of kind `{}`; {hint}", self.noun, self.kind))
    }

    /// Its name, and its table with the connector's environment variables over it: they speak to the one that is named
    /// like its kind.
    pub(super) fn overlaid(
        mut self,
        kind: &str,
        variables: &[Variable],
        environment: &Environment,
    ) -> Result<(String, toml::Table), ConfigError> {
        if self.name == kind {
            overlay(&mut self.table, variables, environment)
                .map_err(|error| ConfigError::setting(self.place(), error))?;
        }
        Ok((self.name, self.table))
    }
}

fn of_kind(kind: &str) -> toml::Table {
    toml::Table::from_iter([("kind".to_owned(), toml::Value::String(kind.to_owned()))])
}

/// An error about the connector at `place`.
pub(super) fn refuse(place: impl Into<String>, message: impl Into<String>) -> ConfigError {
    ConfigError::setting(place, SettingsError::new(message))
}

fn overlay(
    table: &mut toml::Table,
    variables: &[Variable],
    environment: &Environment,
) -> Result<(), SettingsError> {
    for Variable { name, setting, kind } in variables {
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
            VariableKind::List => toml::Value::Array(items(text).map(toml::Value::from).collect()),
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

/// What stands between commas, without what is blank.
fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// `A=B,C=D`; an empty value unmaps.
fn pairs(name: &str, text: &str) -> Result<Vec<(String, toml::Value)>, SettingsError> {
    items(text)
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok((key.trim().to_owned(), toml::Value::String(value.trim().to_owned())))
            }
            _ => Err(SettingsError::new(format!("{name} must have the form EVENT=NAME,EVENT=NAME"))),
        })
        .collect()
}
