//! A service in this process, on a clock that the test may put forward.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use conversion_core::Timestamp;
use conversion_store::StoreError;
use conversion_store::sqlite::SqliteStore;
use platform_sandbox::Platform;
use signalbox::{Clock, Config, Service};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::api::Api;
use super::platforms::{BOTH, Platforms};
use super::wait::until;

/// What a test changes before the service starts.
pub(crate) struct Setup {
    variables: BTreeMap<String, String>,
    file: Option<String>,
    clock: Clock,
    told: &'static [Platform],
}

impl Setup {
    /// Credentials and mappings for both platforms, and a clock that stands at the present, in whole seconds: the store
    /// keeps no more than microseconds.
    pub(crate) fn new() -> Self {
        let now = Timestamp::from_second(Clock::running().now().as_second()).unwrap();
        let clock = Clock::manual(now);
        Self { variables: BTreeMap::new(), file: None, clock, told: BOTH }
    }

    /// Deliveries are driven by the sandbox's QStash, whose clock is not the service's.
    pub(crate) fn queued() -> Self {
        Self::new().with("SIGNALBOX_QUEUE", "qstash").file("[qstash]\nclock_tolerance = '365d'")
    }

    /// An environment variable; empty is unset.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// These platforms are told.
    pub(crate) fn telling(self, told: &'static [Platform]) -> Self {
        Self { told, ..self }
    }

    /// A configuration file under the environment, or more of it.
    pub(crate) fn file(mut self, toml: &str) -> Self {
        self.file = Some(self.file.unwrap_or_default() + toml + "\n");
        self
    }

    pub(crate) async fn start(self) -> World {
        self.start_with(|_| Vec::new()).await
    }

    /// Starts with variables that name the platforms' address.
    pub(crate) async fn start_with(
        self,
        addressed: impl FnOnce(&Platforms) -> Vec<(String, String)>,
    ) -> World {
        let platforms = Platforms::telling(self.told).await;
        let folder = tempfile::tempdir().unwrap();
        let mut variables = platforms.environment();
        let store = folder.path().join("signalbox.db");
        variables.insert("SIGNALBOX_STORE".to_owned(), format!("sqlite://{}", store.display()));
        variables.extend(self.variables);
        variables.extend(addressed(&platforms));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if variables.contains_key("SIGNALBOX_QUEUE") {
            let own = format!("http://{}", listener.local_addr().unwrap());
            variables.entry("SIGNALBOX_PUBLIC_URL".to_owned()).or_insert(own);
        }
        let file = self.file.map(|toml| {
            let path = folder.path().join("signalbox.toml");
            write_private(&path, &toml);
            path
        });
        let config = Config::load(file.as_deref(), &variables.clone().into_iter().collect()).unwrap();
        let running = Running::start(&config, &self.clock, listener).await;
        World { platforms, clock: self.clock, variables, file, running, folder }
    }
}

/// A running service and the platforms it talks to. What is asked of the API can be asked of it.
pub(crate) struct World {
    pub(crate) platforms: Platforms,
    pub(crate) clock: Clock,
    variables: BTreeMap<String, String>,
    file: Option<std::path::PathBuf>,
    running: Running,
    folder: TempDir,
}

struct Running {
    api: Api,
    service: Arc<Service>,
    store: Arc<SqliteStore>,
    /// Dropped, it stops the server.
    _stop: oneshot::Sender<()>,
    server: JoinSet<io::Result<()>>,
}

impl Deref for World {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.running.api
    }
}

impl Running {
    async fn start(config: &Config, clock: &Clock, listener: TcpListener) -> Self {
        let store = open(&config.store.url).await;
        let opened = Arc::clone(&store);
        let service = Arc::new(Service::start(config.clone(), opened, clock.clone()).await.unwrap());
        let api = Api::new(format!("http://{}", listener.local_addr().unwrap()));
        let (stop, stopped) = oneshot::channel::<()>();
        let mut server = JoinSet::new();
        let serving = Arc::clone(&service);
        server.spawn(signalbox::api::serve(listener, serving, async move { drop(stopped.await) }));
        Self { api, service, store, _stop: stop, server }
    }

    /// In the order in which `signalbox serve` stops.
    async fn stop(self) {
        let Self { service, _stop, mut server, .. } = self;
        drop(_stop);
        server.join_next().await.unwrap().unwrap().unwrap();
        service.stop().await;
    }
}

/// Writes a file that its owner alone may read, as one with secrets must be.
fn write_private(path: &std::path::Path, text: &str) {
    let mut options = std::fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.create(true).truncate(true).write(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// The store, once a service that was just stopped has let go of it.
async fn open(url: &str) -> Arc<SqliteStore> {
    let path = url.strip_prefix("sqlite://").unwrap();
    until("the store to be free", async || match SqliteStore::open(path) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error @ StoreError::InUse(_)) => Err(error.to_string()),
        Err(error) => panic!("{error}"),
    })
    .await
}

impl World {
    /// A service with everything in order.
    pub(crate) async fn start() -> Self {
        Setup::new().start().await
    }

    /// What a user who runs commands beside the service has set.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let file = self.file.as_ref().map(|file| file.display().to_string());
        let own = [("SIGNALBOX_URL", Some(self.base.clone())), ("SIGNALBOX_CONFIG", file)];
        let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        self.variables.clone().into_iter().chain(own).collect()
    }

    /// The store's address.
    pub(crate) fn store(&self) -> &str {
        &self.variables["SIGNALBOX_STORE"]
    }

    /// Stops in order and starts again on the same store, with these variables changed.
    pub(crate) async fn restart(self, changed: &[(&str, &str)]) -> Self {
        let Self { platforms, clock, mut variables, file, running, folder } = self;
        let address = running.api.base.trim_start_matches("http://").to_owned();
        running.stop().await;
        // Where it was: what calls it is not told anew.
        let listener = TcpListener::bind(address).await.unwrap();
        variables.extend(changed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let config = Config::load(file.as_deref(), &variables.clone().into_iter().collect()).unwrap();
        let running = Running::start(&config, &clock, listener).await;
        Self { platforms, clock, variables, file, running, folder }
    }

    /// SQL statements that were run for reading so far.
    pub(crate) fn statements_read(&self) -> u64 {
        self.running.store.statements_read()
    }

    /// Puts the clock forward. Where time passes, the service's heart goes on beating: of a long time it gets one beat
    /// just before the end, so that its leases are good then, as they would be.
    pub(crate) async fn advance(&self, by: Duration) {
        const LAST: Duration = Duration::from_secs(1);
        // Shorter than what a run is good for after any heartbeat, less what a request may take.
        const SHORT: Duration = Duration::from_secs(30);
        if by <= SHORT {
            return self.clock.advance(by);
        }
        let before = self.alive_until();
        self.clock.advance(by - LAST);
        until("a heartbeat", async || {
            let after = self.alive_until();
            if after > before { Ok(()) } else { Err(format!("alive until {after} µs, as before")) }
        })
        .await;
        self.clock.advance(LAST);
    }

    /// Until when the running service's leases are good, as it told the store.
    fn alive_until(&self) -> i64 {
        let path = self.store().strip_prefix("sqlite://").unwrap();
        let store = rusqlite::Connection::open(path).unwrap();
        store.query_row("SELECT alive_until FROM run ORDER BY id DESC LIMIT 1", [], |row| row.get(0)).unwrap()
    }

    /// Ends the holds of a sink, as a human would.
    pub(crate) async fn resume(&self, sink: &str) {
        let reply = self.post(&format!("/api/sinks/{sink}/resume"), "").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }

    /// A time as the API writes it, this much after the present of the service's clock.
    pub(crate) fn time_in(&self, ahead: Duration) -> String {
        signalbox::clock::after(self.clock.now(), ahead).to_string()
    }
}
