//! The power is cut at any instant: what was answered with a 202 is on disk, and is delivered once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use platform_sandbox::Settings;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::harness::disk::{self, Disk, Folder, Sync, Unsynced};
use crate::harness::{
    ALL, Api, Counts, Faults, Platforms, Program, booked, figure, is_long, signalbox, until,
};

const CALLERS: u64 = 4;
/// Events in one request, at most.
const TOGETHER: usize = 20;
/// A cut comes within so many milliseconds after the service listens.
const LISTENS: u64 = 300;
/// Or, one in so many times, within so many milliseconds after it is started.
const ONE_IN: u32 = 5;
const STARTS: u64 = 150;

/// A store on a disk whose power can be cut, and both platforms a little slow, so that something is under way.
struct Ground {
    platforms: Platforms,
    environment: BTreeMap<String, String>,
    store: PathBuf,
    record: PathBuf,
    folder: TempDir,
}

impl Ground {
    async fn new() -> Self {
        let platforms = Platforms::telling(ALL).await;
        platforms.all(&Settings { latency_ms: 10, jitter_ms: 30, ..Settings::default() });
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        std::fs::create_dir(&store).unwrap();
        let record = folder.path().join("record");
        let mut environment = platforms.environment();
        environment.extend(Faults::new(&store, folder.path()).environment());
        let own = [
            ("SIGNALBOX_STORE", format!("sqlite://{}", store.join("signalbox.db").display())),
            ("SIGNALBOX_FAULTS_RECORD", record.display().to_string()),
        ];
        environment.extend(own.map(|(name, value)| (name.to_owned(), value)));
        Self { platforms, environment, store, record, folder }
    }

    /// The disk after a process that began with `before` was killed, and what it recorded.
    fn recorded(&self, before: &Folder) -> Vec<u8> {
        let record = disk::take_record(&self.record);
        disk::assert_complete(&disk::read(&self.store), before, &record);
        record
    }

    /// What a store in these files says, read from a copy, since reading a log that was left behind changes it.
    fn look_into(&self, files: &Folder) -> Account {
        let copy = self.folder.path().join("copy");
        std::fs::create_dir_all(&copy).unwrap();
        disk::write(&copy, files);
        Account::of(&copy.join("signalbox.db"))
    }
}

/// What is in a store.
#[derive(Debug, Default)]
struct Account {
    events: BTreeSet<String>,
    /// Deliveries that were perhaps on their way.
    leased: i64,
}

impl Account {
    fn of(path: &Path) -> Self {
        let store = Connection::open(path).unwrap();
        let sound: String = store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('event', 'delivery')";
        if store.query_row(tables, [], |row| row.get::<_, i64>(0)).unwrap() == 0 {
            return Self::default();
        }
        let leased = "SELECT count(*) FROM delivery WHERE status = 0 AND owner IS NOT NULL";
        let leased = store.query_row(leased, [], |row| row.get(0)).unwrap();
        let mut ids = store.prepare("SELECT id FROM event").unwrap();
        let events = ids.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        Self { events, leased }
    }
}

/// Callers that report new events until they are told to stop: each request until it is answered, wherever the service
/// is by then.
struct Callers {
    accepted: Arc<Mutex<BTreeSet<String>>>,
    enough: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Callers {
    fn start(seed: u64, service: &watch::Receiver<Api>) -> Self {
        let accepted = Arc::new(Mutex::new(BTreeSet::new()));
        let enough = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for caller in 0..CALLERS {
            let (accepted, enough) = (Arc::clone(&accepted), Arc::clone(&enough));
            let mut service = service.clone();
            let mut random = StdRng::seed_from_u64(seed + caller);
            tasks.spawn(async move {
                for request in 0.. {
                    if enough.load(Ordering::Relaxed) {
                        return;
                    }
                    let count = if random.random() { 1 } else { random.random_range(2..=TOGETHER) };
                    let ids: Vec<_> =
                        (0..count).map(|event| format!("e-{caller}-{request}-{event}")).collect();
                    report(&mut service, &ids).await;
                    accepted.lock().unwrap().extend(ids);
                }
            });
        }
        Self { accepted, enough, tasks }
    }

    /// Events that got a 202 so far.
    fn accepted(&self) -> BTreeSet<String> {
        self.accepted.lock().unwrap().clone()
    }

    /// All of them, once the last is answered.
    async fn stop(mut self) -> BTreeSet<String> {
        self.enough.store(true, Ordering::Relaxed);
        while let Some(caller) = self.tasks.join_next().await {
            caller.unwrap();
        }
        self.accepted()
    }
}

/// Reports until there is a 202: what it covers is never reported again.
async fn report(service: &mut watch::Receiver<Api>, ids: &[String]) {
    let events: Vec<Value> = ids.iter().map(|id| booked(id)).collect();
    let body = if let [event] = &events[..] { event.to_string() } else { Value::from(events).to_string() };
    loop {
        let api = service.borrow_and_update().clone();
        match api.try_post("/api/events", body.clone()).await {
            Ok(reply) => return assert_eq!(reply.status, 202, "{}", reply.text),
            Err(_) => service.changed().await.unwrap(),
        }
    }
}

/// Cuts the power so often, and accounts for everything at the end. Returns how many events were accepted, and how many
/// deliveries the platforms were sent twice.
#[expect(clippy::print_stdout, reason = "what fails is shown with its seed")]
async fn survives(cuts: u32, seed: u64) -> (u64, u64) {
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let ground = Ground::new().await;
    let (announce, service) = watch::channel(Api::new("http://127.0.0.1:1"));
    let callers = Callers::start(seed, &service);
    let mut under_way = 0;
    for cut in 0..cuts {
        let before = disk::read(&ground.store);
        if random.random_ratio(1, ONE_IN) {
            let mut starting = signalbox(&["serve", "--listen", "127.0.0.1:0"], &ground.environment);
            let mut starting = starting.stderr(Stdio::null()).spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(random.random_range(0..STARTS))).await;
            starting.kill().unwrap();
            starting.wait().unwrap();
        } else {
            let mut program = Program::serve(&ground.environment).await;
            announce.send(program.api.clone()).unwrap();
            tokio::time::sleep(Duration::from_millis(random.random_range(0..LISTENS))).await;
            program.kill();
        }
        let accepted = callers.accepted();
        let record = ground.recorded(&before);
        let mut disk = Disk::of(&before);
        disk.replay(&record, Sync::Honest);
        for unsynced in [Unsynced::Lost, Unsynced::Beginning, Unsynced::AnySectors] {
            let account = ground.look_into(&disk.after_cut(unsynced, &mut random));
            let lost: Vec<_> = accepted.difference(&account.events).take(5).collect();
            assert!(lost.is_empty(), "cut {cut}, {unsynced:?}: accepted and lost: {lost:?} and perhaps more");
        }
        let left = disk.after_cut(Unsynced::any(&mut random), &mut random);
        under_way += ground.look_into(&left).leased;
        disk::write(&ground.store, &left);
    }
    let program = Program::serve(&ground.environment).await;
    announce.send(program.api.clone()).unwrap();
    let accepted = callers.stop().await;
    assert!(!accepted.is_empty());
    let resends = assert_account(&ground, program, &accepted).await;
    assert!(
        i64::try_from(resends).unwrap() <= under_way,
        "{resends} were sent again, of {under_way} that were in flight"
    );
    (accepted.len() as u64, resends)
}

/// Everything that was accepted is delivered at both, once, and the account says so, also from what is on disk.
async fn assert_account(ground: &Ground, mut program: Program, accepted: &BTreeSet<String>) -> u64 {
    let count = accepted.len() as u64;
    for sink in ground.platforms.sinks() {
        program.api.until_counts(sink, Counts::delivered(count)).await;
    }
    ground.platforms.assert_counted_once(accepted);
    program.kill();
    let audit = signalbox(&["audit", "--json"], &ground.environment).output().unwrap();
    assert_eq!(audit.status.code(), Some(0));
    let audit: Value = serde_json::from_slice(&audit.stdout).unwrap();
    assert_eq!((&audit["balanced"], &audit["accepted"]), (&true.into(), &count.into()));
    assert_eq!(ground.look_into(&disk::read(&ground.store)).events, *accepted);
    ground.platforms.each(|report| report.deduplicated).iter().sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_power_is_cut_at_random_instants() {
    // One store gets ten of them, so that it stays small.
    let (stores, cuts) = if is_long() { (20, 10) } else { (2, 10) };
    let mut all = (0, 0);
    for _ in 0..stores {
        let (accepted, resends) = survives(cuts, rand::random()).await;
        all = (all.0 + accepted, all.1 + resends);
    }
    figure("power cuts survived", stores * cuts);
    figure("power cuts: events accepted, none lost, none counted twice", all.0);
    figure("power cuts: deliveries sent again, never more than were in flight", all.1);
}

/// The proof that the test above can fail: the same cut on a disk that does nothing when it is told to sync.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepted_events_are_lost_where_sync_does_nothing() {
    let ground = Ground::new().await;
    // A store that is set up and on disk.
    let mut program = Program::serve(&ground.environment).await;
    program.terminate();
    assert_eq!(program.ended().await.code(), Some(0));
    ground.recorded(&Folder::new());

    let before = disk::read(&ground.store);
    let mut program = Program::serve(&ground.environment).await;
    let (_announce, service) = watch::channel(program.api.clone());
    let callers = Callers::start(1, &service);
    until("events to be accepted", async || {
        let count = callers.accepted().len();
        if count >= 100 { Ok(()) } else { Err(count.to_string()) }
    })
    .await;
    program.kill();
    let accepted = callers.accepted();
    let record = ground.recorded(&before);
    let lost = |sync| {
        let mut disk = Disk::of(&before);
        disk.replay(&record, sync);
        let left = disk.after_cut(Unsynced::Lost, &mut StdRng::seed_from_u64(1));
        accepted.difference(&ground.look_into(&left).events).count()
    };
    assert_eq!(lost(Sync::Honest), 0);
    assert_eq!(lost(Sync::Lie), accepted.len(), "nothing of this run was kept");
}
