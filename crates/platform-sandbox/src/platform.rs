//! Which platforms are emulated.

/// An emulated platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// TikTok Events API v1.3, `event/track`.
    TikTok,
    /// Google Ads API, `uploadClickConversions` and `uploadConversionAdjustments`.
    GoogleAds,
    /// Google Data Manager API, `events:ingest` and `requestStatus:retrieve`.
    GoogleDataManager,
    /// Meta Conversions API, `events`.
    Meta,
}

impl Platform {
    /// Every platform, in the order of the report.
    pub const ALL: [Self; 4] = [Self::TikTok, Self::GoogleAds, Self::GoogleDataManager, Self::Meta];

    /// The name in reports and control requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::TikTok => "tiktok",
            Self::GoogleAds => "google-ads",
            Self::GoogleDataManager => "google-data-manager",
            Self::Meta => "meta",
        }
    }

    /// The platform of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.name() == name)
    }
}
