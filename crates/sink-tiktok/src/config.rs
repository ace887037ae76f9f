//! The sink's settings. `config.example.toml` shows each with its default.

mod names;

use std::collections::BTreeMap;

use conversion_core::identity::CallingCode;
use conversion_core::secret::Secret;
use conversion_core::settings::{self, SettingsError, is_endpoint, is_web_address};
use serde::Deserialize;

const BASE_URL: &str = "https://business-api.tiktok.com";
/// The version that speaks of `event/track`. TikTok names no end of it.
pub(crate) const API_VERSION: &str = "v1.3";
const MAX_TIMEOUT_SECONDS: u64 = 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// `event_source_id`: pixel code, or the id of the offline or CRM event set.
    pub(crate) pixel_id: Option<String>,
    pub(crate) access_token: Option<Secret>,
    /// Sends everything to TikTok's Test Events.
    pub(crate) test_event_code: Option<String>,
    pub(crate) partner_name: Option<String>,
    pub(crate) event_source: EventSource,
    /// Canonical name → TikTok name, merged over the defaults. An empty value unmaps.
    pub(crate) events: BTreeMap<String, String>,
    pub(crate) phone_format: PhoneFormat,
    /// Calling code of numbers without one, where it is not the one of `[defaults]`.
    pub(crate) phone_country: Option<CallingCode>,
    /// `page.url` of events that bring none.
    pub(crate) default_page_url: Option<String>,
    pub(crate) reschedules: Reschedules,
    /// Origin plus optional prefix, without the API path.
    base_url: String,
    /// `lead.lead_event_source`, for CRM events.
    pub(crate) crm_name: Option<String>,
    /// `app.app_id`, for app events.
    pub(crate) app_id: Option<String>,
    pub(crate) timeout_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            pixel_id: None,
            access_token: None,
            test_event_code: None,
            partner_name: None,
            event_source: EventSource::Web,
            events: BTreeMap::new(),
            phone_format: PhoneFormat::Both,
            phone_country: None,
            default_page_url: None,
            reschedules: Reschedules::Resend,
            base_url: BASE_URL.to_owned(),
            crm_name: None,
            app_id: None,
            timeout_seconds: 10,
        }
    }
}

/// Where the events happened, in TikTok's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EventSource {
    Web,
    Offline,
    Crm,
    /// Open only to accounts that TikTok has put on a list.
    App,
}

impl EventSource {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Offline => "offline",
            Self::Crm => "crm",
            Self::App => "app",
        }
    }

    /// Whether a visitor's device took part.
    pub(crate) fn has_device(self) -> bool {
        matches!(self, Self::Web | Self::App)
    }
}

/// How a phone number is written before it is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PhoneFormat {
    /// Both digests, in an array.
    Both,
    /// Digits alone.
    Digits,
    /// With `+`, as TikTok's own vectors are.
    E164,
}

/// What becomes of a second event of the same conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reschedules {
    /// It is sent: TikTok merges it within 48 hours and counts it after.
    Resend,
    /// It is skipped if TikTok has the first.
    Once,
}

impl Config {
    pub(crate) fn read(table: toml::Table) -> Result<Self, SettingsError> {
        let mut config: Self = settings::read(table)?;
        config.base_url.truncate(config.base_url.trim_end_matches('/').len());
        config.validate()?;
        config.events = names::over_defaults(config.events);
        Ok(config)
    }

    fn validate(&self) -> Result<(), SettingsError> {
        let is_printable = |token: &Secret| token.expose().bytes().all(|byte| byte.is_ascii_graphic());
        if !self.access_token.as_ref().is_none_or(is_printable) {
            return refuse(
                "`access_token` holds white space or other unprintable text; give the token alone",
            );
        }
        if !is_endpoint(&self.base_url) || self.base_url.contains("/open_api") {
            return refuse(format!(
                "`base_url` must be an http or https origin with an optional prefix and without `/open_api/{API_VERSION}/`, such as {BASE_URL}"
            ));
        }
        if !self.default_page_url.as_deref().is_none_or(is_web_address) {
            return refuse("`default_page_url` must be a full http or https address");
        }
        if !(1..=MAX_TIMEOUT_SECONDS).contains(&self.timeout_seconds) {
            return refuse(format!("`timeout_seconds` must lie between 1 and {MAX_TIMEOUT_SECONDS}"));
        }
        self.events
            .iter()
            .try_for_each(|(canonical, name)| names::validate(canonical, name, self.event_source))
    }

    /// The settings without which nothing can be sent, in the spec's order.
    pub(crate) fn missing_credentials(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        if self.pixel_id.is_none() {
            missing.push("pixel_id");
        }
        if self.access_token.is_none() {
            missing.push("access_token");
        }
        missing
    }

    /// The TikTok name that a canonical name is mapped to.
    pub(crate) fn tiktok_event(&self, canonical: &str) -> Option<&str> {
        self.events.get(canonical).map(String::as_str)
    }

    /// Where requests go. The slash at the end belongs to it.
    pub(crate) fn url(&self) -> String {
        format!("{}/open_api/{API_VERSION}/event/track/", self.base_url)
    }

    pub(crate) fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        if self.test_event_code.is_some() {
            advice.push(
                "test_event_code is set: events go to TikTok's Test Events and are not counted".to_owned(),
            );
        }
        if self.base_url != BASE_URL {
            advice.push(format!("base_url is {}: events do not go to TikTok itself", self.base_url));
        }
        if self.phone_format == PhoneFormat::Digits {
            advice.push(
                "phone_format = \"digits\": TikTok documents phones with `+`; digits alone may match nobody"
                    .to_owned(),
            );
        }
        if self.event_source == EventSource::App {
            advice.push(
                "event_source = \"app\" works only for accounts that TikTok has put on a list".to_owned(),
            );
            if self.app_id.is_none() {
                advice.push("app_id is not set: TikTok requires it with event_source = \"app\"".to_owned());
            }
        }
        let named = self.events.iter();
        advice
            .extend(named.filter_map(|(canonical, name)| names::advice(canonical, name, self.event_source)));
        advice
    }
}

fn refuse(message: impl Into<String>) -> Result<(), SettingsError> {
    Err(SettingsError::new(message))
}
