//! The whole dispatcher: store, sinks, sources, workers and the ways in, put together and taken down in order.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;

use conversion_core::dedup::DedupTarget;
use conversion_core::event::Vocabulary;
use conversion_core::reason::MISSING_CREDENTIALS;
use conversion_core::registry::{self, SinkContext};
use conversion_core::settings::SettingsError;
use conversion_core::sink::{ConversionSink, NotSent, Subject};
use conversion_core::source::BookingSource;
use conversion_core::{CanonicalEvent, Timestamp};
use conversion_store::{NewNotice, RegisteredSink, SinkId, SinkRegistration, Store, StoreError};
use http_exchange::Pace;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::alarm::Alarm;
use crate::batch::Limits;
use crate::booking::{Clerk, Desk, UnderWay};
use crate::clock::Clock;
use crate::config::{Config, ConfigError, MAX_BODY, OutboundMode, SinkConfig, SourceConfig};
use crate::gate::Gate;
use crate::group::{self, Entrance};
use crate::ingest::{Committer, Ingest, Lane};
use crate::intake;
use crate::ledger::Ledger;
use crate::queue::{Handover, Publisher, Queue};
use crate::rate::Rate;
use crate::run::Run;
use crate::screen::Rules;
use crate::seldom::Seldom;
use crate::settle::Patience;
use crate::visits::{BookingPages, Visits};
use crate::watch::Watch;
use crate::worker::{Confirmer, Station, Worker};

/// Room for bodies of webhooks, in bytes: two thousand of the longest.
const WEBHOOK_ROOM: usize = 32 * 1024 * 1024;

/// Wrong keys that are answered as such, from one address in a minute.
const GUESSES: NonZeroU32 = NonZeroU32::MIN.saturating_add(29);

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
    /// The way in of visits.
    pub visits: Visits,
    /// One for each configured sink.
    pub stations: Vec<Arc<Station>>,
    /// One for each configured source.
    pub desks: Vec<Arc<Desk>>,
    /// The external queue, if one is configured.
    pub queue: Option<Arc<Queue>>,
    /// Room for request bodies, in bytes.
    pub body_room: Semaphore,
    /// Room for bodies of webhooks, which are read before anything is proved: they must not take that of others.
    pub webhook_room: Semaphore,
    /// When a refused request is a warning.
    pub refusals: Seldom,
    /// How many wrong keys and test secrets may come.
    pub guesses: Arc<Rate>,
    ledger: Ledger,
    watch: Watch,
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
    /// A source's settings are wrong.
    #[error("source {name}: {source}")]
    Source {
        /// Its name.
        name: String,
        /// What is wrong.
        source: SettingsError,
    },
    /// The way to the external queue is not configured as it must be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The external queue cannot be used.
    #[error("[qstash]: {0}")]
    Queue(SettingsError),
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

/// Makes the connector of a configured source.
pub fn build_source(source: &SourceConfig) -> Result<Arc<dyn BookingSource>, StartError> {
    let fail = |error| StartError::Source { name: source.name.clone(), source: error };
    let kind = source.descriptor.kind;
    let plugin = registry::sources().into_iter().find(|plugin| plugin.descriptor.kind == kind);
    let plugin = plugin.ok_or_else(|| fail(SettingsError::new(format!("no connector of kind {kind}"))))?;
    (plugin.build)(source.settings.0.clone()).map_err(fail)
}

/// Where visitors book with the configured sources.
fn booking_pages(config: &Config, sources: &[Arc<dyn BookingSource>]) -> BookingPages {
    BookingPages {
        hosts: config.sources.iter().flat_map(|source| source.descriptor.booking_hosts).copied().collect(),
        parameters: sources.iter().filter_map(|source| source.attribution_parameter()).collect(),
    }
}

/// The external queue, where it is configured.
pub fn build_queue(config: &Config) -> Result<Option<Queue>, StartError> {
    config.queue_link()?.map(Queue::new).transpose().map_err(StartError::Queue)
}

/// The sentence about missing credentials, if any are.
pub fn missing_credentials(sink: &dyn ConversionSink, now: Timestamp) -> Option<String> {
    let event = CanonicalEvent::new("", "", now);
    match sink.prepare(&Subject::new(&event), now) {
        Err(NotSent::Skip(skip)) if skip.reason == MISSING_CREDENTIALS => Some(skip.message),
        _ => None,
    }
}

/// Logs what a human should know about a sink's settings.
fn advise(name: &str, sink: &dyn ConversionSink, now: Timestamp) {
    let missing = missing_credentials(sink, now)
        .map(|missing| format!("{missing}: until it is given, nothing is sent here"));
    for advice in missing.into_iter().chain(sink.advice(now)) {
        tracing::warn!(sink = name, "{advice}");
    }
}

/// For each sink, what its publisher and the queue's calls share.
fn handovers(
    config: &Config,
    registered: &[RegisteredSink],
    now: Timestamp,
) -> HashMap<SinkId, Arc<Handover>> {
    let handover = |(sink, settings): (&RegisteredSink, &SinkConfig)| {
        let alarm = Arc::new(Alarm::at(now));
        (sink.id, Arc::new(Handover::new(alarm, settings.options.max_in_flight)))
    };
    registered.iter().zip(&config.sinks).map(handover).collect()
}

impl Service {
    /// Starts to work: what was left undone is taken up, and events can come in.
    pub async fn start(config: Config, store: Arc<dyn Store>, clock: Clock) -> Result<Self, StartError> {
        let sinks =
            config.sinks.iter().map(|sink| build_sink(&config, sink)).collect::<Result<Vec<_>, _>>()?;
        let sources = config.sources.iter().map(build_source).collect::<Result<Vec<_>, _>>()?;
        let pages = booking_pages(&config, &sources);
        let queue = build_queue(&config)?.map(Arc::new);
        let run = Arc::new(Run::start(Arc::clone(&store), clock.clone()).await?);
        let configured = config.sinks.iter().zip(&sinks);
        let registrations: Vec<_> =
            configured.map(|(settings, sink)| registration(&config, settings, &**sink)).collect();
        let registered = store.register_sinks(&registrations).await?;
        let handovers = match queue {
            Some(_) => handovers(&config, &registered, clock.now()),
            None => HashMap::new(),
        };
        let alarm = |sink| match handovers.get(&sink) {
            Some(handover) => Alarm::with(clock.now(), Arc::clone(&handover.alarm)),
            None => Alarm::at(clock.now()),
        };
        let alarms: HashMap<_, _> =
            registered.iter().map(|sink| (sink.id, Arc::new(alarm(sink.id)))).collect();
        let confirmed =
            registered.iter().zip(&config.sinks).filter(|(_, sink)| sink.confirmation().is_some());
        let receipts: HashMap<_, _> =
            confirmed.map(|(sink, _)| (sink.id, Arc::new(Alarm::at(clock.now())))).collect();
        let (ledger, write) =
            Ledger::open(Arc::clone(&store), clock.clone(), alarms.clone(), receipts.clone());
        let watch = Watch::default();
        let mut background = tokio::task::JoinSet::new();
        background.spawn(watch.over(write));
        let heart = Arc::clone(&run);
        background.spawn(watch.over(async move { heart.keep_alive().await }));

        let guesses = Arc::new(Rate::new(GUESSES, clock.clone()));
        let counted = Arc::clone(&guesses);
        background.spawn(watch.over(async move { counted.upkeep().await }));
        if let Some(advice) = config.keys.advice() {
            tracing::warn!("{advice}");
        }

        if config.outbound.mode == OutboundMode::Mock {
            tracing::warn!("[outbound] mode is mock: nothing is sent, and every delivery is skipped");
        }
        let stop_workers = CancellationToken::new();
        let surroundings = Surroundings {
            vocabulary: Arc::new(registry::vocabulary()),
            clock: clock.clone(),
            run: Arc::clone(&run),
            store: Arc::clone(&store),
            ledger: ledger.clone(),
            watch: watch.clone(),
            stop: stop_workers.clone(),
        };
        let workers = TaskTracker::new();
        let installation: Arc<str> = store.installation().await?.into();
        let mut lanes = Vec::new();
        for ((settings, sink), remembered) in config.sinks.iter().zip(sinks).zip(registered) {
            advise(&settings.name, &*sink, clock.now());
            let Some(alarm) = alarms.get(&remembered.id) else { continue };
            let changed = remembered.settings_changed;
            let handover = handovers.get(&remembered.id).cloned();
            let station =
                surroundings.station(&config, settings, sink, remembered, (Arc::clone(alarm), handover));
            if changed {
                // Whatever was wrong with the old settings says nothing of the new ones.
                for parked in station.resume().await? {
                    let station = Arc::clone(&station);
                    workers.spawn(watch.over(async move { station.release(Some(parked)).await }));
                }
            }
            if let Some((schedule, alarm)) = station.confirmation.zip(receipts.get(&station.id)) {
                let confirmer = Confirmer::new(Arc::clone(&station), schedule, Arc::clone(alarm));
                workers.spawn(watch.over(confirmer.run()));
            }
            let (intake, outlet) = intake::way();
            workers.spawn(watch.over(Worker::new(Arc::clone(&station), outlet).run()));
            match queue.as_ref().zip(station.handover.as_ref()) {
                Some((queue, handover)) => {
                    let (queue, station) = (Arc::clone(queue), Arc::clone(&station));
                    let (handover, installation) = (Arc::clone(handover), Arc::clone(&installation));
                    let publisher = Publisher::new(queue, station, handover, installation);
                    workers.spawn(watch.over(publisher.run()));
                }
                None if store.next_queue_due(station.id).await?.is_some() => tracing::warn!(
                    sink = %station.name,
                    "deliveries wait for QStash, which is not configured: set [qstash] and [server] public_url, or \
                     retry them by hand"
                ),
                None => {}
            }
            lanes.push(Lane { station, intake });
        }

        let stations: Vec<_> = lanes.iter().map(|lane| Arc::clone(&lane.station)).collect();
        let stop_committer = CancellationToken::new();
        let committer = TaskTracker::new();
        let mut desks = Vec::new();
        for (settings, source) in config.sources.iter().zip(sources) {
            let (entrance, exit) = group::way();
            let desk = surroundings.desk(&config, settings, source, &stations, entrance);
            tracing::info!(source = %desk.name, path = desk.path(), "webhooks are taken");
            workers.spawn(watch.over(Clerk::new(Arc::clone(&desk)).run()));
            committer.spawn(watch.over(Arc::clone(&desk).file(exit, stop_committer.clone())));
            desks.push(desk);
        }

        let committing = Committer {
            store: Arc::clone(&store),
            clock: clock.clone(),
            run: run.id,
            lanes,
            driver: config.delivery.queue.into(),
            stop: stop_committer.clone(),
        };
        let vocabulary = surroundings.vocabulary;
        let (visits, commit_visits, upkeep) = Visits::open(
            &config,
            &pages,
            Arc::clone(&vocabulary),
            Arc::clone(&store),
            clock.clone(),
            stop_committer.clone(),
        );
        background.spawn(watch.over(upkeep));
        let (ingest, commit) = Ingest::open(vocabulary, clock.clone(), committing);
        committer.spawn(watch.over(commit));
        committer.spawn(watch.over(commit_visits));
        Ok(Self {
            config,
            store,
            clock,
            ingest,
            visits,
            stations,
            desks,
            queue,
            body_room: Semaphore::new(MAX_BODY),
            webhook_room: Semaphore::new(WEBHOOK_ROOM),
            refusals: Seldom::default(),
            guesses,
            ledger,
            watch,
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

    /// The desk of the source of that name.
    pub fn desk(&self, name: &str) -> Option<&Arc<Desk>> {
        self.desks.iter().find(|desk| desk.name == name)
    }

    /// Runs `task` to its end, even if whoever asked for it has gone.
    pub fn finish<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.workers.spawn(task.in_current_span())
    }

    /// Whether the service is being stopped: what can be continued later should end.
    pub fn is_stopping(&self) -> bool {
        self.stop_workers.is_cancelled()
    }

    /// Returns when all results handed in before are in the store.
    pub async fn flush(&self) {
        self.ledger.flush().await;
    }

    /// Returns if a part of the service has broken: then the rest must not go on as if nothing were.
    pub async fn broken(&self) {
        self.watch.broken().await;
    }

    /// Stops in order: no more events, what is in flight finished, what is not handed back, all of it written. May be
    /// given up on: what is not written then is taken up by the next start.
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

/// What all stations and desks share.
struct Surroundings {
    vocabulary: Arc<Vocabulary>,
    clock: Clock,
    run: Arc<Run>,
    store: Arc<dyn Store>,
    ledger: Ledger,
    watch: Watch,
    stop: CancellationToken,
}

impl Surroundings {
    fn station(
        &self,
        config: &Config,
        settings: &SinkConfig,
        sink: Arc<dyn ConversionSink>,
        remembered: RegisteredSink,
        (alarm, handover): (Arc<Alarm>, Option<Arc<Handover>>),
    ) -> Arc<Station> {
        let SinkConfig { name, descriptor, options, .. } = settings;
        let rules = Rules::of(config, settings);
        Arc::new(Station {
            id: remembered.id,
            name: name.clone(),
            descriptor,
            sink,
            gate: Gate::restored(remembered.holds, remembered.past),
            alarm,
            limits: Limits {
                items: options.max_batch.unwrap_or(descriptor.batch.items),
                bytes: descriptor.batch.max_bytes,
            },
            max_in_flight: options.max_in_flight,
            in_flight: Arc::new(Semaphore::new(options.max_in_flight)),
            handover,
            pace: Pace::new(options.requests_per_second),
            patience: Patience {
                max_event_age: rules.max_event_age,
                dedup_window: descriptor.dedup.and_then(|dedup| dedup.window),
                retry_for: config.delivery.retry_for,
            },
            confirmation: settings.confirmation(),
            rules,
            mode: config.outbound.mode,
            on_missing_credentials: options.on_missing_credentials,
            vocabulary: Arc::clone(&self.vocabulary),
            clock: self.clock.clone(),
            run: Arc::clone(&self.run),
            store: Arc::clone(&self.store),
            ledger: self.ledger.clone(),
            writing_holds: Mutex::new(()),
            watch: self.watch.clone(),
            stop: self.stop.clone(),
        })
    }

    fn desk(
        &self,
        config: &Config,
        settings: &SourceConfig,
        source: Arc<dyn BookingSource>,
        stations: &[Arc<Station>],
        entrance: Entrance<NewNotice>,
    ) -> Arc<Desk> {
        Arc::new(Desk {
            name: settings.name.clone(),
            sources: config.sources.iter().map(|source| source.name.clone()).collect(),
            descriptor: settings.descriptor,
            source,
            gate: Gate::restored(Vec::new(), Vec::new()),
            alarm: Alarm::at(self.clock.now()),
            opened_at: self.clock.now(),
            entrance,
            under_way: UnderWay::default(),
            retry_for: config.delivery.retry_for,
            stations: stations.to_vec(),
            driver: config.delivery.queue.into(),
            vocabulary: Arc::clone(&self.vocabulary),
            clock: self.clock.clone(),
            store: Arc::clone(&self.store),
            watch: self.watch.clone(),
            stop: self.stop.clone(),
        })
    }
}

fn registration(config: &Config, settings: &SinkConfig, sink: &dyn ConversionSink) -> SinkRegistration {
    let SinkConfig { name, descriptor, options, settings, .. } = settings;
    let all = format!("{}\n{options:?}\n{:?}\n{}", descriptor.kind, config.outbound.mode, settings.0);
    let digest: [u8; 32] = Sha256::digest(all.as_bytes()).into();
    let mut fingerprint = [0; 16];
    fingerprint.copy_from_slice(digest.split_at(16).0);
    SinkRegistration {
        name: name.clone(),
        kind: descriptor.kind.to_owned(),
        platform: descriptor.platform.to_owned(),
        fingerprint,
        targets: targets(config, sink),
    }
}

/// Where the platform dedupes what is sent in this run: in mock mode nothing is.
fn targets(config: &Config, sink: &dyn ConversionSink) -> BTreeMap<String, DedupTarget> {
    if config.outbound.mode == OutboundMode::Mock {
        return BTreeMap::new();
    }
    let names = sink.mapping().keys();
    names.filter_map(|name| Some((name.clone(), sink.dedup_target(name)?))).collect()
}
