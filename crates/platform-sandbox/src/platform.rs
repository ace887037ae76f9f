//! Which platforms are emulated.

/// An emulated platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// TikTok Events API v1.3, `event/track`.
    TikTok,
    /// Google Ads API, `uploadClickConversions` and `uploadConversionAdjustments`.
    GoogleAds,
}

impl Platform {
    /// Every platform, in the order of the report.
    pub const ALL: [Self; 2] = [Self::TikTok, Self::GoogleAds];

    /// The name in reports and control requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::TikTok => "tiktok",
            Self::GoogleAds => "google-ads",
        }
    }

    /// The platform of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.name() == name)
    }
}
