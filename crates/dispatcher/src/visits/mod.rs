//! Visits: what landing pages report, on its way into the store, and out of it when its time is over.

mod script;
mod sweep;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use conversion_core::attribution::Attribution;
use conversion_core::consent::ConsentStatus;
use conversion_core::event::{FieldError, Vocabulary};
use conversion_store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

pub use script::Script;

use crate::clock::Clock;
use crate::config::Config;
use crate::group::{self, Entrance};
use crate::ingest::IngestError;
use crate::rate::Rate;

/// Where visits are handed in.
#[derive(Debug)]
pub struct Visits {
    /// How many may come.
    pub rate: Arc<Rate>,
    /// What sites paste.
    pub script: Script,
    vocabulary: Arc<Vocabulary>,
    store: Arc<dyn Store>,
    clock: Clock,
    entrance: Entrance<Attribution>,
}

/// Pages where visitors book.
#[derive(Debug, Default)]
pub struct BookingPages {
    /// Their hosts; a subdomain counts as its domain.
    pub hosts: BTreeSet<&'static str>,
    /// The query parameters that take the attribution's id, beside `va_attrib`.
    pub parameters: BTreeSet<String>,
}

impl Visits {
    /// The way in, the committer that must run until `stop` for it to lead anywhere, and the upkeep that must run as
    /// long as the service does.
    pub fn open(
        config: &Config,
        pages: &BookingPages,
        vocabulary: Arc<Vocabulary>,
        store: Arc<dyn Store>,
        clock: Clock,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = ()> + use<>, impl Future<Output = ()> + use<>) {
        let settings = &config.attribution;
        let (entrance, exit) = group::way();
        let rate = Arc::new(Rate::new(settings.visits_per_minute, clock.clone()));
        let writing = Arc::clone(&store);
        let commit = exit.run(stop, move |visits| {
            let store = Arc::clone(&writing);
            async move { store.keep_attributions(&visits).await }
        });
        let upkeep = upkeep(Arc::clone(&rate), Arc::clone(&store), clock.clone(), settings.keep_for);
        let script = Script::new(pages, &settings.cookie_attributes(config.server.public_url.as_deref()));
        (Self { rate, script, vocabulary, store, clock, entrance }, commit, upkeep)
    }

    /// Reads a visit that is reported now.
    pub fn read(&self, json: &str) -> Result<Attribution, Vec<FieldError>> {
        Attribution::read_visit(json, &self.vocabulary, self.clock.now())
    }

    /// Keeps a visit, and says whether it did. Returns after the commit. Of a visitor who refuses nothing is kept; where
    /// an earlier visit is, the refusal is joined to it.
    pub async fn take(&self, mut visit: Attribution) -> Result<bool, IngestError> {
        let is_refusal = visit.consent.ad_user_data == Some(ConsentStatus::Denied);
        if is_refusal {
            let known = self.store.attributions(std::slice::from_ref(&visit.id)).await;
            let Some(known) = known.map_err(unavailable)?.pop() else { return Ok(false) };
            // Kept no longer for it than it would have been.
            visit = Attribution { consent: visit.consent, ..Attribution::new(visit.id, known.last_seen) };
        }
        self.entrance.commit(vec![visit]).await?;
        Ok(!is_refusal)
    }
}

fn unavailable(error: StoreError) -> IngestError {
    tracing::error!(%error, "attributions cannot be read");
    IngestError::Store(Arc::new(error))
}

async fn upkeep(rate: Arc<Rate>, store: Arc<dyn Store>, clock: Clock, keep_for: Duration) {
    tokio::join!(rate.upkeep(), sweep::run(&*store, &clock, keep_for));
}
