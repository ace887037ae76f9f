//! The sink's settings. `config.example.toml` shows each with its default.

use std::collections::BTreeMap;

use conversion_core::secret::Secret;
use conversion_core::settings::{self, SettingsError, is_endpoint};
use serde::Deserialize;

pub(crate) const API_VERSION: &str = "v1";
const BASE_URL: &str = "https://api.acme.example";
/// What a canonical name stands for where nobody maps it.
const DEFAULTS: [(&str, &str); 1] = [("TRIAL_BOOKED", "schedule")];
const MAX_TIMEOUT_SECONDS: u64 = 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) account_id: Option<String>,
    pub(crate) access_token: Option<Secret>,
    /// Sends everything as a test.
    pub(crate) test_code: Option<String>,
    /// Canonical name → the platform's, merged over the defaults. An empty value unmaps.
    pub(crate) events: BTreeMap<String, String>,
    /// Origin plus optional prefix.
    pub(crate) base_url: String,
    pub(crate) timeout_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            account_id: None,
            access_token: None,
            test_code: None,
            events: BTreeMap::new(),
            base_url: BASE_URL.to_owned(),
            timeout_seconds: 10,
        }
    }
}

impl Config {
    pub(crate) fn read(table: toml::Table) -> Result<Self, SettingsError> {
        let mut config: Self = settings::read(table)?;
        config.base_url.truncate(config.base_url.trim_end_matches('/').len());
        if !is_endpoint(&config.base_url) {
            return Err(SettingsError::new(format!(
                "`base_url` must be an http or https origin with an optional prefix, such as {BASE_URL}"
            )));
        }
        if !(1..=MAX_TIMEOUT_SECONDS).contains(&config.timeout_seconds) {
            return Err(SettingsError::new(format!(
                "`timeout_seconds` must lie between 1 and {MAX_TIMEOUT_SECONDS}"
            )));
        }
        for (canonical, name) in DEFAULTS {
            config.events.entry(canonical.to_owned()).or_insert_with(|| name.to_owned());
        }
        config.events.retain(|_, name| !name.trim().is_empty());
        Ok(config)
    }

    /// The settings without which nothing can be sent.
    pub(crate) fn missing_credentials(&self) -> Vec<&'static str> {
        let account_id = self.account_id.is_none().then_some("account_id");
        let access_token = self.access_token.is_none().then_some("access_token");
        account_id.into_iter().chain(access_token).collect()
    }

    pub(crate) fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        if self.test_code.is_some() {
            advice.push("test_code is set: events are sent as a test".to_owned());
        }
        if self.base_url != BASE_URL {
            advice.push(format!("base_url is {}: events do not go to the platform itself", self.base_url));
        }
        advice
    }
}
