//! What all connections share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::acuity;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::data_manager::Requests;
use crate::google_ads::AccessTokens;
use crate::qstash;
use crate::report::{PlatformReport, Report, SeenId, Sinks};
use crate::settings::Settings;
use crate::tally::Tally;
use crate::{Platform, reply::Reply};

/// So many different unknown paths are told apart; more would let a stray scanner fill the memory.
const UNKNOWN_PATHS: usize = 100;

/// Everything behind a [`Sandbox`](crate::Sandbox).
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) chance: Chance,
    clock: Clock,
    tiktok: PlatformState,
    google_ads: PlatformState,
    google_data_manager: PlatformState,
    meta: PlatformState,
    ingested: Mutex<Requests>,
    pub(crate) acuity: acuity::Account,
    pub(crate) qstash: qstash::Account,
    access_tokens: Mutex<AccessTokens>,
    token_requests: AtomicU64,
    unknown_paths: Mutex<BTreeMap<String, u64>>,
}

impl State {
    pub(crate) fn new(seed: u64) -> Self {
        let clock = Clock::start();
        Self {
            chance: Chance::new(seed),
            acuity: acuity::Account::new(clock.now_us(0)),
            clock,
            tiktok: PlatformState::default(),
            google_ads: PlatformState::default(),
            google_data_manager: PlatformState::default(),
            meta: PlatformState::default(),
            ingested: Mutex::default(),
            qstash: qstash::Account::new(),
            access_tokens: Mutex::default(),
            token_requests: AtomicU64::new(0),
            unknown_paths: Mutex::default(),
        }
    }

    pub(crate) fn of(&self, platform: Platform) -> &PlatformState {
        match platform {
            Platform::TikTok => &self.tiktok,
            Platform::GoogleAds => &self.google_ads,
            Platform::GoogleDataManager => &self.google_data_manager,
            Platform::Meta => &self.meta,
        }
    }

    /// The time as a platform with these settings sees it.
    pub(crate) fn now_us(&self, settings: &Settings) -> u64 {
        self.moved_clock_us(settings.clock_offset_s)
    }

    /// The sandbox's own time, in microseconds since 1970.
    pub(crate) fn clock_us(&self) -> u64 {
        self.moved_clock_us(0)
    }

    pub(crate) fn moved_clock_us(&self, offset_s: i64) -> u64 {
        self.clock.now_us(offset_s)
    }

    pub(crate) fn ingested(&self) -> MutexGuard<'_, Requests> {
        lock(&self.ingested)
    }

    pub(crate) fn access_tokens(&self) -> MutexGuard<'_, AccessTokens> {
        lock(&self.access_tokens)
    }

    pub(crate) fn configure(&self, platform: Platform, settings: Settings) {
        if settings.revoke {
            self.access_tokens().revoke_all();
        }
        self.of(platform).configure(settings);
    }

    pub(crate) fn reset(&self) {
        for platform in Platform::ALL {
            *self.of(platform).tally() = Tally::default();
        }
        self.ingested().clear();
        self.acuity.reset();
        self.qstash.reset();
        lock(&self.unknown_paths).clear();
        self.token_requests.store(0, Relaxed);
        self.chance.restart();
    }

    pub(crate) fn token_requested(&self) {
        self.token_requests.fetch_add(1, Relaxed);
    }

    pub(crate) fn unknown_path(&self, method: &str, path: &str) {
        let mut paths = lock(&self.unknown_paths);
        let name = format!("{method} {path}");
        if paths.len() < UNKNOWN_PATHS || paths.contains_key(&name) {
            *paths.entry(name).or_default() += 1;
        }
    }

    pub(crate) fn report(&self) -> Report {
        let data_manager = self.google_data_manager.settings();
        let judged = self.ingested().judged(&data_manager, self.now_us(&data_manager));
        Report {
            sinks: Sinks {
                tiktok: self.tiktok.report(),
                google_ads: self.google_ads.report(),
                google_data_manager: PlatformReport {
                    judged: Some(judged),
                    ..self.google_data_manager.report()
                },
                meta: self.meta.report(),
            },
            acuity: self.acuity.report(),
            qstash: self.qstash.report(),
            token_requests: self.token_requests.load(Relaxed),
            unknown_paths: lock(&self.unknown_paths).clone(),
        }
    }
}

/// One platform's settings and account.
#[derive(Debug, Default)]
pub(crate) struct PlatformState {
    settings: Mutex<Arc<Settings>>,
    tally: Mutex<Tally>,
    in_flight: AtomicU64,
}

impl PlatformState {
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&lock(&self.settings))
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        lock(&self.tally)
    }

    pub(crate) fn ids(&self) -> Vec<SeenId> {
        self.tally().ids()
    }

    fn report(&self) -> PlatformReport {
        PlatformReport { in_flight: self.in_flight.load(Relaxed), ..self.tally().report() }
    }

    /// Notes what a request is answered.
    pub(crate) fn answered(&self, reply: &Reply) {
        self.tally().outcome(reply.outcome());
    }

    /// Counts a request as in flight until the guard is dropped, which a caller hanging up does too.
    pub(crate) fn enter(&self) -> InFlight<'_> {
        InFlight { among: self.in_flight.fetch_add(1, Relaxed) + 1, all: &self.in_flight }
    }

    fn configure(&self, settings: Settings) {
        self.tally().reconfigured(settings.forget);
        *lock(&self.settings) = Arc::new(settings);
    }
}

/// A request in flight.
#[derive(Debug)]
pub(crate) struct InFlight<'a> {
    /// How many there were when this one began, itself included.
    pub(crate) among: u64,
    all: &'a AtomicU64,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Relaxed);
    }
}

/// A panic elsewhere leaves counters at worst one short; that is no reason to stop answering.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
