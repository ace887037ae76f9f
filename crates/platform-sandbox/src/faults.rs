//! Which fault, if any, strikes a request.

use std::time::Duration;

use crate::Platform;
use crate::chance::Chance;
use crate::settings::Settings;

/// What happens to a request instead of being processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Never answered.
    Hang,
    /// The connection is cut.
    Cut,
    /// 503.
    Unavailable,
    /// 429.
    TooManyRequests,
    /// 500.
    Internal,
    /// 502 with a gateway's HTML.
    Html,
    /// The platform's words for an expired token.
    Unauthorized,
    /// TikTok: HTTP 200 with this code.
    Code(u32),
}

/// The fault for one request; `over_limit` when too many came within this second.
pub(crate) fn strike(
    platform: Platform,
    settings: &Settings,
    over_limit: bool,
    chance: &Chance,
) -> Option<Fault> {
    let candidates = [
        (settings.hang, Fault::Hang),
        (settings.down, Fault::Unavailable),
        (chance.hit(settings.p_cut), Fault::Cut),
        (over_limit || chance.hit(settings.p_429), Fault::TooManyRequests),
        (chance.hit(settings.p_500), Fault::Internal),
        (chance.hit(settings.p_503), Fault::Unavailable),
        (chance.hit(settings.p_html), Fault::Html),
        (chance.hit(settings.p_401), Fault::Unauthorized),
    ];
    let struck = candidates.into_iter().find_map(|(strikes, fault)| strikes.then_some(fault));
    match platform {
        Platform::TikTok => struck.or_else(|| code(settings, chance)),
        Platform::GoogleAds | Platform::GoogleDataManager | Platform::Meta => struck,
    }
}

fn code(settings: &Settings, chance: &Chance) -> Option<Fault> {
    settings
        .codes
        .iter()
        .find(|(_, probability)| chance.hit(**probability))
        .map(|(code, _)| Fault::Code(*code))
}

/// How long a request waits before it is looked at.
pub(crate) fn delay(settings: &Settings, chance: &Chance) -> Duration {
    let fixed = Duration::from_millis(settings.latency_ms);
    match settings.jitter_ms {
        0 => fixed,
        jitter => fixed + Duration::from_millis(jitter).mul_f64(chance.draw()),
    }
}
