//! How a platform behaves: faults, verdicts and what it takes for valid.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::Platform;

mod verdict;

pub use verdict::Verdict;

/// Google's usual life of an access token.
const TOKEN_LIFE_S: u64 = 3599;

/// Google's advice is to ask for a verdict after half an hour.
const PROCESSING_S: u64 = 1800;

/// The settings of one platform; by default it works as documented and fails at nothing.
///
/// Each `p_*` is a probability for one request, from 0 to 1. Faults strike before a request is processed, except for
/// [`p_lost_reply`](Self::p_lost_reply). They concern the conversion endpoints, not the token endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Each request waits this long before it is looked at.
    pub latency_ms: u64,
    /// Added to the latency: uniform between nothing and this.
    pub jitter_ms: u64,
    /// Too many requests: HTTP 429.
    pub p_429: f64,
    /// With every 429: a `Retry-After` header of so many seconds; none if absent.
    pub retry_after_s: Option<u64>,
    /// HTTP 500.
    pub p_500: f64,
    /// HTTP 503.
    pub p_503: f64,
    /// The token has expired: TikTok's code 40102, Google's HTTP 401.
    pub p_401: f64,
    /// The connection is cut before the request is processed.
    pub p_cut: f64,
    /// The request is processed, then the connection is cut: the caller never sees the answer.
    pub p_lost_reply: f64,
    /// A gateway's HTML with HTTP 502.
    pub p_html: f64,
    /// Every request is answered with HTTP 503.
    pub down: bool,
    /// Every request is taken and never answered.
    pub hang: bool,
    /// More requests than this within one second are answered with 429; 0 sets no limit.
    pub max_rps: u64,
    /// Verdicts on single events or rows, by `event_id` or `orderId`.
    pub verdicts: HashMap<String, Verdict>,
    /// An arrival this long after the first with its key is no longer deduplicated. TikTok and Meta: 48 hours unless
    /// set; Google: never unless set.
    pub dedup_window_s: Option<u64>,
    /// Once, when set: nothing accepted so far deduplicates any more.
    pub forget: bool,
    /// Moves the platform's clock.
    pub clock_offset_s: i64,

    /// TikTok: HTTP 200 with this code in the body and nothing accepted, by probability.
    pub codes: BTreeMap<u32, f64>,
    /// TikTok, Meta: the access tokens that are right; any, if empty.
    pub tokens: Vec<String>,
    /// TikTok, Meta: the pixels or datasets that the token may write to; any, if empty.
    pub pixels: Vec<String>,
    /// TikTok: a wrong pixel is a parameter error (40002) instead of a missing permission (40001).
    pub wrong_pixel_as_parameter_error: bool,
    /// TikTok, Google Data Manager: whether a refusal names the event by its index. On by default.
    pub name_index: bool,
    /// TikTok: web events without `page` are refused. Documented as required, yet not seen enforced: off by default.
    pub require_page: bool,

    /// Google: the refresh tokens that are right; any, if empty.
    pub refresh_tokens: Vec<String>,
    /// Google: the life of an access token.
    pub expires_in_s: u64,
    /// Google, once, when set: all access tokens issued so far are dead.
    pub revoke: bool,
    /// Google: the conversion actions that exist, by id or, at Google Ads, resource name; any, if empty.
    pub conversion_actions: Vec<String>,
    /// Google Ads: the account may send IP address, session attributes and conversion environment.
    pub allowlisted: bool,

    /// Google Data Manager: what it took is judged after so long. Half an hour by default.
    pub processing_s: u64,
    /// Google Data Manager: what it refuses later, by transaction id, and the reason, such as `CLICK_NOT_FOUND`.
    pub late_verdicts: HashMap<String, String>,
    /// Google Data Manager: whether a later verdict names the rows that it refuses. On by default.
    pub row_positions: bool,
    /// Google Data Manager: the tokens were granted for the Google Ads API alone.
    pub adwords_scope_only: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            jitter_ms: 0,
            p_429: 0.0,
            retry_after_s: None,
            p_500: 0.0,
            p_503: 0.0,
            p_401: 0.0,
            p_cut: 0.0,
            p_lost_reply: 0.0,
            p_html: 0.0,
            down: false,
            hang: false,
            max_rps: 0,
            verdicts: HashMap::new(),
            dedup_window_s: None,
            forget: false,
            clock_offset_s: 0,
            codes: BTreeMap::new(),
            tokens: Vec::new(),
            pixels: Vec::new(),
            wrong_pixel_as_parameter_error: false,
            name_index: true,
            require_page: false,
            refresh_tokens: Vec::new(),
            expires_in_s: TOKEN_LIFE_S,
            revoke: false,
            conversion_actions: Vec::new(),
            allowlisted: false,
            processing_s: PROCESSING_S,
            late_verdicts: HashMap::new(),
            row_positions: true,
            adwords_scope_only: false,
        }
    }
}

/// Why settings make no sense for a platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A probability outside 0 to 1.
    #[error("{name} is a probability and must be between 0 and 1")]
    Probability {
        /// The setting.
        name: String,
    },
    /// A value that a setting cannot take.
    #[error("{name} must be {range}")]
    OutOfRange {
        /// The setting.
        name: &'static str,
        /// What it can take.
        range: &'static str,
    },
    /// A setting of another platform.
    #[error("{name} has no meaning for {}", .platform.name())]
    Misplaced {
        /// The setting.
        name: &'static str,
        /// The platform it was given for.
        platform: Platform,
    },
    /// A verdict in another platform's form.
    #[error("the verdict on {id:?} is not one of {}: {}", .platform.name(), Verdict::form(*.platform))]
    ForeignVerdict {
        /// The id it was given for.
        id: String,
        /// The platform it was given for.
        platform: Platform,
    },
}

impl Settings {
    /// Whether every setting makes sense for this platform.
    pub fn check(&self, platform: Platform) -> Result<(), SettingsError> {
        if let Some(name) = self.odd_probability() {
            return Err(SettingsError::Probability { name });
        }
        if let Some(name) = self.misplaced(platform) {
            return Err(SettingsError::Misplaced { name, platform });
        }
        match self.verdicts.iter().find(|(_, verdict)| verdict.platform() != platform) {
            Some((id, _)) => Err(SettingsError::ForeignVerdict { id: id.clone(), platform }),
            None => Ok(()),
        }
    }

    fn odd_probability(&self) -> Option<String> {
        let named = [
            ("p_429", self.p_429),
            ("p_500", self.p_500),
            ("p_503", self.p_503),
            ("p_401", self.p_401),
            ("p_cut", self.p_cut),
            ("p_lost_reply", self.p_lost_reply),
            ("p_html", self.p_html),
        ];
        let named = named.into_iter().map(|(name, p)| (name.to_owned(), p));
        let codes = self.codes.iter().map(|(code, p)| (format!("codes.{code}"), *p));
        named.chain(codes).find(|(_, p)| !(0.0..=1.0).contains(p)).map(|(name, _)| name)
    }

    fn misplaced(&self, platform: Platform) -> Option<&'static str> {
        use Platform::{GoogleAds, GoogleDataManager, Meta, TikTok};
        let own: [(&str, bool, &[Platform]); 15] = [
            ("codes", !self.codes.is_empty(), &[TikTok]),
            ("tokens", !self.tokens.is_empty(), &[TikTok, Meta]),
            ("pixels", !self.pixels.is_empty(), &[TikTok, Meta]),
            ("wrong_pixel_as_parameter_error", self.wrong_pixel_as_parameter_error, &[TikTok]),
            ("name_index", !self.name_index, &[TikTok, GoogleDataManager]),
            ("require_page", self.require_page, &[TikTok]),
            ("refresh_tokens", !self.refresh_tokens.is_empty(), &[GoogleAds]),
            ("expires_in_s", self.expires_in_s != TOKEN_LIFE_S, &[GoogleAds]),
            ("revoke", self.revoke, &[GoogleAds, GoogleDataManager]),
            ("conversion_actions", !self.conversion_actions.is_empty(), &[GoogleAds, GoogleDataManager]),
            ("allowlisted", self.allowlisted, &[GoogleAds]),
            ("processing_s", self.processing_s != PROCESSING_S, &[GoogleDataManager]),
            ("late_verdicts", !self.late_verdicts.is_empty(), &[GoogleDataManager]),
            ("row_positions", !self.row_positions, &[GoogleDataManager]),
            ("adwords_scope_only", self.adwords_scope_only, &[GoogleDataManager]),
        ];
        own.into_iter().find(|(_, set, of)| *set && !of.contains(&platform)).map(|(name, ..)| name)
    }
}
