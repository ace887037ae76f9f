//! The sink's settings. `config.example.toml` shows each with its default.

mod names;

use std::collections::BTreeMap;

use conversion_core::identity::CallingCode;
use conversion_core::mapping;
use conversion_core::secret::Secret;
use conversion_core::settings::{self, SettingsError, is_endpoint};
use serde::Deserialize;

use crate::DESCRIPTOR;

const BASE_URL: &str = "https://graph.facebook.com";
/// Peers run v24.0 to v25.0; a version stays usable for about two years (platforms/meta.md, section 1).
pub(crate) const API_VERSION: &str = "v25.0";
const MAX_TIMEOUT_SECONDS: u64 = 60;
/// The one event that Meta refuses without `value` and `currency` (platforms/meta.md, section 2).
pub(crate) const PURCHASE: &str = "Purchase";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Dataset or pixel id, digits only.
    pub(crate) dataset_id: Option<String>,
    /// Of a system user or the dataset.
    pub(crate) access_token: Option<Secret>,
    /// Proves with each request that the token is this app's.
    pub(crate) app_secret: Option<Secret>,
    /// Shows everything under Test Events. Meta uses it all the same.
    pub(crate) test_event_code: Option<String>,
    /// Canonical name → Meta's name, merged over the defaults. An empty value unmaps.
    pub(crate) events: BTreeMap<String, String>,
    /// Of events that no visit is known of.
    pub(crate) action_source: ActionSource,
    /// Of events that say nothing of it themselves.
    pub(crate) limited_data_use: bool,
    /// Calling code of numbers without one, where it is not the one of `[defaults]`.
    pub(crate) phone_country: Option<CallingCode>,
    pub(crate) api_version: String,
    /// Origin plus optional prefix, without version.
    base_url: String,
    pub(crate) timeout_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dataset_id: None,
            access_token: None,
            app_secret: None,
            test_event_code: None,
            events: BTreeMap::new(),
            action_source: ActionSource::SystemGenerated,
            limited_data_use: false,
            phone_country: None,
            api_version: API_VERSION.to_owned(),
            base_url: BASE_URL.to_owned(),
            timeout_seconds: 10,
        }
    }
}

/// Where a conversion happened that no visit is known of. `website` is what a visit makes of it; `app` and
/// `business_messaging` need fields that an event has not (platforms/meta.md, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActionSource {
    Email,
    PhoneCall,
    Chat,
    PhysicalStore,
    SystemGenerated,
    Other,
}

impl ActionSource {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::PhoneCall => "phone_call",
            Self::Chat => "chat",
            Self::PhysicalStore => "physical_store",
            Self::SystemGenerated => "system_generated",
            Self::Other => "other",
        }
    }
}

impl Config {
    pub(crate) fn read(table: toml::Table) -> Result<Self, SettingsError> {
        let mut config: Self = settings::read(table)?;
        config.base_url.truncate(config.base_url.trim_end_matches('/').len());
        config.validate()?;
        config.events = mapping::over_defaults(&names::DEFAULTS, config.events);
        Ok(config)
    }

    fn validate(&self) -> Result<(), SettingsError> {
        let is_digits = |id: &String| id.bytes().all(|byte| byte.is_ascii_digit());
        if !self.dataset_id.as_ref().is_none_or(is_digits) {
            return refuse("`dataset_id` is the number of a dataset (pixel), digits alone");
        }
        let is_printable = |token: &Secret| token.expose().bytes().all(|byte| byte.is_ascii_graphic());
        for (name, secret) in [("access_token", &self.access_token), ("app_secret", &self.app_secret)] {
            if !secret.as_ref().is_none_or(is_printable) {
                return refuse(format!(
                    "`{name}` holds white space or other unprintable text; give the value alone"
                ));
            }
        }
        if !is_version(&self.api_version) {
            return refuse(format!("`api_version` is written as {API_VERSION}"));
        }
        if !is_endpoint(&self.base_url) {
            return refuse(format!(
                "`base_url` must be an http or https origin with an optional prefix and without the version, such as {BASE_URL}"
            ));
        }
        if !(1..=MAX_TIMEOUT_SECONDS).contains(&self.timeout_seconds) {
            return refuse(format!("`timeout_seconds` must lie between 1 and {MAX_TIMEOUT_SECONDS}"));
        }
        let mut named = self.events.iter();
        named.try_for_each(|(canonical, name)| {
            mapping::refuse_wrong_case(DESCRIPTOR.title, canonical, name, names::STANDARD)
        })
    }

    /// The settings without which nothing can be sent, those of them that are missing.
    pub(crate) fn missing_credentials(&self) -> Vec<&'static str> {
        let required =
            [("dataset_id", self.dataset_id.is_none()), ("access_token", self.access_token.is_none())];
        required.into_iter().filter_map(|(setting, is_missing)| is_missing.then_some(setting)).collect()
    }

    /// Meta's name that a canonical name is mapped to.
    pub(crate) fn meta_event(&self, canonical: &str) -> Option<&str> {
        self.events.get(canonical).map(String::as_str)
    }

    /// Where the dataset is.
    pub(crate) fn dataset_url(&self) -> String {
        let id = self.dataset_id.as_deref().unwrap_or_default();
        format!("{}/{}/{id}", self.base_url, self.api_version)
    }

    /// What a human should know about the settings.
    pub(crate) fn advice(&self) -> Vec<String> {
        let said = [
            self.test_event_code.is_some().then(|| {
                "test_event_code is set: events are shown under Test Events and counted all the same, for Meta has no \
                 sandbox; remove it in production"
                    .to_owned()
            }),
            (self.base_url != BASE_URL)
                .then(|| format!("base_url is {}: events do not go to Meta itself", self.base_url)),
        ];
        let custom = self.events.iter().filter_map(|(canonical, name)| {
            mapping::custom_advice(DESCRIPTOR.title, canonical, name, names::STANDARD)
        });
        said.into_iter().flatten().chain(custom).collect()
    }
}

fn refuse(message: impl Into<String>) -> Result<(), SettingsError> {
    Err(SettingsError::new(message))
}

/// `v25.0`
fn is_version(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = text.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}
