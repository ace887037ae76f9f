//! How the emulated Acuity behaves.

use serde::{Deserialize, Serialize};

/// Acuity's limit on requests a second.
const MAX_RPS: u64 = 10;

/// The settings of the emulated Acuity; by default it works as documented, fails at nothing and tells nobody.
///
/// Each `p_*` is a probability for one API request, from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AcuitySettings {
    /// The API's user: digits.
    pub user_id: String,
    /// The API's password. It signs webhooks too.
    pub api_key: String,
    /// Signs webhooks instead of `api_key`.
    pub signing_key: Option<String>,

    /// Where webhooks go, an `http://` URL. Without one there are none.
    pub webhook_target: Option<String>,
    /// Whether what happens from now on is told. On by default.
    pub webhooks: bool,
    /// Whether `changed` accompanies each more specific action.
    pub twins: Twins,
    /// `changed` takes the place of each more specific action.
    pub only_changed: bool,
    /// Actions are called `appointment.scheduled` instead of `scheduled`, and so on.
    pub prefixed_actions: bool,
    /// Each webhook is sent so many times more.
    pub repeats: u8,
    /// Each webhook waits a random time up to this, so that they overtake each other. Otherwise those of one
    /// appointment keep their order, except for retries.
    pub shuffle_ms: u64,
    /// After a failed try the next comes this much later; the wait doubles each time.
    pub retry_ms: u64,

    /// Each API request waits this long before it is looked at.
    pub latency_ms: u64,
    /// More API requests than this within one second are answered with HTTP 429 and `Retry-After: 1`; 0 sets no
    /// limit. 10 by default.
    pub max_rps: u64,
    /// HTTP 429 from the API.
    pub p_429: f64,
    /// HTTP 503 from the API.
    pub p_503: f64,
    /// Every API request is answered with HTTP 503.
    pub down: bool,
}

/// Whether a webhook `changed` is sent beside `scheduled`, `rescheduled` and `canceled`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Twins {
    /// It is not.
    #[default]
    None,
    /// Before the specific action.
    Before,
    /// After the specific action.
    After,
    /// Before or after, by chance.
    Either,
}

impl Default for AcuitySettings {
    fn default() -> Self {
        Self {
            user_id: "1".to_owned(),
            api_key: "sandbox-acuity-key".to_owned(),
            signing_key: None,
            webhook_target: None,
            webhooks: true,
            twins: Twins::None,
            only_changed: false,
            prefixed_actions: false,
            repeats: 0,
            shuffle_ms: 0,
            retry_ms: 500,
            latency_ms: 0,
            max_rps: MAX_RPS,
            p_429: 0.0,
            p_503: 0.0,
            down: false,
        }
    }
}

/// Why settings make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcuitySettingsError {
    /// A probability outside 0 to 1.
    #[error("{0} is a probability and must be between 0 and 1")]
    Probability(&'static str),
    /// A user that is no number.
    #[error("user_id must consist of digits")]
    UserId,
    /// A target that webhooks cannot be sent to.
    #[error("webhook_target must be a URL such as http://127.0.0.1:8080/api/webhooks/acuity/NAME")]
    Target,
}

impl AcuitySettings {
    /// Whether every setting makes sense.
    pub fn check(&self) -> Result<(), AcuitySettingsError> {
        let probabilities = [("p_429", self.p_429), ("p_503", self.p_503)];
        if let Some((name, _)) = probabilities.iter().find(|(_, p)| !(0.0..=1.0).contains(p)) {
            return Err(AcuitySettingsError::Probability(name));
        }
        if self.user_id.is_empty() || !self.user_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(AcuitySettingsError::UserId);
        }
        match &self.webhook_target {
            Some(target) if !is_http(target) => Err(AcuitySettingsError::Target),
            _ => Ok(()),
        }
    }

    /// What webhooks are signed with.
    pub(super) fn webhook_key(&self) -> &str {
        self.signing_key.as_deref().unwrap_or(&self.api_key)
    }
}

fn is_http(target: &str) -> bool {
    target.parse::<hyper::Uri>().is_ok_and(|uri| uri.scheme_str() == Some("http") && uri.host().is_some())
}
