//! A verdict that the sandbox is told to give on one event or row.

use serde::{Deserialize, Serialize};

use crate::Platform;

/// What is said about one id instead of accepting it, optionally only the first few times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Verdict {
    /// TikTok: the whole request is refused with this code.
    TikTok {
        /// The `code` of the answer.
        code: u32,
        /// What is said about the event.
        message: Option<String>,
        /// So often; always, if absent.
        times: Option<u32>,
    },
    /// Google Ads: the row fails with this error.
    GoogleAds {
        /// The error family, such as `conversionUploadError`.
        family: String,
        /// The error code, such as `TOO_RECENT_EVENT`.
        code: String,
        /// What is said about the row.
        message: Option<String>,
        /// So often; always, if absent.
        times: Option<u32>,
    },
    /// Meta: the whole request is refused with this code.
    Meta {
        /// The `code` of the error.
        code: u32,
        /// Its `error_subcode`.
        subcode: i64,
        /// What is said about the event.
        message: Option<String>,
        /// So often; always, if absent.
        times: Option<u32>,
    },
    /// Google Data Manager: the event is named as the reason why the request is refused.
    GoogleDataManager {
        /// The reason, such as `INVALID_EVENT`.
        reason: String,
        /// What is said about the event.
        message: Option<String>,
        /// So often; always, if absent.
        times: Option<u32>,
    },
}

impl Verdict {
    /// The platform that can give it.
    pub fn platform(&self) -> Platform {
        match self {
            Self::TikTok { .. } => Platform::TikTok,
            Self::GoogleAds { .. } => Platform::GoogleAds,
            Self::GoogleDataManager { .. } => Platform::GoogleDataManager,
            Self::Meta { .. } => Platform::Meta,
        }
    }

    /// How often it is given; always, if absent.
    pub fn times(&self) -> Option<u32> {
        match self {
            Self::TikTok { times, .. }
            | Self::GoogleAds { times, .. }
            | Self::GoogleDataManager { times, .. }
            | Self::Meta { times, .. } => *times,
        }
    }

    /// How a verdict of this platform is written.
    pub(super) fn form(platform: Platform) -> &'static str {
        match platform {
            Platform::TikTok => r#"{"code": 40002, "message": "…", "times": 1}"#,
            Platform::GoogleAds => {
                r#"{"family": "conversionUploadError", "code": "TOO_RECENT_EVENT", "message": "…", "times": 1}"#
            }
            Platform::GoogleDataManager => r#"{"code": "INVALID_EVENT", "message": "…", "times": 1}"#,
            Platform::Meta => r#"{"code": 100, "subcode": 2804003, "message": "…", "times": 1}"#,
        }
    }
}

/// The common JSON form of all verdicts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    family: Option<String>,
    code: Code,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subcode: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "a number (TikTok, Meta) or a name (Google)")]
enum Code {
    Number(u32),
    Name(String),
}

/// A verdict that is no platform's.
#[derive(Debug, thiserror::Error)]
#[error(
    "a verdict has a code that is a number (TikTok; Meta, with a subcode) or a name (Google Data Manager), or a family \
     and a code that are names (Google Ads)"
)]
struct NoForm;

impl TryFrom<Written> for Verdict {
    type Error = NoForm;

    fn try_from(written: Written) -> Result<Self, NoForm> {
        let Written { family, code, subcode, message, times } = written;
        match (family, code, subcode) {
            (None, Code::Number(code), None) => Ok(Self::TikTok { code, message, times }),
            (None, Code::Number(code), Some(subcode)) => Ok(Self::Meta { code, subcode, message, times }),
            (Some(family), Code::Name(code), None) => Ok(Self::GoogleAds { family, code, message, times }),
            (None, Code::Name(reason), None) => Ok(Self::GoogleDataManager { reason, message, times }),
            _ => Err(NoForm),
        }
    }
}

impl From<Verdict> for Written {
    fn from(verdict: Verdict) -> Self {
        let (family, code, subcode, message, times) = match verdict {
            Verdict::TikTok { code, message, times } => (None, Code::Number(code), None, message, times),
            Verdict::Meta { code, subcode, message, times } => {
                (None, Code::Number(code), Some(subcode), message, times)
            }
            Verdict::GoogleAds { family, code, message, times } => {
                (Some(family), Code::Name(code), None, message, times)
            }
            Verdict::GoogleDataManager { reason, message, times } => {
                (None, Code::Name(reason), None, message, times)
            }
        };
        Self { family, code, subcode, message, times }
    }
}
