//! `kill -9` while platforms are told, and a start with other settings: what was perhaps received under the old ones is
//! not sent under the new ones, which would count it twice.

use std::collections::BTreeMap;
use std::net::TcpListener;

use platform_sandbox::{Platform, QstashSettings, Settings};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Api, BOTH, Counts, GOOGLE, Platforms, Program, TIKTOK, event, ids, signalbox, until};

/// Reported at once, before each kill.
const EVENTS: usize = 800;
/// The service is killed when a platform has received so many of them.
const RECEIVED: u64 = 200;
/// Kills, at most, until one comes between a platform's taking a request and the writing of its answer.
const KILLS: usize = 40;

/// A service on a store of its own, and both platforms a little slow, so that there is always something under way.
struct Ground {
    platforms: Platforms,
    environment: BTreeMap<String, String>,
    address: String,
    reported: Vec<Value>,
    _folder: TempDir,
}

impl Ground {
    async fn new(more: &[(&str, &str)]) -> Self {
        let platforms = Platforms::start().await;
        platforms.all(&Settings { latency_ms: 20, jitter_ms: 20, ..Settings::default() });
        platforms
            .sandbox
            .qstash()
            .configure(QstashSettings { time_scale: 0.02, ..QstashSettings::default() });
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut environment = platforms.environment();
        let store = format!("sqlite://{}", folder.path().join("signalbox.db").display());
        let own = format!("http://{address}");
        let always = [("SIGNALBOX_STORE", &*store), ("SIGNALBOX_PUBLIC_URL", &own)];
        let variables = always.iter().chain(more).map(|(name, value)| (name.to_string(), value.to_string()));
        environment.extend(variables);
        Self { platforms, environment, address, reported: Vec::new(), _folder: folder }
    }

    /// The service, with one setting changed.
    async fn serve(&self, (name, value): (&str, &str)) -> Program {
        let mut environment = self.environment.clone();
        environment.insert(name.to_owned(), value.to_owned());
        Program::serve_at(&self.address, &environment).await
    }

    /// Reports events of two names, and kills the service while `platform` is told of them.
    async fn kill_while_telling(&mut self, platform: Platform) {
        let mut program = Program::serve_at(&self.address, &self.environment).await;
        let first = self.reported.len();
        let name = |number| if number % 2 == 0 { "TRIAL_BOOKED" } else { "TRIAL_RESCHEDULED" };
        let new = (first..first + EVENTS).map(|number| event(name(number), &format!("e-{number}")));
        let new: Vec<Value> = new.collect();
        let enough = self.received(platform) + RECEIVED;
        program.api.report(&new).await;
        self.reported.extend(new);
        until("the platform to be told", async || {
            let received = self.received(platform);
            if received >= enough { Ok(()) } else { Err(format!("{received} of {enough}")) }
        })
        .await;
        program.kill();
    }

    /// Kills the service again and again, until the platform has what the store does not know it to have.
    async fn leave_something_perhaps_received(&mut self, platform: Platform, sink: &str) {
        for _ in 0..KILLS {
            self.kill_while_telling(platform).await;
            let (has, known) = (self.platforms.ids(platform).len() as u64, self.delivered(sink));
            assert!(known <= has);
            if known < has {
                return;
            }
        }
        panic!("whatever the platform had received was written before each of {KILLS} kills");
    }

    fn received(&self, platform: Platform) -> u64 {
        self.platforms.of(platform).received
    }

    /// How many the store of the ended service knows to be delivered.
    fn delivered(&self, sink: &str) -> u64 {
        let audit = signalbox(&["audit", "--json"], &self.environment).output().unwrap();
        let audit: Value = serde_json::from_slice(&audit.stdout).unwrap();
        audit["sinks"][sink]["delivered"].as_u64().unwrap()
    }

    /// Each conversion that the platform has was counted once, whatever pixel and name it came under.
    fn assert_none_counted_twice(&self) {
        for &platform in BOTH {
            let report = self.platforms.of(platform);
            let has = self.platforms.ids(platform).len() as u64;
            let counted = report.received - report.deduplicated;
            assert_eq!((report.counted_twice, counted), (0, has), "{}: {report:?}", platform.name());
        }
    }
}

/// Returns what has failed at a sink, once nothing is pending there.
async fn failed(api: &Api, sink: &str) -> Vec<Value> {
    until(&format!("{sink} to have nothing left"), async || {
        let counts = api.counts(sink).await;
        if counts.pending == 0 { Ok(()) } else { Err(format!("{counts:?}")) }
    })
    .await;
    api.deliveries(&format!("sink={sink}&status=FAILED")).await
}

/// What of a service changes between its kill and its next start.
struct Change {
    platform: Platform,
    sink: &'static str,
    setting: (&'static str, &'static str),
    /// Events whose dedup key is another one now.
    concerns: &'static [&'static str],
}

/// What was perhaps received waits for a human, who puts it right by the old settings; all else is delivered.
async fn costs_nothing(change: Change, more: &[(&str, &str)]) {
    let Change { platform, sink, setting, concerns } = change;
    let mut ground = Ground::new(more).await;
    ground.leave_something_perhaps_received(platform, sink).await;
    let all = ground.reported.len() as u64;

    let mut program = ground.serve(setting).await;
    let failed = failed(&program.api, sink).await;
    ground.assert_none_counted_twice();
    assert!(!failed.is_empty(), "what was perhaps received is not sent again");
    for failed in &failed {
        assert!(concerns.contains(&failed["eventName"].as_str().unwrap()), "{failed}");
        assert_eq!(failed["reason"], "mapping_changed_after_send", "{failed}");
        let fix = failed["fix"].as_str().unwrap();
        assert!(fix.contains("map it as before and retry"), "{fix}");
    }
    let given_up = failed.len() as u64;
    let expected = Counts { failed: given_up, ..Counts::delivered(all - given_up) };
    assert_eq!(program.api.counts(sink).await, expected);
    let other = if sink == "tiktok" { "google-ads" } else { "tiktok" };
    program.api.until_counts(other, Counts::delivered(all)).await;
    ground.assert_none_counted_twice();
    program.api.audit().await;
    program.terminate();
    program.ended().await;

    let program = Program::serve_at(&ground.address, &ground.environment).await;
    for failed in &failed {
        let path = format!("/api/deliveries/{}/retry", failed["id"].as_str().unwrap());
        assert_eq!(program.api.post(&path, "").await.status, 202);
    }
    program.api.until_counts(sink, Counts::delivered(all)).await;
    ground.platforms.assert_counted_once(&ids(&ground.reported));
    program.api.audit().await;
}

const MAPPING: Change = Change {
    platform: TIKTOK,
    sink: "tiktok",
    setting: ("TIKTOK_EVENT_ACTIONS", "TRIAL_BOOKED=CompleteRegistration"),
    concerns: &["TRIAL_BOOKED"],
};

const PIXEL: Change = Change {
    setting: ("TIKTOK_PIXEL_ID", "CYYY"),
    concerns: &["TRIAL_BOOKED", "TRIAL_RESCHEDULED"],
    ..MAPPING
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_may_change_at_the_start_after_a_kill() {
    costs_nothing(MAPPING, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pixel_may_change_at_the_start_after_a_kill() {
    costs_nothing(PIXEL, &[]).await;
}

/// It calls for deliveries one by one: few are under way, of whatever name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pixel_may_change_at_the_start_after_a_kill_where_an_external_queue_drives() {
    costs_nothing(PIXEL, &[("SIGNALBOX_QUEUE", "qstash")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversion_action_may_change_at_the_start_after_a_kill() {
    let setting = ("GOOGLE_ADS_CONVERSION_ACTIONS", "TRIAL_BOOKED=222,TRIAL_RESCHEDULED=111");
    costs_nothing(Change { platform: GOOGLE, sink: "google-ads", setting, ..MAPPING }, &[]).await;
}

/// Credentials are no part of a dedup key: what was perhaps received is sent again, and recognised.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_token_at_the_start_after_a_kill_fails_nothing() {
    let mut ground = Ground::new(&[]).await;
    ground.leave_something_perhaps_received(TIKTOK, "tiktok").await;
    let program = ground.serve(("TIKTOK_ACCESS_TOKEN", "another-token")).await;
    for sink in ["tiktok", "google-ads"] {
        program.api.until_counts(sink, Counts::delivered(ground.reported.len() as u64)).await;
    }
    ground.platforms.assert_counted_once(&ids(&ground.reported));
    assert!(ground.platforms.of(TIKTOK).deduplicated > 0);
}
