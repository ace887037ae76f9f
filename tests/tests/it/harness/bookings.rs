//! Acuity, played by the sandbox, and a service that takes its webhooks.

use platform_sandbox::{Acuity, AcuityReport, AcuitySettings, Booking};
use serde_json::Value;

use super::api::Api;
use super::wait::until;
use super::world::{Setup, World};

/// The appointment type that is a trial.
pub(crate) const TRIAL: u64 = 88;
/// The intake form's field that holds the visitor's id, where the settings say so.
pub(crate) const FIELD: u64 = 16_788_923;
/// Where Acuity posts its webhooks.
pub(crate) const WEBHOOKS: &str = "/api/webhooks/acuity/acuity";

impl Setup {
    /// Credentials for Acuity, which has not been told of the service yet.
    pub(crate) fn with_acuity(self) -> Self {
        let trial = TRIAL.to_string();
        let AcuitySettings { user_id, api_key, .. } = AcuitySettings::default();
        self.with("SIGNALBOX_SOURCES", "acuity")
            .with("ACUITY_USER_ID", &user_id)
            .with("ACUITY_API_KEY", &api_key)
            .with("ACUITY_TRIAL_TYPES", &trial)
    }

    /// Starts with Acuity, which behaves like this and tells the service.
    pub(crate) async fn start_with_acuity(self, settings: AcuitySettings) -> World {
        let base = |platforms: &super::Platforms| ("ACUITY_BASE_URL".to_owned(), platforms.base.clone());
        let world = self.with_acuity().start_with(|platforms| vec![base(platforms)]).await;
        world.acuity_is(settings);
        world
    }
}

impl World {
    pub(crate) fn acuity(&self) -> Acuity {
        self.platforms.sandbox.acuity()
    }

    /// Acuity behaves like this from now on, and tells this service.
    pub(crate) fn acuity_is(&self, settings: AcuitySettings) {
        let webhook_target = Some(format!("{}{WEBHOOKS}", self.base));
        self.acuity().configure(AcuitySettings { webhook_target, ..settings });
    }

    pub(crate) fn acuity_report(&self) -> AcuityReport {
        self.platforms.sandbox.report().acuity
    }

    /// Returns when the service has taken all that Acuity had to tell, so many webhooks, and has worked it off.
    pub(crate) async fn until_told(&self, webhooks: u64) {
        until(&format!("{webhooks} webhooks to be worked off"), async || {
            let (report, source) = (self.acuity_report(), self.source("acuity").await);
            let is_done = report.webhooks_accepted == webhooks && source["pending"] == 0;
            if is_done { Ok(()) } else { Err(format!("{report:?} {source}")) }
        })
        .await;
    }
}

impl Api {
    /// The source as `/api/sources` shows it.
    pub(crate) async fn source(&self, name: &str) -> Value {
        let sources = self.read("/api/sources").await;
        let found =
            sources["items"].as_array().unwrap().iter().find(|source| source["name"] == name).cloned();
        found.unwrap_or_else(|| panic!("no source {name} in {sources}"))
    }

    /// Returns the source once it is held, or no longer is.
    pub(crate) async fn until_source(&self, name: &str, state: &str) -> Value {
        until(&format!("{name} to be {state}"), async || {
            let found = self.source(name).await;
            if found["state"] == state { Ok(found) } else { Err(found.to_string()) }
        })
        .await
    }

    /// Notices that the query finds, the latest first.
    pub(crate) async fn notices(&self, query: &str) -> Vec<Value> {
        let page = self.read(&format!("/api/notices?limit=500&{query}")).await;
        assert_eq!(page["nextCursor"], Value::Null, "more than a page");
        page["items"].as_array().unwrap().clone()
    }

    /// Name, id and conversion id of every event that went to a sink, the earliest first.
    pub(crate) async fn told(&self, sink: &str) -> Vec<[String; 3]> {
        let mut deliveries = self.deliveries(&format!("sink={sink}")).await;
        deliveries.reverse();
        let of = |delivery: &Value| {
            ["eventName", "eventId", "conversionId"].map(|field| delivery[field].as_str().unwrap().to_owned())
        };
        deliveries.iter().map(of).collect()
    }
}

/// A trial that begins then, booked by somebody of this name.
pub(crate) fn trial(name: &str, datetime: impl Into<String>) -> Booking {
    Booking {
        datetime: datetime.into(),
        email: format!("{name}@example.com"),
        first_name: name.to_owned(),
        type_id: TRIAL,
        price: "49.00".to_owned(),
        ..Booking::default()
    }
}
