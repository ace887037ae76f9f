//! The settings.

use std::collections::BTreeMap;

use conversion_core::secret::Secret;
use conversion_core::settings::{self, SettingsError};
use serde::Deserialize;

use super::Defect;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    account: Option<String>,
    pub(super) secret_key: Option<Secret>,
    pub(super) events: BTreeMap<String, String>,
    pub(super) test: bool,
    /// Sends the person's names, hashed.
    pub(super) names: bool,
    pub(super) base_url: String,
    pub(super) token_url: Option<String>,
    pub(super) timeout_seconds: u64,
    pub(super) defect: Defect,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            account: None,
            secret_key: None,
            events: BTreeMap::new(),
            test: false,
            names: false,
            base_url: "https://api.acme.example".to_owned(),
            token_url: None,
            timeout_seconds: 60,
            defect: Defect::None,
        }
    }
}

impl Config {
    pub(super) fn read(mut table: toml::Table) -> Result<Self, SettingsError> {
        let named = table.get("defect").and_then(toml::Value::as_str).unwrap_or_default();
        let defect = Defect::ALL.iter().copied().find(|defect| format!("{defect:?}") == named);
        match defect {
            Some(Defect::UnknownIgnored) => drop(table.remove("zzqq")),
            Some(Defect::ErrorNamesNothing) => {
                return settings::read(table).map_err(|_| SettingsError::new("the settings are wrong"));
            }
            Some(Defect::SettingsRefused) => return Err(SettingsError::new("no settings are right")),
            _ => {}
        }
        let mut config: Self = settings::read(table)?;
        let keeps_blank = config.defect == Defect::BlankTargetSent;
        config.events.retain(|_, target| keeps_blank || !target.trim().is_empty());
        if config.defect == Defect::MissingCredentialsRefused && !config.missing().is_empty() {
            return Err(SettingsError::new("credentials are missing"));
        }
        Ok(config)
    }

    pub(super) fn missing(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        if self.account.is_none() {
            missing.push("account");
        }
        if self.secret_key.is_none() {
            missing.push("secret_key");
        }
        if self.defect == Defect::MissingOutOfOrder {
            missing.reverse();
        }
        missing
    }

    pub(super) fn exposed(&self) -> &str {
        self.secret_key.as_ref().map_or("", Secret::expose)
    }

    pub(super) fn account(&self) -> &str {
        self.account.as_deref().unwrap_or_default()
    }
}
