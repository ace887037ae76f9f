//! Both platforms, played by the sandbox on a port of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use platform_sandbox::{Platform, PlatformReport, Sandbox, Settings, Verdict};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub(crate) const TIKTOK: Platform = Platform::TikTok;
pub(crate) const GOOGLE: Platform = Platform::GoogleAds;

/// A sandbox that answers until it is dropped.
pub(crate) struct Platforms {
    pub(crate) sandbox: Sandbox,
    pub(crate) base: String,
    server: JoinSet<io::Result<()>>,
}

impl Platforms {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let sandbox = Sandbox::new(7);
        let mut platforms = Self { sandbox, base, server: JoinSet::new() };
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

    /// What a user sets to reach both platforms here, and the queue.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let base = self.base.as_str();
        let token_url = format!("{base}/token");
        let variables = [
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
            ("QSTASH_URL", base),
            ("QSTASH_TOKEN", "sandbox-qstash-token"),
            ("QSTASH_CURRENT_SIGNING_KEY", "sig_current_sandbox"),
            ("QSTASH_NEXT_SIGNING_KEY", "sig_next_sandbox"),
            ("GOOGLE_ADS_CONVERSION_ACTIONS", "TRIAL_BOOKED=111,TRIAL_RESCHEDULED=111"),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    pub(crate) fn of(&self, platform: Platform) -> PlatformReport {
        let report = self.sandbox.report();
        match platform {
            Platform::TikTok => report.sinks.tiktok,
            Platform::GoogleAds => report.sinks.google_ads,
        }
    }

    /// The ids of everything that a platform accepted.
    pub(crate) fn ids(&self, platform: Platform) -> BTreeSet<String> {
        self.sandbox.ids(platform).into_iter().map(|seen| seen.id).collect()
    }

    /// Both platforms behave like this from now on.
    pub(crate) fn both(&self, settings: &Settings) {
        for platform in Platform::ALL {
            self.sandbox.configure(platform, settings.clone());
        }
    }

    /// Both platforms have exactly these conversions, each counted once.
    pub(crate) fn assert_counted_once(&self, ids: &BTreeSet<String>) {
        for platform in Platform::ALL {
            let name = platform.name();
            let accepted = self.ids(platform);
            let lost: Vec<_> = ids.difference(&accepted).take(5).collect();
            assert!(lost.is_empty(), "{name} never received {lost:?} and perhaps more");
            assert_eq!(accepted.len(), ids.len(), "{name} received what was never reported");
            let report = self.of(platform);
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
