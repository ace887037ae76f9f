//! The source's settings. `config.example.toml` shows each with its default.

mod fields;
mod given;

use std::collections::{BTreeMap, BTreeSet};

use conversion_core::money::{Amount, Currency};
use conversion_core::secret::Secret;
use conversion_core::settings::{self, SettingsError, is_endpoint};
use serde::Deserialize;

use crate::DESCRIPTOR;

const BASE_URL: &str = "https://acuityscheduling.com";
const MAX_TIMEOUT_SECONDS: u64 = 60;

/// The settings as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    #[serde(deserialize_with = "given::text")]
    user_id: Option<String>,
    api_key: Option<Secret>,
    #[serde(deserialize_with = "given::secrets")]
    webhook_keys: Vec<Secret>,
    #[serde(deserialize_with = "given::list")]
    trial_types: Vec<String>,
    currency: Option<String>,
    value: Option<PriceField>,
    #[serde(deserialize_with = "given::number")]
    fixed_value: Option<String>,
    staff_bookings: StaffBookings,
    base_url: String,
    timeout_seconds: u64,
    #[serde(deserialize_with = "given::map")]
    fields: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            user_id: None,
            api_key: None,
            webhook_keys: Vec::new(),
            trial_types: Vec::new(),
            currency: None,
            value: None,
            fixed_value: None,
            staff_bookings: StaffBookings::Report,
            base_url: BASE_URL.to_owned(),
            timeout_seconds: 10,
            fields: BTreeMap::new(),
        }
    }
}

/// What of an appointment is its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PriceField {
    /// The list price.
    Price,
    /// What is charged after coupons and packages.
    PriceSold,
    /// What has been paid.
    AmountPaid,
    /// Nothing: events have no value.
    None,
}

/// Where the value of an appointment comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// The appointment says it.
    Field(PriceField),
    /// All are worth the same.
    Fixed(Amount),
}

/// What becomes of appointments that the account's staff booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StaffBookings {
    /// The same as of those that clients booked.
    Report,
    /// No event is made of them.
    Ignore,
}

/// The settings, checked.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) user_id: String,
    pub(crate) api_key: Secret,
    /// Further keys that may have signed a webhook.
    pub(crate) webhook_keys: Vec<Secret>,
    /// Appointment types that are trials.
    pub(crate) trial_types: BTreeSet<String>,
    pub(crate) currency: Option<Currency>,
    pub(crate) worth: Worth,
    pub(crate) staff_bookings: StaffBookings,
    /// Origin plus optional prefix, without the API path.
    base_url: String,
    pub(crate) timeout_seconds: u64,
    /// Field of an event, or name of a click id → Acuity's id of the intake form's field.
    pub(crate) fields: BTreeMap<String, String>,
}

impl Config {
    pub(crate) fn read(table: toml::Table) -> Result<Self, SettingsError> {
        let settings: Settings = settings::read(table)?;
        let (user_id, api_key) = credentials(settings.user_id, settings.api_key)?;
        for key in settings.webhook_keys.iter().chain([&api_key]) {
            if !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
                let message = "`api_key` or `webhook_keys` holds white space or other unprintable text; give each key alone";
                return Err(SettingsError::new(message));
            }
        }
        if !settings.trial_types.iter().all(|id| is_id(id)) {
            let message = "`trial_types` must hold the numeric ids of appointment types, such as 88";
            return Err(SettingsError::new(message));
        }
        let base_url = settings.base_url.trim_end_matches('/');
        if !is_endpoint(base_url) || base_url.contains("/api/v1") {
            return Err(SettingsError::new(format!(
                "`base_url` must be an http or https origin with an optional prefix and without `/api/v1`, such as {BASE_URL}"
            )));
        }
        if !(1..=MAX_TIMEOUT_SECONDS).contains(&settings.timeout_seconds) {
            let message = format!("`timeout_seconds` must lie between 1 and {MAX_TIMEOUT_SECONDS}");
            return Err(SettingsError::new(message));
        }
        Ok(Self {
            user_id,
            api_key,
            webhook_keys: settings.webhook_keys,
            trial_types: settings.trial_types.into_iter().collect(),
            currency: settings.currency.as_deref().map(currency).transpose()?,
            worth: worth(settings.value, settings.fixed_value.as_deref())?,
            staff_bookings: settings.staff_bookings,
            base_url: base_url.to_owned(),
            timeout_seconds: settings.timeout_seconds,
            fields: fields::checked(settings.fields)?,
        })
    }

    /// The address of an API resource, such as `appointments`.
    pub(crate) fn url(&self, resource: &str) -> String {
        format!("{}/api/v1/{resource}", self.base_url)
    }
}

/// A source without a key could prove no webhook genuine: it is not built.
fn credentials(user_id: Option<String>, api_key: Option<Secret>) -> Result<(String, Secret), SettingsError> {
    let (user_id, api_key) = match (user_id, api_key) {
        (Some(user_id), Some(api_key)) => (user_id, api_key),
        (user_id, api_key) => {
            let missing = [("user_id", user_id.is_none()), ("api_key", api_key.is_none())];
            let missing: Vec<String> =
                missing.iter().filter(|(_, missing)| *missing).map(|(name, _)| with_variable(name)).collect();
            return Err(SettingsError::new(format!("Missing settings: {}", missing.join(", "))));
        }
    };
    if !is_id(&user_id) {
        let message = "`user_id` must be the numeric User ID that Acuity shows beside the API key";
        return Err(SettingsError::new(message));
    }
    Ok((user_id, api_key))
}

/// The setting, with the variable that gives it where the source is named like its kind.
fn with_variable(setting: &str) -> String {
    let variable = DESCRIPTOR.environment.iter().find(|variable| variable.setting == setting);
    variable.map_or_else(|| setting.to_owned(), |variable| format!("{setting} ({})", variable.name))
}

fn currency(code: &str) -> Result<Currency, SettingsError> {
    let message = "`currency` must be a three-letter currency code of ISO 4217, such as USD";
    Currency::parse(code).ok_or_else(|| SettingsError::new(message))
}

fn worth(field: Option<PriceField>, fixed: Option<&str>) -> Result<Worth, SettingsError> {
    match (field, fixed) {
        (Some(_), Some(_)) => {
            Err(SettingsError::new("`value` and `fixed_value` exclude each other; set one"))
        }
        (field, None) => Ok(Worth::Field(field.unwrap_or(PriceField::Price))),
        (None, Some(fixed)) => Amount::parse(fixed)
            .map(Worth::Fixed)
            .map_err(|error| SettingsError::new(format!("`fixed_value` {error}"))),
    }
}

/// Whether the text can be one of Acuity's ids (platforms/acuity.md, section 8).
pub(crate) fn is_id(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
