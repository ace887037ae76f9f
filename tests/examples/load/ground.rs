//! A service with both platforms, and what is reported to it.

use std::collections::BTreeMap;
use std::time::Duration;

use platform_sandbox::{Platform, Settings};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::harness::{Api, Counts, Platforms, Program, many};

/// Events in one report of many.
const REPORT: usize = 500;
/// Callers that report many events at once.
const CALLERS: usize = 4;
/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// Both platforms, and a store in a folder of its own.
pub(crate) struct Ground {
    pub(crate) platforms: Platforms,
    environment: BTreeMap<String, String>,
    _folder: TempDir,
}

impl Ground {
    pub(crate) async fn new() -> Self {
        let platforms = Platforms::start().await;
        let folder = tempfile::tempdir().unwrap();
        let mut environment = platforms.environment();
        let store = folder.path().join("signalbox.db");
        environment.insert("SIGNALBOX_STORE".to_owned(), format!("sqlite://{}", store.display()));
        Self { platforms, environment, _folder: folder }
    }

    pub(crate) async fn serve(&self) -> Program {
        Program::serve(&self.environment).await
    }

    /// From now on the platform takes every request and answers none, or works.
    pub(crate) fn hang(&self, platform: Platform, hang: bool) {
        self.platforms.sandbox.configure(platform, Settings { hang, ..Settings::default() });
    }
}

/// Reports `count` events, many at a time, with ids of `prefix` and a number.
pub(crate) async fn report(api: &Api, prefix: &'static str, count: usize) {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let api = api.clone();
        callers.spawn(async move {
            for report in (caller..count.div_ceil(REPORT)).step_by(CALLERS) {
                let events = REPORT.min(count - report * REPORT);
                api.report(&many(&format!("{prefix}-{report}"), events)).await;
            }
        });
    }
    while let Some(done) = callers.join_next().await {
        done.unwrap();
    }
}

/// Returns when the sink's deliveries stand as `look` wants them.
pub(crate) async fn until(api: &Api, sink: &str, look: impl Fn(Counts) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let counts = api.counts(sink).await;
        if look(counts) {
            return;
        }
        assert!(Instant::now() < deadline, "{sink} stands at {counts:?}");
        sleep(Duration::from_millis(100)).await;
    }
}
