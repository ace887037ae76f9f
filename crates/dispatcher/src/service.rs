//! The whole dispatcher: store, sinks, workers and the way in, put together and taken down in order.

use std::collections::HashMap;
use std::sync::Arc;

use conversion_core::registry::{self, SinkContext};
use conversion_core::settings::SettingsError;
use conversion_core::sink::ConversionSink;
use conversion_store::{RegisteredSink, SinkRegistration, Store, StoreError};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::alarm::Alarm;
use crate::batch::Limits;
use crate::clock::Clock;
use crate::config::{Config, SinkConfig};
use crate::gate::Gate;
use crate::ingest::{Committer, Ingest, Lane};
use crate::intake;
use crate::ledger::Ledger;
use crate::pace::Pace;
use crate::run::Run;
use crate::screen::Rules;
use crate::settle::Patience;
use crate::worker::{Station, Worker};

/// A running dispatcher.
#[derive(Debug)]
pub struct Service {
    /// What it was told.
    pub config: Config,
    /// The account.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Clock,
    /// The way in.
    pub ingest: Ingest,
    /// One for each configured sink.
    pub stations: Vec<Arc<Station>>,
    /// This node's run.
    pub run: Arc<Run>,
    ledger: Ledger,
    workers: TaskTracker,
    committer: TaskTracker,
    stop_committer: CancellationToken,
    stop_workers: CancellationToken,
    /// Ledger and heartbeat: ended when the service is dropped.
    _background: tokio::task::JoinSet<()>,
}

/// Why the dispatcher could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A sink's settings are wrong.
    #[error("sink {name}: {source}")]
    Sink {
        /// Its name.
        name: String,
        /// What is wrong.
        source: SettingsError,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the connector of a configured sink.
pub fn build_sink(config: &Config, sink: &SinkConfig) -> Result<Arc<dyn ConversionSink>, StartError> {
    let context = SinkContext { name: sink.name.clone(), phone_country: config.defaults.phone_country };
    let fail = |source| StartError::Sink { name: sink.name.clone(), source };
    let plugin = registry::find(sink.descriptor.kind)
        .ok_or_else(|| fail(SettingsError::new(format!("no connector of kind {}", sink.descriptor.kind))))?;
    (plugin.build)(sink.settings.0.clone(), &context).map_err(fail)
}

impl Service {
    /// Starts to work: what was left undone is taken up, and events can come in.
    pub async fn start(config: Config, store: Arc<dyn Store>, clock: Clock) -> Result<Self, StartError> {
        let sinks =
            config.sinks.iter().map(|sink| build_sink(&config, sink)).collect::<Result<Vec<_>, _>>()?;
        let run = Arc::new(Run::start(Arc::clone(&store), clock.clone()).await?);
        let registrations: Vec<SinkRegistration> = config.sinks.iter().map(registration).collect();
        let registered = store.register_sinks(&registrations).await?;
        let alarms: HashMap<_, _> =
            registered.iter().map(|sink| (sink.id, Arc::new(Alarm::at(clock.now())))).collect();
        let (ledger, write) = Ledger::open(Arc::clone(&store), clock.clone(), alarms.clone());
        let vocabulary = Arc::new(registry::vocabulary());

        let mut stations = Vec::new();
        let mut lanes = Vec::new();
        let (stop_workers, workers) = (CancellationToken::new(), TaskTracker::new());
        for ((sink_config, sink), remembered) in config.sinks.iter().zip(sinks).zip(registered) {
            for advice in sink.advice(clock.now()) {
                tracing::warn!(sink = %sink_config.name, "{advice}");
            }
            let changed = remembered.settings_changed;
            let Some(alarm) = alarms.get(&remembered.id) else { continue };
            let settings = common(&config, sink_config);
            let station = Arc::new(Station {
                id: remembered.id,
                sink,
                gate: restore_gate(remembered),
                alarm: Arc::clone(alarm),
                vocabulary: Arc::clone(&vocabulary),
                clock: clock.clone(),
                run: Arc::clone(&run),
                store: Arc::clone(&store),
                ledger: ledger.clone(),
                name: sink_config.name.clone(),
                descriptor: sink_config.descriptor,
                limits: settings.limits,
                max_in_flight: sink_config.options.max_in_flight,
                pace: Pace::new(sink_config.options.requests_per_second),
                patience: settings.patience,
                mode: config.outbound.mode,
                rules: settings.rules,
                on_missing_credentials: sink_config.options.on_missing_credentials,
            });
            if changed {
                // Whatever was wrong with the old settings says nothing of the new ones.
                station.resume().await;
            }
            let (intake, outlet) = intake::way();
            workers.spawn(Worker::new(Arc::clone(&station), outlet, stop_workers.clone()).run());
            lanes.push(Lane { station: Arc::clone(&station), intake });
            stations.push(station);
        }

        let stop_committer = CancellationToken::new();
        let committer_parts = Committer {
            store: Arc::clone(&store),
            clock: clock.clone(),
            run: run.id,
            lanes,
            stop: stop_committer.clone(),
        };
        let (ingest, commit) = Ingest::open(vocabulary, clock.clone(), committer_parts);
        let committer = TaskTracker::new();
        committer.spawn(commit);
        let mut background = tokio::task::JoinSet::new();
        background.spawn(write);
        let heart = Arc::clone(&run);
        background.spawn(async move { heart.keep_alive().await });
        Ok(Self {
            config,
            store,
            clock,
            ingest,
            stations,
            run,
            ledger,
            workers,
            committer,
            stop_committer,
            stop_workers,
            _background: background,
        })
    }

    /// The station of the sink of that name.
    pub fn station(&self, name: &str) -> Option<&Arc<Station>> {
        self.stations.iter().find(|station| station.name == name)
    }

    /// Returns when all results handed in before are in the store.
    pub async fn flush(&self) {
        self.ledger.flush().await;
    }

    /// Stops in order: no more events, what is in flight finished, what is not handed back, all of it written.
    pub async fn stop(&self) {
        self.stop_committer.cancel();
        self.committer.close();
        self.committer.wait().await;
        self.stop_workers.cancel();
        self.workers.close();
        self.workers.wait().await;
        self.ledger.flush().await;
    }
}

struct Common {
    rules: Rules,
    limits: Limits,
    patience: Patience,
}

fn common(config: &Config, sink: &SinkConfig) -> Common {
    let descriptor = sink.descriptor;
    let rules = Rules::of(config, sink);
    Common {
        rules,
        limits: Limits {
            items: sink.options.max_batch.unwrap_or(descriptor.batch.items),
            bytes: descriptor.batch.max_bytes,
        },
        patience: Patience {
            max_event_age: rules.max_event_age,
            dedup_window: descriptor.dedup.and_then(|dedup| dedup.window),
            retry_for: config.delivery.retry_for,
        },
    }
}

fn restore_gate(remembered: RegisteredSink) -> Gate {
    Gate::restored(remembered.holds, remembered.past)
}

fn registration(sink: &SinkConfig) -> SinkRegistration {
    let settings = format!("{}\n{:?}\n{}", sink.descriptor.kind, sink.options, sink.settings.0);
    let digest: [u8; 32] = Sha256::digest(settings.as_bytes()).into();
    let mut fingerprint = [0; 16];
    fingerprint.copy_from_slice(digest.split_at(16).0);
    SinkRegistration {
        name: sink.name.clone(),
        kind: sink.descriptor.kind.to_owned(),
        platform: sink.descriptor.platform.to_owned(),
        fingerprint,
    }
}
