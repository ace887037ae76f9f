//! TLS for the HTTP API: a certificate and its key from files, which are read again when they change.

mod handshake;
mod pair;

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::sync::watch;

use self::pair::{Digest, Pair};
use crate::clock::{Clock, after};
use crate::config::{ConfigError, Server, TlsFiles};

/// The files are looked at this often. Their content is compared, not their time: a mount may be exchanged as a whole,
/// and a copy may keep its time.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The certificate in use.
pub struct Tls {
    files: TlsFiles,
    /// What the files said at the start.
    first: Digest,
    current: watch::Sender<Arc<ServerConfig>>,
}

impl Tls {
    /// By these settings: `None` where plain HTTP is spoken. An error names the file and the mend.
    pub fn open(server: &Server) -> Result<Option<Self>, ConfigError> {
        let Some(files) = server.tls()? else { return Ok(None) };
        let pair = Pair::read(&files)?;
        let current = watch::Sender::new(pair.settings(&files)?);
        Ok(Some(Self { first: pair.digest(), files, current }))
    }

    /// What a connection that begins now is served with.
    fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.borrow())
    }

    /// Takes up the files whenever they have changed, for ever. What cannot be used is logged once, and what was in use
    /// stays so. Connections that stand are left alone.
    pub async fn keep_current(&self, clock: &Clock) {
        let mut seen = Ok(self.first);
        loop {
            clock.sleep_until(after(clock.now(), LOOK_EVERY)).await;
            let (now, settings) = self.look().await;
            if now == seen {
                continue;
            }
            match settings {
                Ok(settings) => {
                    self.current.send_replace(settings);
                    tracing::info!("the TLS certificate was taken up anew from its files");
                }
                Err(error) => {
                    tracing::error!(%error, "the TLS files have changed and cannot be used; what was in use is kept");
                }
            }
            seen = now;
        }
    }

    /// What the files say now, or why they cannot be read; and what follows from it.
    async fn look(&self) -> (Result<Digest, String>, Result<Arc<ServerConfig>, String>) {
        let files = self.files.clone();
        let look = move || {
            let pair = Pair::read(&files).map_err(|error| error.to_string());
            let settings = pair.as_ref().map_err(Clone::clone);
            let settings = settings.and_then(|pair| pair.settings(&files).map_err(|error| error.to_string()));
            (pair.map(|pair| pair.digest()), settings)
        };
        // Files may lie on a slow disk.
        match tokio::task::spawn_blocking(look).await {
            Ok(looked) => looked,
            Err(broken) => (Err(broken.to_string()), Err(broken.to_string())),
        }
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}
