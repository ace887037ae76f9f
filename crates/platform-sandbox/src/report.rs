//! What a sandbox tells about what it has seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::acuity::AcuityReport;
use crate::{Platform, QstashReport};

/// Everything that arrived since the start or the last reset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What each platform received.
    pub sinks: Sinks,
    /// What happened at Acuity.
    pub acuity: AcuityReport,
    /// What QStash was given to deliver.
    pub qstash: QstashReport,
    /// Requests at Google's token endpoint.
    pub token_requests: u64,
    /// Requests for what no platform offers, by method and path (at most 100 different ones).
    pub unknown_paths: BTreeMap<String, u64>,
}

/// One report per platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sinks {
    /// TikTok Events API.
    pub tiktok: PlatformReport,
    /// Google Ads API.
    #[serde(rename = "google-ads")]
    pub google_ads: PlatformReport,
    /// Google Data Manager API.
    #[serde(rename = "google-data-manager")]
    pub google_data_manager: PlatformReport,
    /// Meta Conversions API.
    pub meta: PlatformReport,
}

impl Sinks {
    /// That of one platform.
    pub fn of(&self, platform: Platform) -> &PlatformReport {
        match platform {
            Platform::TikTok => &self.tiktok,
            Platform::GoogleAds => &self.google_ads,
            Platform::GoogleDataManager => &self.google_data_manager,
            Platform::Meta => &self.meta,
        }
    }
}

/// How a platform judged later what it had accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Items that it is still at.
    pub processing: u64,
    /// Items that it counted.
    pub confirmed: u64,
    /// Items that it refused after all. They stay in `received` and `unique`.
    pub refused: u64,
}

/// What one platform received and what became of it.
///
/// `received - deduplicated` is what the platform counted; `received - deduplicated - counted_twice` is how many
/// different conversions that were. An item is an event or a row; a conversion is an `event_id` at a pixel, or an
/// `orderId` at a customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlatformReport {
    /// Requests, answered or not.
    pub requests: u64,
    /// Requests by what they were answered: `status`, `status/code`, or `cut`, `lost_reply`, `hang`.
    pub by_outcome: BTreeMap<String, u64>,
    /// Items accepted, whether or not the answer reached the caller; every arrival counts.
    pub received: u64,
    /// Different dedup keys counted.
    pub unique: u64,
    /// Arrivals that the platform's own dedup absorbed.
    pub deduplicated: u64,
    /// Arrivals counted although the conversion had been counted: after the window, or under another key.
    pub counted_twice: u64,
    /// Items read and refused.
    pub rejected: u64,
    /// Google: adjustments accepted or found done before; every arrival counts. They are not in `received`.
    pub adjusted: u64,
    /// Google: conversions retracted, each once. They stay in `received` and `unique`.
    pub retracted: u64,
    /// Items accepted without anything to deduplicate them by.
    pub without_id: u64,
    /// Most items in one request that was read.
    pub max_batch: u64,
    /// Items per request that was read.
    pub mean_batch: f64,
    /// Requests under way now.
    pub in_flight: u64,
    /// Most requests at the same time.
    pub max_in_flight: u64,
    /// Items accepted, by TikTok event name or the id of the Google conversion action.
    pub by_event: BTreeMap<String, u64>,
    /// Google Data Manager: how it judged later what it had accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
}

/// An accepted `event_id` or `orderId`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenId {
    /// The id.
    pub id: String,
    /// How often it was accepted.
    pub count: u64,
    /// When it first was, in microseconds since 1970 by the platform's clock.
    pub first_us: u64,
    /// Whether a conversion under it was retracted.
    pub retracted: bool,
}
