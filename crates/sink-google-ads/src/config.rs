//! The sink's settings. `config.example.toml` shows each with its default.

mod advice;

use std::collections::{BTreeMap, BTreeSet};

use conversion_core::identity::CallingCode;
use conversion_core::secret::Secret;
use conversion_core::settings::{self, SettingsError, is_endpoint};
use google_platform::ids;
use serde::Deserialize;

use crate::wire::{RETRACTION, Service};

const BASE_URL: &str = "https://googleads.googleapis.com";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
pub(crate) const API_VERSION: &str = "v26";
const MAX_TIMEOUT_SECONDS: u64 = 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) refresh_token: Option<Secret>,
    /// Ignored by Google since 2026-09-09 (section 3.1): sent only if configured.
    pub(crate) developer_token: Option<Secret>,
    /// The account in the address, digits only.
    #[serde(deserialize_with = "ids::text")]
    pub(crate) customer_id: Option<String>,
    /// The manager account, digits only.
    #[serde(deserialize_with = "ids::text")]
    pub(crate) login_customer_id: Option<String>,
    /// The conversion action of every canonical conversion that `events` does not name.
    #[serde(deserialize_with = "ids::text")]
    conversion_action: Option<String>,
    /// Canonical name → id of the conversion action, those of `conversion_action` among them once it is read.
    #[serde(deserialize_with = "ids::texts")]
    pub(crate) events: BTreeMap<String, String>,
    /// Canonical names of cancellations; none of them is mapped.
    pub(crate) retract_on: BTreeSet<String>,
    pub(crate) api_version: String,
    pub(crate) send_ip: bool,
    /// Calling code of numbers without one, where it is not the one of `[defaults]`.
    pub(crate) phone_country: Option<CallingCode>,
    pub(crate) validate_only: bool,
    /// Origin plus optional prefix, without the API path.
    base_url: String,
    /// Full address.
    pub(crate) token_url: String,
    pub(crate) timeout_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            client_id: None,
            client_secret: None,
            refresh_token: None,
            developer_token: None,
            customer_id: None,
            login_customer_id: None,
            conversion_action: None,
            events: BTreeMap::new(),
            retract_on: BTreeSet::new(),
            api_version: API_VERSION.to_owned(),
            send_ip: false,
            phone_country: None,
            validate_only: false,
            base_url: BASE_URL.to_owned(),
            token_url: TOKEN_URL.to_owned(),
            timeout_seconds: 10,
        }
    }
}

impl Config {
    pub(crate) fn read(table: toml::Table) -> Result<Self, SettingsError> {
        let mut config: Self = settings::read(table)?;
        config.customer_id = ids::account("customer_id", config.customer_id)?;
        config.login_customer_id = ids::account("login_customer_id", config.login_customer_id)?;
        config.events = ids::conversion_actions(&config.events, config.conversion_action.as_deref())?;
        config.retract_on = trimmed(&config.retract_on);
        config.base_url.truncate(config.base_url.trim_end_matches('/').len());
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), SettingsError> {
        if !is_version(&self.api_version) {
            return refuse(format!("`api_version` must be `v` and a number, such as {API_VERSION}"));
        }
        if !is_endpoint(&self.base_url) || self.base_url.contains("/customers/") {
            return refuse(format!(
                "`base_url` must be an http or https origin with an optional prefix and without the API path, such \
                 as {BASE_URL}"
            ));
        }
        if !is_endpoint(&self.token_url) {
            return refuse(format!("`token_url` must be a full http or https address, such as {TOKEN_URL}"));
        }
        if let Some(name) = self.retract_on.iter().find(|name| self.events.contains_key(*name)) {
            return refuse(format!(
                "`retract_on` names {name}, which `events` maps to a conversion action: remove it from `events` if it \
                 cancels a conversion, else from `retract_on`"
            ));
        }
        // It becomes a header.
        let is_printable = |token: &Secret| token.expose().bytes().all(|byte| byte.is_ascii_graphic());
        if !self.developer_token.as_ref().is_none_or(is_printable) {
            return refuse(
                "`developer_token` holds white space or other unprintable text; give the token alone",
            );
        }
        if !(1..=MAX_TIMEOUT_SECONDS).contains(&self.timeout_seconds) {
            return refuse(format!("`timeout_seconds` must lie between 1 and {MAX_TIMEOUT_SECONDS}"));
        }
        Ok(())
    }

    /// The settings without which nothing can be sent, those of them that are missing.
    pub(crate) fn missing_credentials(&self) -> Vec<&'static str> {
        [
            ("client_id", self.client_id.is_none()),
            ("client_secret", self.client_secret.is_none()),
            ("refresh_token", self.refresh_token.is_none()),
            ("customer_id", self.customer_id.is_none()),
        ]
        .into_iter()
        .filter_map(|(setting, is_missing)| is_missing.then_some(setting))
        .collect()
    }

    /// The account's id; empty where it is missing, and nothing is sent then.
    pub(crate) fn customer(&self) -> &str {
        self.customer_id.as_deref().unwrap_or_default()
    }

    /// Where rows of that service go.
    pub(crate) fn url(&self, service: Service) -> String {
        let Self { base_url, api_version, .. } = self;
        format!("{base_url}/{api_version}/customers/{}:{}", self.customer(), service.method())
    }

    /// Canonical names, and what each becomes.
    pub(crate) fn mapping(&self) -> BTreeMap<String, String> {
        let retractions = self.retract_on.iter().map(|name| (name.clone(), RETRACTION.to_owned()));
        self.events.clone().into_iter().chain(retractions).collect()
    }
}

/// The names without blanks around them, and without those that are blank.
fn trimmed(names: &BTreeSet<String>) -> BTreeSet<String> {
    names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn refuse(message: impl Into<String>) -> Result<(), SettingsError> {
    Err(SettingsError::new(message))
}

fn is_version(text: &str) -> bool {
    text.strip_prefix('v').is_some_and(|number| (1..=3).contains(&number.len()) && ids::is_number(number))
}
