//! `[attribution]`, and what of it browsers would pass over without a word.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::Uri;
use conversion_core::settings::SettingsError;
use serde::Deserialize;

use super::{ConfigError, span};

/// `[attribution]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attribution {
    /// Origins of the sites whose pages may report visits, such as `https://academy.example`.
    pub origins: Vec<String>,
    /// The domain that the attribution's cookie is set for, such as `academy.example`; without it none is set.
    pub cookie_domain: Option<String>,
    /// How long an attribution is kept after it was last written.
    #[serde(deserialize_with = "span::deserialize")]
    pub keep_for: Duration,
    /// Visits that one address may report in a minute.
    pub visits_per_minute: NonZeroU32,
}

impl Default for Attribution {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            cookie_domain: None,
            keep_for: Duration::from_secs(90 * 86_400),
            visits_per_minute: NonZeroU32::new(60).unwrap_or(NonZeroU32::MIN),
        }
    }
}

impl Attribution {
    /// What follows the value of the cookie that holds the id, for a service that is reached under `public_url`. A page
    /// reads it without TLS only where the service itself has none.
    pub fn cookie_attributes(&self, public_url: Option<&str>) -> String {
        let age = self.keep_for.as_secs();
        let domain =
            self.cookie_domain.as_ref().map(|domain| format!("; Domain={domain}")).unwrap_or_default();
        let secure = if public_url.is_some_and(|url| url.starts_with("http://")) { "" } else { "; Secure" };
        format!("; Path=/; Max-Age={age}; SameSite=Lax{domain}{secure}")
    }

    /// Refuses what can only be a mistake, for a service that is reached under `public_url`.
    pub(super) fn check(&self, public_url: Option<&str>) -> Result<(), ConfigError> {
        let refuse = |setting: &str, message: String| {
            let place = format!("[attribution] {setting}");
            Err(ConfigError::setting(place, SettingsError::new(message)))
        };
        if let Some(origin) = self.origins.iter().find(|origin| !is_origin(origin)) {
            let message = format!(
                "`{origin}` is not an origin as browsers send it: scheme://host or scheme://host:port, in lower case, without a path and without the scheme's own port, such as https://academy.example"
            );
            return refuse("origins", message);
        }
        if self.keep_for.is_zero() {
            return refuse("keep_for", "must be longer than nothing".to_owned());
        }
        let Some(domain) = self.cookie_domain.as_deref() else { return Ok(()) };
        if !is_host_name(domain) {
            return refuse("cookie_domain", format!("`{domain}` is not a host name such as academy.example"));
        }
        let host = public_url.and_then(|url| url.parse::<Uri>().ok()?.host().map(str::to_owned));
        if let Some(host) = host.filter(|host| !is_within(host, domain)) {
            let message = format!(
                "browsers take no cookie for {domain} from {host}, the host of [server] public_url: it must be {domain} or a subdomain of it"
            );
            return refuse("cookie_domain", message);
        }
        Ok(())
    }
}

fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let (Some(host), port) = (uri.host(), uri.port_u16()) else { return false };
    let own_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let written = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let is_host = is_host_name(host) || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    is_host && authority == written && port != Some(own_port)
}

/// Lower case, and no address: browsers keep no cookie of a domain for one.
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    text.len() <= 253 && text.split('.').all(is_label) && text.parse::<IpAddr>().is_err()
}

fn is_within(host: &str, domain: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
