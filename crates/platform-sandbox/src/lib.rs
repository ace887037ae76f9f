//! Strict emulators of the ad platforms' HTTP APIs, and of a booking system's, with faults on demand.
//!
//! One [`Sandbox`] answers TikTok's Events API (`event/track`), Google's OAuth token endpoint and Google Ads'
//! `uploadClickConversions` and `uploadConversionAdjustments`, and the Data Manager API's `events:ingest` with the
//! status that it gives later, and Meta's `events`, on one listener. It refuses what the platforms refuse, in their own words; it remembers
//! what it accepted, so that a [`Report`] can say what arrived, what was deduplicated and what was counted twice; and
//! it can be told to be slow, to fail, to cut connections or to forget ([`Settings`]).
//!
//! Beside the platforms it plays Upstash [QStash](Qstash), the queue that takes messages under `/v2/` and calls back:
//! signed, retried, and with faults of its own ([`QstashSettings`]).
//!
//! It is written from the platforms' documentation alone and shares no code with the senders it tests: a mistake in
//! one is not hidden by the other. Where the documentation leaves a choice, the sandbox takes the stricter side, as
//! long as a correct sender never notices.
//!
//! On the same listener it plays Acuity Scheduling ([`Acuity`]): appointments are booked, moved, cancelled and edited
//! from here, shown by Acuity's API under `/api/v1`, and told to [`AcuitySettings::webhook_target`] by signed webhooks:
//! late, twice, out of order or only as `changed`, if so told.
//!
//! Besides the platforms' own paths the listener takes control requests: `GET /__report`, `GET /__ids?sink=NAME`,
//! `POST /__config`, `POST /__reset` and `POST /__acuity/{book,reschedule,cancel,edit}`. They are the HTTP form of
//! [`Sandbox::report`], [`Sandbox::ids`], [`Sandbox::configure`] with [`Acuity::configure`] and [`Qstash::configure`],
//! [`Sandbox::reset`], and of what [`Acuity`] can do.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! use platform_sandbox::{Platform, Sandbox, Settings};
//!
//! let sandbox = Sandbox::new(1);
//! sandbox.configure(Platform::TikTok, Settings { p_lost_reply: 0.1, ..Settings::default() });
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! sandbox.serve(listener, std::future::pending()).await?;
//! assert_eq!(sandbox.report().sinks.tiktok.counted_twice, 0);
//! # Ok(())
//! # }
//! ```

mod acuity;
mod chance;
mod clock;
mod control;
mod data_manager;
mod exchange;
mod faults;
mod google_ads;
mod memory;
mod meta;
mod outgoing;
mod platform;
mod qstash;
mod reply;
mod report;
mod server;
mod settings;
mod state;
mod tally;
mod tiktok;

use std::sync::Arc;

use tokio::net::TcpListener;

pub use acuity::{
    Acuity, AcuityError, AcuityReport, AcuitySettings, AcuitySettingsError, Booking, Edit, Twins,
};
pub use platform::Platform;
pub use qstash::{Qstash, QstashReport, QstashSettings, SigningKeys};
pub use report::{Judged, PlatformReport, Report, SeenId, Sinks};
pub use settings::{Settings, SettingsError, Verdict};
use state::State;

/// All emulated platforms with what they remember; clones share it.
#[derive(Clone, Debug)]
pub struct Sandbox {
    state: Arc<State>,
}

impl Sandbox {
    /// A sandbox that has seen nothing and fails at nothing.
    ///
    /// The same seed and the same order of requests give the same faults.
    pub fn new(seed: u64) -> Self {
        Self { state: Arc::new(State::new(seed)) }
    }

    /// Answers on `listener` until `shutdown` completes; then drops every open connection.
    ///
    /// Fails only when the listener itself keeps failing.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> std::io::Result<()> {
        server::serve(&self.state, listener, shutdown).await
    }

    /// What arrived since the start or the last [`reset`](Self::reset), and what became of it.
    pub fn report(&self) -> Report {
        self.state.report()
    }

    /// Replaces the settings of one platform.
    ///
    /// Settings that belong to another platform have no effect here; `POST /__config` refuses them.
    pub fn configure(&self, platform: Platform, settings: Settings) {
        self.state.configure(platform, settings);
    }

    /// The queue that calls back.
    pub fn qstash(&self) -> Qstash {
        Qstash { state: Arc::clone(&self.state) }
    }

    /// Every accepted `event_id`, `orderId` or `transactionId`, in no particular order.
    pub fn ids(&self, platform: Platform) -> Vec<SeenId> {
        self.state.of(platform).ids()
    }

    /// The emulated Acuity.
    pub fn acuity(&self) -> Acuity {
        Acuity::new(Arc::clone(&self.state))
    }

    /// Empties every tally, the memory of ids and Acuity's appointments, drops the queue's messages, and restarts the
    /// random sequence; settings, tokens and keys stay.
    pub fn reset(&self) {
        self.state.reset();
    }
}
