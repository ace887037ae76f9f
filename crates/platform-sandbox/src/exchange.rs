//! One request at a platform: delay, faults, then the platform's own answer.

use bytes::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;

use crate::faults::{self, Fault};
use crate::reply::Reply;
use crate::server::Cut;
use crate::settings::Settings;
use crate::state::State;
use crate::{Platform, data_manager, google_ads, meta, tiktok};

/// A request that was read to its end.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// A header's value; none if it is missing or not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// Whether the body is declared as this media type, whatever its parameters.
    pub(crate) fn is_of_type(&self, media_type: &str) -> bool {
        let declared = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        declared.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
    }
}

/// What an emulator works with while it answers one call.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) state: &'a State,
    pub(crate) settings: &'a Settings,
    pub(crate) call: &'a Call,
    /// The platform's own time, in microseconds since 1970.
    pub(crate) now_us: u64,
}

pub(crate) async fn run(state: &State, platform: Platform, call: &Call) -> Result<Reply, Cut> {
    let own = state.of(platform);
    let settings = own.settings();
    let in_flight = own.enter();
    let delay = faults::delay(&settings, &state.chance);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let now_us = state.now_us(&settings);
    let this_second = own.tally().request(now_us, in_flight.among);
    let desk = Desk { state, settings: &settings, call, now_us };
    let over_limit = settings.max_rps > 0 && this_second > settings.max_rps;
    let reply = match faults::strike(platform, &settings, over_limit, &state.chance) {
        Some(Fault::Hang) => {
            own.tally().outcome("hang".to_owned());
            std::future::pending().await
        }
        Some(Fault::Cut) => {
            own.tally().outcome("cut".to_owned());
            return Err(Cut);
        }
        Some(fault) => failure(platform, fault, &desk),
        None => {
            let reply = process(platform, &desk);
            if state.chance.hit(settings.p_lost_reply) {
                own.tally().outcome("lost_reply".to_owned());
                return Err(Cut);
            }
            reply
        }
    };
    own.answered(&reply);
    Ok(reply)
}

fn process(platform: Platform, desk: &Desk<'_>) -> Reply {
    match platform {
        Platform::TikTok => tiktok::track(desk),
        Platform::GoogleAds => google_ads::upload(desk),
        Platform::GoogleDataManager => data_manager::ingest(desk),
        Platform::Meta => meta::events(desk),
    }
}

fn failure(platform: Platform, fault: Fault, desk: &Desk<'_>) -> Reply {
    match platform {
        Platform::TikTok => tiktok::failure(fault, desk),
        Platform::GoogleAds => google_ads::failure(fault, desk),
        Platform::GoogleDataManager => data_manager::failure(fault, desk),
        Platform::Meta => meta::failure(fault, desk),
    }
}
