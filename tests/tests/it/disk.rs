//! The disk under the store is full, and later is not.

use std::collections::BTreeMap;

use platform_sandbox::Settings;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{
    ALL, Counts, Faults, Platforms, Program, SPEC_EVENT, booked, ids, many, signalbox, until,
};

/// Events that the platforms are being told of when the disk is full.
const UNDER_WAY: usize = 30;
/// How often this is tried.
const ROUNDS: usize = 10;

struct Ground {
    platforms: Platforms,
    faults: Faults,
    environment: BTreeMap<String, String>,
    _folder: TempDir,
}

impl Ground {
    async fn new() -> Self {
        let platforms = Platforms::telling(ALL).await;
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        std::fs::create_dir(&store).unwrap();
        let faults = Faults::new(&store, folder.path());
        let mut environment = platforms.environment();
        environment.extend(faults.environment());
        let url = format!("sqlite://{}", store.join("signalbox.db").display());
        environment.insert("SIGNALBOX_STORE".to_owned(), url);
        Self { platforms, faults, environment, _folder: folder }
    }

    /// Fills the disk while the platforms are being told of [`UNDER_WAY`] events; they have them all at the end, and
    /// the store does not know it. Returns all events reported.
    async fn fill_disk_under_way(&self, program: &Program) -> Vec<Value> {
        let mut events = Vec::new();
        for round in 0..ROUNDS {
            self.platforms.all(&Settings { latency_ms: 1_000, ..Settings::default() });
            // One request for all, so that all are under way at one moment.
            let more = many(&format!("round-{round}"), UNDER_WAY);
            program.api.report(&more).await;
            self.faults.set_disk_full(true);
            self.platforms.all(&Settings::default());
            let (before, under_way) = (events.len() as u64, more.len() as u64);
            let all = before + under_way;
            events.extend(more);
            until("all to have been told all", async || {
                let received = self.platforms.each(|report| report.received);
                if received.iter().all(|count| *count == all) { Ok(()) } else { Err(format!("{received:?}")) }
            })
            .await;
            let expected = Counts { delivered: before, pending: under_way, ..Counts::default() };
            let mut are_unwritten = true;
            for sink in self.platforms.sinks() {
                are_unwritten &= program.api.counts(sink).await == expected;
            }
            if are_unwritten {
                return events;
            }
            // They were faster than this test: once more.
            self.faults.set_disk_full(false);
            for sink in self.platforms.sinks() {
                program.api.until_counts(sink, Counts::delivered(all)).await;
            }
        }
        panic!("results were written on a full disk {ROUNDS} times")
    }

    /// Everything is delivered at all sinks, once, and the account says so, also from what is on disk.
    async fn assert_account(&self, mut program: Program, events: &[Value]) {
        for sink in self.platforms.sinks() {
            program.api.until_counts(sink, Counts::delivered(events.len() as u64)).await;
        }
        self.platforms.assert_counted_once(&ids(events));
        assert_eq!(program.api.audit().await["accepted"], events.len());
        program.kill();
        let audit = signalbox(&["audit", "--json"], &self.environment).output().unwrap();
        assert_eq!(audit.status.code(), Some(0), "{}", String::from_utf8_lossy(&audit.stdout));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_loses_nothing_and_work_goes_on_once_it_is_freed() {
    let ground = Ground::new().await;
    let program = Program::serve(&ground.environment).await;
    let events = ground.fill_disk_under_way(&program).await;

    for body in [SPEC_EVENT.to_owned(), Value::from(many("refused", 20)).to_string()] {
        let reply = program.api.post("/api/events", body).await;
        assert_eq!(reply.status, 503, "{}", reply.text);
        let said = reply.json["error"].as_str().unwrap();
        assert_eq!(
            said,
            "nothing can be accepted now: the store cannot accept events: database or disk is full"
        );
    }
    let ready = program.api.get("/readyz").await;
    assert_eq!(ready.status, 503, "{}", ready.text);
    assert_eq!(ready.json["error"], "the store cannot write: database or disk is full");
    assert_eq!(program.api.get("/healthz").await.status, 200, "it is alive");
    // What the platforms have answered waits to be written, and the account can still be read.
    for sink in ground.platforms.sinks() {
        assert_eq!(program.api.counts(sink).await.pending, UNDER_WAY as u64);
    }
    assert_eq!(program.api.audit().await["accepted"], events.len());

    ground.faults.set_disk_full(false);
    until("it to be ready", async || {
        let ready = program.api.get("/readyz").await;
        if ready.status == 200 { Ok(()) } else { Err(ready.text) }
    })
    .await;
    let later = many("later", 5);
    program.api.report(&later).await;
    ground.assert_account(program, &[events, later].concat()).await;
    let resent = ground.platforms.each(|report| report.deduplicated);
    assert!(
        resent.iter().all(|count| *count == 0),
        "{resent:?}: what was answered while the disk was full was written later"
    );
}

/// What the platforms answered is forgotten then: they are told again, and recognise it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_ends_while_the_disk_is_full_goes_on_when_it_is_started_on_a_free_one() {
    let ground = Ground::new().await;
    let mut program = Program::serve(&ground.environment).await;
    let events = ground.fill_disk_under_way(&program).await;
    program.kill();

    let refused = signalbox(&["serve", "--listen", "127.0.0.1:0"], &ground.environment).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("database or disk is full"), "{said}");

    ground.faults.set_disk_full(false);
    let program = Program::serve(&ground.environment).await;
    let later = booked("later");
    program.api.report(std::slice::from_ref(&later)).await;
    ground.assert_account(program, &[events, vec![later]].concat()).await;
    let resent = ground.platforms.each(|report| report.deduplicated);
    assert!(
        resent.iter().all(|resent| *resent <= UNDER_WAY as u64),
        "{resent:?}: no more than was under way"
    );
}
