//! `signalbox serve`

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use conversion_store::Access;
use tokio::net::TcpListener;

use super::Verdict;
use crate::config::Config;
use crate::tls::Tls;
use crate::{Clock, Service, api};

/// What is in flight this long after that is left to the next start.
const FINISH: Duration = Duration::from_secs(60);
/// Requests that are still under way this long after a stop are given up.
const DRAIN: Duration = Duration::from_secs(20);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Address to listen on, such as 127.0.0.1:8080.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where the account is kept, such as sqlite://signalbox.db.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

impl Arguments {
    /// Flags win over all else.
    pub(super) fn over(&self, mut config: Config) -> anyhow::Result<Config> {
        config.server.listen = self.listen.unwrap_or(config.server.listen);
        if let Some(url) = &self.store {
            config.store.url.clone_from(url);
        }
        config.check_exposure()?;
        Tls::open(&config.server)?;
        Ok(config)
    }
}

pub(super) async fn run(config: Config) -> anyhow::Result<Verdict> {
    let mut stop_signal = StopSignal::listen()?;
    let address = config.server.listen;
    let store = conversion_store::open(&config.store.url, Access::ReadWrite)?;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let service = Arc::new(Service::start(config, store, Clock::running()).await?);
    let address = listener.local_addr()?;
    let sinks: Vec<&str> = service.stations.iter().map(|station| station.name.as_str()).collect();
    let sources: Vec<&str> = service.desks.iter().map(|desk| desk.name.as_str()).collect();
    let tls = service.config.server.tls_certificate.is_some();
    tracing::info!(%address, tls, sinks = sinks.join(","), sources = sources.join(","), "listening");
    let stopping = tokio_util::sync::CancellationToken::new();
    let server = api::serve(listener, Arc::clone(&service), stopping.clone().cancelled_owned());
    tokio::select! {
        served = server => served?,
        () = async { stop_signal.received().await; stopping.cancel(); tokio::time::sleep(DRAIN).await } => {
            tracing::warn!("some requests were still under way and are given up");
        }
        () = service.broken() => anyhow::bail!("a part of the service broke; what it worked on is taken up at the next start"),
    }
    tracing::info!("stopping: finishing what is in flight");
    tokio::select! {
        () = service.stop() => tracing::info!("stopped"),
        // Safe at any time: the next start takes up what is not written.
        () = stop_signal.received() => tracing::warn!("stopped at once, as asked"),
        () = tokio::time::sleep(FINISH) => tracing::warn!("stopped before all was finished"),
    }
    Ok(Verdict::Good)
}

/// Being asked to stop: from when it is made on, no such wish ends the process in another way.
pub(super) struct StopSignal {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl StopSignal {
    pub(super) fn listen() -> anyhow::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let listen = |kind| signal(kind).context("cannot listen to signals");
            Ok(Self {
                interrupt: listen(SignalKind::interrupt())?,
                terminate: listen(SignalKind::terminate())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Returns when the process is asked to stop, once for each time.
    pub(super) async fn received(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
