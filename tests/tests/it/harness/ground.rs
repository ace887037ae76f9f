//! What outlives a killed service: its settings, its store, and the platforms that it was talking to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;

use conversion_store::crash;
use platform_sandbox::{Platform, PlatformReport, Settings};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

use super::api::Counts;
use super::faults::Faults;
use super::platforms::{ALL, Platforms, data_manager_verdict, google_verdict, meta_verdict, tiktok_verdict};
use super::program::{Program, signalbox};
use super::wait::until;

/// Few in a request, so that there are many requests for things to happen to.
pub(crate) const SMALL_BATCHES: &str = "
[[sinks]]
kind = 'tiktok'
max_batch = 5
[[sinks]]
kind = 'google-ads'
max_batch = 5
[[sinks]]
kind = 'google-data-manager'
max_batch = 5
[[sinks]]
kind = 'meta'
max_batch = 5
";

/// The platforms, and a store and settings in a folder of their own.
pub(crate) struct Ground {
    pub(crate) platforms: Platforms,
    pub(crate) environment: BTreeMap<String, String>,
    folder: TempDir,
}

/// How everything that was reported has ended, at all sinks alike.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) delivered: BTreeSet<String>,
    pub(crate) failed: BTreeSet<String>,
    /// Deliveries that may have been received twice: as [`Ground::may_be_resent`] or the fault's own count says.
    pub(crate) resends: u64,
}

impl Ground {
    /// A new one, where all platforms are told, with this configuration file.
    pub(crate) async fn start(file: &str) -> Self {
        Self::telling(ALL, file).await
    }

    /// The same, where these platforms are told: those of the file's sinks.
    pub(crate) async fn telling(told: &'static [Platform], file: &str) -> Self {
        let platforms = Platforms::telling(told).await;
        let folder = tempfile::tempdir().unwrap();
        let (store, config) = (folder.path().join("signalbox.db"), folder.path().join("signalbox.toml"));
        std::fs::write(&config, file).unwrap();
        let mut ground = Self { environment: platforms.environment(), platforms, folder };
        ground.set("SIGNALBOX_STORE", &format!("sqlite://{}", store.display()));
        ground.set("SIGNALBOX_CONFIG", &config.display().to_string());
        ground
    }

    /// An environment variable of the services that are started from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// Faults of the machine, for the services that are started from now on.
    pub(crate) fn faults(&mut self) -> Faults {
        let faults = Faults::new(self.folder.path(), self.folder.path());
        self.environment.extend(faults.environment());
        faults
    }

    /// The service, listening.
    pub(crate) async fn serve(&self) -> Program {
        Program::serve(&self.environment).await
    }

    /// The service, which crashes when it comes to this point for the n-th time. It may never listen.
    pub(crate) fn serve_until(&self, address: &str, point: crash::Point, nth: u32) -> Program {
        let mut environment = self.environment.clone();
        environment.insert(crash::VARIABLE.to_owned(), format!("{}:{nth}", point.name()));
        Program::spawn(address, &environment)
    }

    /// All platforms behave like this, and refuse these events for good.
    pub(crate) fn refuse(&self, events: &BTreeSet<String>, network: &Settings) {
        let verdicts = events.iter().map(|id| tiktok_verdict(id, 40002, "not a valid event")).collect();
        let tiktok = Settings { verdicts, name_index: false, ..network.clone() };
        self.platforms.sandbox.configure(Platform::TikTok, tiktok);
        let verdicts =
            events.iter().map(|id| google_verdict(id, "UNPARSEABLE_GCLID", "It cannot be read.")).collect();
        self.platforms.sandbox.configure(Platform::GoogleAds, Settings { verdicts, ..network.clone() });
        let verdicts =
            events.iter().map(|id| data_manager_verdict(id, "INVALID_EVENT", "It is none.")).collect();
        self.platforms
            .sandbox
            .configure(Platform::GoogleDataManager, Settings { verdicts, ..network.clone() });
        let verdicts = events.iter().map(|id| meta_verdict(id, "It is none.")).collect();
        self.platforms.sandbox.configure(Platform::Meta, Settings { verdicts, ..network.clone() });
    }

    /// After the service has ended: how many deliveries the platforms have that are not on record as delivered. They were
    /// in flight, and are all that may be sent again.
    pub(crate) async fn in_doubt(&self) -> u64 {
        let mut quiet = 0;
        until("the platforms to be done with what they were sent", async || {
            let under_way = self.sum(|report| report.in_flight);
            // What had come in may be read only now.
            quiet = if under_way == 0 { quiet + 1 } else { 0 };
            if quiet > 3 { Ok(()) } else { Err(format!("{under_way} requests")) }
        })
        .await;
        let counted = self.sum(|report| report.unique);
        counted.checked_sub(self.delivered_on_record()).expect("what is on record was received")
    }

    /// After the service has ended: how many deliveries may have been received twice in the end, unless another service
    /// ends, too: those that were, and those in doubt.
    pub(crate) async fn may_be_resent(&self) -> u64 {
        let in_doubt = self.in_doubt().await;
        self.resent() + in_doubt
    }

    /// Deliveries that were received again, and recognised.
    pub(crate) fn resent(&self) -> u64 {
        self.sum(|report| report.deduplicated)
    }

    /// A number of all platforms' reports.
    pub(crate) fn sum(&self, number: impl Fn(&PlatformReport) -> u64) -> u64 {
        self.platforms.each(number).iter().sum()
    }

    /// Deliveries that the store knows to be delivered. Read beside nobody, and without mending what a crash has left.
    fn delivered_on_record(&self) -> u64 {
        let path = self.folder.path().join("signalbox.db");
        let store = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'delivery'";
        if store.query_row(tables, [], |row| row.get::<_, u32>(0)).unwrap() == 0 {
            return 0;
        }
        let delivered = "SELECT count(*) FROM delivery WHERE status = 1";
        store.query_row(delivered, [], |row| row.get::<_, u32>(0)).unwrap().into()
    }

    /// Waits until all is settled, and proves the account: nothing lost, nothing counted twice, nothing sent again but
    /// what was in flight. Ends the service, so that the account is read from what is on disk.
    pub(crate) async fn assert_outcome(&self, mut program: Program, outcome: &Outcome) {
        let Outcome { delivered, failed, resends } = outcome;
        let (count, refused) = (delivered.len() as u64, failed.len() as u64);
        let accepted = count + refused;
        let on_record = program.api.audit().await["accepted"].as_u64();
        assert_eq!(on_record, Some(accepted), "what was accepted is on record");
        let expected = Counts { delivered: count, failed: refused, ..Counts::default() };
        for sink in self.platforms.sinks() {
            program.api.until_counts(sink, expected).await;
            let found = program.api.deliveries(&format!("sink={sink}&status=FAILED")).await;
            let found: BTreeSet<String> =
                found.iter().map(|delivery| delivery["eventId"].as_str().unwrap().to_owned()).collect();
            assert_eq!(found, *failed, "{sink}");
        }
        self.platforms.assert_counted_once(delivered);
        let resent = self.resent();
        assert!(resent <= *resends, "{resent} were sent again, of {resends} that were in flight");

        program.kill();
        let audit = signalbox(&["audit", "--json"], &self.environment).output().unwrap();
        assert_eq!(audit.status.code(), Some(0), "{}", String::from_utf8_lossy(&audit.stdout));
        let audit: Value = serde_json::from_slice(&audit.stdout).unwrap();
        assert_eq!((&audit["balanced"], &audit["accepted"]), (&true.into(), &accepted.into()));
        for sink in self.platforms.sinks() {
            let account = &audit["sinks"][sink];
            let seen = ["delivered", "failed", "pending"].map(|status| account[status].as_u64());
            assert_eq!(seen, [count, refused, 0].map(Some), "{audit}");
        }
    }

    /// An address that nobody listens at now: for a service that must be where it was, however often it starts.
    pub(crate) fn free_address() -> String {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
    }
}
