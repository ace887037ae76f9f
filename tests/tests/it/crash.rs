//! `kill -9` at any moment loses nothing that was accepted, and nothing is counted twice. Neither does a stop in order
//! while callers go on reporting.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use platform_sandbox::Settings;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::harness::{
    Api, Counts, GOOGLE, Platforms, Program, SPEC_EVENT, TIKTOK, ids, many, signalbox, until,
};

const EVENTS: usize = 5_000;
const IN_ONE_REQUEST: usize = 25;
const CALLERS: usize = 8;

/// How the service ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Killed,
    Asked,
}

/// A store in a folder of its own, and both platforms a little slow, so that there is always something under way.
struct Ground {
    platforms: Platforms,
    environment: BTreeMap<String, String>,
    _folder: TempDir,
}

impl Ground {
    async fn new(network: &Settings) -> Self {
        let platforms = Platforms::start().await;
        platforms.all(&Settings { latency_ms: 20, jitter_ms: 20, ..network.clone() });
        let folder = tempfile::tempdir().unwrap();
        let mut environment = platforms.environment();
        let store = folder.path().join("signalbox.db");
        environment.insert("SIGNALBOX_STORE".to_owned(), format!("sqlite://{}", store.display()));
        Self { platforms, environment, _folder: folder }
    }
}

/// Callers that report all events: each request until it is answered, wherever the service is by then. Each keeps its
/// last one back until `finish`, so that on no machine all is accepted before the service has ended often enough.
struct Callers {
    accepted: Arc<AtomicU64>,
    finishing: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Callers {
    fn start(events: &[Value], service: &watch::Receiver<Api>) -> Self {
        let accepted = Arc::new(AtomicU64::new(0));
        let requests: Vec<Vec<Value>> = events.chunks(IN_ONE_REQUEST).map(<[Value]>::to_vec).collect();
        let (finishing, finish) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for caller in 0..CALLERS {
            let own: Vec<Vec<Value>> = requests.iter().skip(caller).step_by(CALLERS).cloned().collect();
            let (mut service, accepted) = (service.clone(), Arc::clone(&accepted));
            let mut finish = finish.clone();
            tasks.spawn(async move {
                let last = own.len() - 1;
                for (number, events) in own.into_iter().enumerate() {
                    if number == last {
                        finish.wait_for(|finishing| *finishing).await.unwrap();
                    }
                    report(&mut service, &events).await;
                    accepted.fetch_add(events.len() as u64, Ordering::Relaxed);
                }
            });
        }
        Self { accepted, finishing, tasks }
    }

    async fn finish(&mut self) {
        self.finishing.send(true).unwrap();
        while let Some(caller) = self.tasks.join_next().await {
            caller.unwrap();
        }
    }

    fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

/// Reports until there is a 202: what it covers is never reported again.
async fn report(service: &mut watch::Receiver<Api>, events: &[Value]) {
    let body = Value::from(events).to_string();
    loop {
        let api = service.borrow_and_update().clone();
        match api.try_post("/api/events", body.clone()).await {
            Ok(reply) if reply.status == 202 => return,
            // On its way out it says so.
            Ok(reply) => assert_eq!(reply.status, 503, "{}", reply.text),
            Err(_) => {}
        }
        service.changed().await.unwrap();
    }
}

/// Ends the service when so many events have been accepted, each time, and starts it again.
async fn survives(end: End, moments: &[u64], network: &Settings) {
    let ground = Ground::new(network).await;
    let events = many("e", EVENTS);
    let mut program = Program::serve(&ground.environment).await;
    let (announce, service) = watch::channel(program.api.clone());
    let mut callers = Callers::start(&events, &service);
    for moment in moments {
        let received = || [TIKTOK, GOOGLE].map(|platform| ground.platforms.of(platform).received);
        until(&format!("{moment} events to be accepted, and some received"), async || {
            let (accepted, received) = (callers.accepted(), received());
            if accepted >= *moment && !received.contains(&0) {
                Ok(())
            } else {
                Err(format!("{accepted}, {received:?}"))
            }
        })
        .await;
        match end {
            End::Killed => program.kill(),
            End::Asked => {
                program.terminate();
                assert_eq!(program.ended().await.code(), Some(0));
            }
        }
        let received = received();
        assert!(received.iter().all(|received| (1..EVENTS as u64).contains(received)), "{received:?}");
        program = Program::serve(&ground.environment).await;
        announce.send(program.api.clone()).unwrap();
    }
    callers.finish().await;
    for sink in ["tiktok", "google-ads"] {
        program.api.until_counts(sink, Counts::delivered(EVENTS as u64)).await;
    }
    ground.platforms.assert_counted_once(&ids(&events));

    // Killed at rest, too, so that the account is read from what is on disk.
    program.kill();
    let audit = signalbox(&["audit", "--json"], &ground.environment).output().unwrap();
    assert_eq!(audit.status.code(), Some(0));
    let audit: Value = serde_json::from_slice(&audit.stdout).unwrap();
    assert_eq!((&audit["balanced"], &audit["accepted"]), (&true.into(), &EVENTS.into()));
    for sink in ["tiktok", "google-ads"] {
        assert_eq!(audit["sinks"][sink]["pending"], 0);
        assert_eq!(audit["sinks"][sink]["delivered"], EVENTS);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_it_is_killed_early() {
    survives(End::Killed, &[500], &Settings::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_it_is_killed_again_and_again() {
    survives(End::Killed, &[1_000, 2_500, 4_000], &Settings::default()).await;
}

/// What was under way at the kill was perhaps received, and so was what the network swallowed before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_it_is_killed_on_a_bad_network() {
    let bad = Settings { p_lost_reply: 0.03, p_cut: 0.01, ..Settings::default() };
    survives(End::Killed, &[2_000], &bad).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_it_is_asked_to_stop_under_load() {
    survives(End::Asked, &[1_000, 3_000], &Settings::default()).await;
}

/// A test is an answer to whoever asked. When nobody can be told any more, it must not go out later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_that_was_under_way_is_not_sent_after_all() {
    let mut ground = Ground::new(&Settings::default()).await;
    ground.environment.insert("TIKTOK_TEST_SECRET".to_owned(), "secret".to_owned());
    // It waits at the platform while the service is killed.
    ground.platforms.all(&Settings { hang: true, ..Settings::default() });
    let mut program = Program::serve(&ground.environment).await;
    let asking = program.api.with_key("secret");
    let mut asked = JoinSet::new();
    asked.spawn(async move { asking.try_post("/api/test/tiktok", SPEC_EVENT).await.is_err() });
    until("the test to be under way", async || {
        let requests = ground.platforms.of(TIKTOK).requests;
        if requests == 1 { Ok(()) } else { Err(format!("{requests} requests")) }
    })
    .await;
    program.kill();
    assert!(asked.join_next().await.unwrap().unwrap(), "nobody was told");
    ground.platforms.all(&Settings::default());

    let program = Program::serve(&ground.environment).await;
    let test = program.api.settled("tiktok", "test-123").await;
    let seen = (test["status"].as_str().unwrap(), test["origin"].as_str().unwrap());
    assert_eq!(seen, ("FAILED", "test"), "{test}");
    // Whatever is sent goes before it: what was left undone is taken up first.
    program.api.report(&many("e", 1)).await;
    program.api.until_counts("tiktok", Counts::delivered(1)).await;
    assert_eq!(ground.platforms.ids(TIKTOK), ids(&many("e", 1)));
}
