//! The platforms, played by the sandbox on a port of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use platform_sandbox::{Platform, PlatformReport, Sandbox, Settings, Verdict};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub(crate) const TIKTOK: Platform = Platform::TikTok;
pub(crate) const GOOGLE: Platform = Platform::GoogleAds;
pub(crate) const DATA_MANAGER: Platform = Platform::GoogleDataManager;
pub(crate) const META: Platform = Platform::Meta;

/// The platforms of a service in this process, unless its file names others.
pub(crate) const BOTH: &[Platform] = &[TIKTOK, GOOGLE];
/// Every platform that there is a sink for.
pub(crate) const ALL: &[Platform] = &Platform::ALL;

/// What stands before ids at Google Data Manager, which takes none of digits alone.
const PREFIX: &str = "sb-";

/// A sandbox that answers until it is dropped.
pub(crate) struct Platforms {
    pub(crate) sandbox: Sandbox,
    pub(crate) base: String,
    /// Those that events are told to.
    pub(crate) told: &'static [Platform],
    server: JoinSet<io::Result<()>>,
}

impl Platforms {
    /// Those of a service that names none.
    pub(crate) async fn start() -> Self {
        Self::telling(BOTH).await
    }

    /// These are told.
    pub(crate) async fn telling(told: &'static [Platform]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let sandbox = Sandbox::new(7);
        let mut platforms = Self { sandbox, base, told, server: JoinSet::new() };
        platforms.serve(listener);
        platforms
    }

    fn serve(&mut self, listener: TcpListener) {
        let serving = self.sandbox.clone();
        self.server.spawn(async move { serving.serve(listener, std::future::pending()).await });
    }

    /// Drops every open connection, and answers again where it was.
    pub(crate) async fn drop_connections(&mut self) {
        self.server.shutdown().await;
        let listener = TcpListener::bind(self.base.trim_start_matches("http://")).await.unwrap();
        self.serve(listener);
    }

    /// The sinks of the platforms that events are told to.
    pub(crate) fn sinks(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.told.iter().map(|platform| platform.name())
    }

    /// What a user sets to reach the platforms here, and the queue.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let base = self.base.as_str();
        let token_url = format!("{base}/token");
        let sinks = self.sinks().collect::<Vec<_>>().join(",");
        let variables = [
            ("SIGNALBOX_SINKS", sinks.as_str()),
            ("TIKTOK_BASE_URL", base),
            ("TIKTOK_PIXEL_ID", "CXXX"),
            ("TIKTOK_ACCESS_TOKEN", "tiktok-token"),
            ("TIKTOK_PARTNER_NAME", "VirtuAnalytics"),
            ("GOOGLE_ADS_BASE_URL", base),
            ("GOOGLE_ADS_TOKEN_URL", &token_url),
            ("GOOGLE_ADS_CLIENT_ID", "google-client"),
            ("GOOGLE_ADS_CLIENT_SECRET", "google-secret"),
            ("GOOGLE_ADS_REFRESH_TOKEN", "google-refresh"),
            ("GOOGLE_ADS_CUSTOMER_ID", "123-456-7890"),
            ("GOOGLE_DATA_MANAGER_BASE_URL", base),
            ("GOOGLE_DATA_MANAGER_TOKEN_URL", &token_url),
            ("GOOGLE_DATA_MANAGER_CLIENT_ID", "google-client"),
            ("GOOGLE_DATA_MANAGER_CLIENT_SECRET", "google-secret"),
            ("GOOGLE_DATA_MANAGER_REFRESH_TOKEN", "google-refresh"),
            ("GOOGLE_DATA_MANAGER_OPERATING_ACCOUNT", "123-456-7890"),
            ("GOOGLE_DATA_MANAGER_CONVERSION_ACTION", "333"),
            ("GOOGLE_DATA_MANAGER_CONVERSION_ACTIONS", "TRIAL_RESCHEDULED=333"),
            ("META_BASE_URL", base),
            ("META_DATASET_ID", "1234567890"),
            ("META_ACCESS_TOKEN", "meta-token"),
            ("QSTASH_URL", base),
            ("QSTASH_TOKEN", "sandbox-qstash-token"),
            ("QSTASH_CURRENT_SIGNING_KEY", "sig_current_sandbox"),
            ("QSTASH_NEXT_SIGNING_KEY", "sig_next_sandbox"),
            ("GOOGLE_ADS_CONVERSION_ACTIONS", "TRIAL_BOOKED=111,TRIAL_RESCHEDULED=111"),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    pub(crate) fn of(&self, platform: Platform) -> PlatformReport {
        self.sandbox.report().sinks.of(platform).clone()
    }

    /// The ids of everything that a platform accepted, as they were reported.
    pub(crate) fn ids(&self, platform: Platform) -> BTreeSet<String> {
        let reported = |id: String| id.strip_prefix(PREFIX).map(str::to_owned).unwrap_or(id);
        self.sandbox.ids(platform).into_iter().map(|seen| reported(seen.id)).collect()
    }

    /// All of them behave like this from now on.
    pub(crate) fn all(&self, settings: &Settings) {
        for platform in self.told {
            self.sandbox.configure(*platform, settings.clone());
        }
    }

    /// A number of each of their reports.
    pub(crate) fn each(&self, number: impl Fn(&PlatformReport) -> u64) -> Vec<u64> {
        self.told.iter().map(|platform| number(&self.of(*platform))).collect()
    }

    /// All of them have exactly these conversions, each counted once.
    pub(crate) fn assert_counted_once(&self, ids: &BTreeSet<String>) {
        for platform in self.told {
            let name = platform.name();
            let accepted = self.ids(*platform);
            let lost: Vec<_> = ids.difference(&accepted).take(5).collect();
            assert!(lost.is_empty(), "{name} never received {lost:?} and perhaps more");
            assert_eq!(accepted.len(), ids.len(), "{name} received what was never reported");
            let report = self.of(*platform);
            assert_eq!(report.counted_twice, 0, "{name}: {report:?}");
            assert_eq!(report.received - report.deduplicated, ids.len() as u64, "{name}: {report:?}");
        }
    }
}

/// TikTok refuses whatever holds this event.
pub(crate) fn tiktok_verdict(id: &str, code: u32, message: &str) -> (String, Verdict) {
    (id.to_owned(), Verdict::TikTok { code, message: Some(message.to_owned()), times: None })
}

/// Google refuses this row.
pub(crate) fn google_verdict(id: &str, code: &str, message: &str) -> (String, Verdict) {
    let family = "conversionUploadError".to_owned();
    let (code, message) = (code.to_owned(), Some(message.to_owned()));
    (id.to_owned(), Verdict::GoogleAds { family, code, message, times: None })
}

/// Google Data Manager names this event as a reason to refuse the request.
pub(crate) fn data_manager_verdict(id: &str, reason: &str, message: &str) -> (String, Verdict) {
    let (reason, message) = (reason.to_owned(), Some(message.to_owned()));
    (format!("{PREFIX}{id}"), Verdict::GoogleDataManager { reason, message, times: None })
}

/// Meta refuses whatever holds this event, and names nobody.
pub(crate) fn meta_verdict(id: &str, message: &str) -> (String, Verdict) {
    let message = Some(message.to_owned());
    (id.to_owned(), Verdict::Meta { code: 100, subcode: 2_804_001, message, times: None })
}
