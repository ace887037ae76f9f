//! The sink's settings. `config.example.toml` shows each with its default.

use std::collections::{BTreeMap, BTreeSet};

use conversion_core::dedup::DedupTarget;
use conversion_core::identity::CallingCode;
use conversion_core::secret::Secret;
use conversion_core::settings::{self, SettingsError, is_endpoint};
use google_platform::ids;
use serde::{Deserialize, Serialize};

const BASE_URL: &str = "https://datamanager.googleapis.com";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
const TRANSACTION_PREFIX: &str = "sb-";
const MAX_TIMEOUT_SECONDS: u64 = 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) refresh_token: Option<Secret>,
    /// The account that owns the conversion actions, digits only.
    #[serde(deserialize_with = "ids::text")]
    pub(crate) operating_account: Option<String>,
    /// The manager account that access runs through, digits only.
    #[serde(deserialize_with = "ids::text")]
    pub(crate) login_account: Option<String>,
    /// The conversion action of every canonical conversion that `events` does not name.
    #[serde(deserialize_with = "ids::text")]
    conversion_action: Option<String>,
    /// Canonical name → id of the conversion action, those of `conversion_action` among them once it is read.
    #[serde(deserialize_with = "ids::texts")]
    pub(crate) events: BTreeMap<String, String>,
    pub(crate) event_source: EventSource,
    /// Stands before every transaction id.
    pub(crate) transaction_prefix: String,
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

/// Where the conversions happen (section 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "snake_case", serialize = "SCREAMING_SNAKE_CASE"))]
pub(crate) enum EventSource {
    Web,
    App,
    InStore,
    Phone,
    Message,
    Other,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            client_id: None,
            client_secret: None,
            refresh_token: None,
            operating_account: None,
            login_account: None,
            conversion_action: None,
            events: BTreeMap::new(),
            event_source: EventSource::Web,
            transaction_prefix: TRANSACTION_PREFIX.to_owned(),
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
        config.operating_account = ids::account("operating_account", config.operating_account)?;
        config.login_account = ids::account("login_account", config.login_account)?;
        config.events = ids::conversion_actions(&config.events, config.conversion_action.as_deref())?;
        config.base_url.truncate(config.base_url.trim_end_matches('/').len());
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), SettingsError> {
        let refuse = |message: String| Err(SettingsError::new(message));
        if !is_endpoint(&self.base_url) || self.base_url.ends_with("/v1") {
            return refuse(format!(
                "`base_url` must be an http or https origin with an optional prefix and without the API path, such \
                 as {BASE_URL}"
            ));
        }
        if !is_endpoint(&self.token_url) {
            return refuse(format!("`token_url` must be a full http or https address, such as {TOKEN_URL}"));
        }
        let prefix = &self.transaction_prefix;
        let is_plain = prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if prefix.len() > 16 || !is_plain || prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return refuse(
                "`transaction_prefix` must have up to 16 letters, digits and - _ . and not be digits alone: Google \
                 refuses transaction ids of nothing but digits"
                    .to_owned(),
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
            ("operating_account", self.operating_account.is_none()),
        ]
        .into_iter()
        .filter_map(|(setting, is_missing)| is_missing.then_some(setting))
        .collect()
    }

    /// The account's id; empty where it is missing, and nothing is sent then.
    pub(crate) fn account(&self) -> &str {
        self.operating_account.as_deref().unwrap_or_default()
    }

    /// The conversion actions, each once.
    pub(crate) fn actions(&self) -> BTreeSet<&str> {
        self.events.values().map(String::as_str).collect()
    }

    /// Where events of that conversion action are recognised.
    pub(crate) fn dedup_target(&self, action: &str) -> DedupTarget {
        DedupTarget::new(&[self.account(), action, &self.transaction_prefix])
    }

    /// Where that method of the API is.
    pub(crate) fn url(&self, method: &str) -> String {
        format!("{}/v1/{method}", self.base_url)
    }

    /// What a human should know about the settings.
    pub(crate) fn advice(&self) -> Vec<String> {
        let said = [
            self.events.is_empty().then(|| {
                "no event is mapped: put the id of your conversion action under `conversion_action`, or one for each \
                 event under `events`"
                    .to_owned()
            }),
            self.operating_account.as_ref().filter(|id| id.len() != 10).map(|id| {
                format!("operating_account has {} digits; Google's have 10, such as 123-456-7890", id.len())
            }),
            self.validate_only
                .then(|| "validate_only is on: Google checks conversions and counts none".to_owned()),
            (self.base_url != BASE_URL)
                .then(|| format!("base_url is {}: conversions do not go to Google itself", self.base_url)),
        ];
        said.into_iter().flatten().collect()
    }
}
