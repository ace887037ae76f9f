//! A sink and its platform, made up to be sound, or to break one rule at a time.

mod answer;
mod config;
mod defect;
mod prepare;
mod send;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::Duration;

use async_trait::async_trait;
use conformance_kit::{Profile, Recorded, Reply, TestMode};
use conversion_core::Timestamp;
use conversion_core::dedup::DedupTarget;
use conversion_core::descriptor::{BatchLimits, Dedup, SinkDescriptor, Variable, VariableKind};
use conversion_core::exchange::Request;
use conversion_core::failure::Failure;
use conversion_core::identity::Recipe;
use conversion_core::registry::{BuiltSink, SinkContext, SinkPlugin};
use conversion_core::report::SendReport;
use conversion_core::sink::{CheckReport, ConversionSink, NotSent, Payload, Subject};
use http_exchange::{Client, ClientOptions, TokenCache};
use serde_json::json;

use self::config::Config;
pub(crate) use self::defect::Defect;

/// What kind of platform it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Face {
    tokens: bool,
    atomic: bool,
}

impl Face {
    /// Access tokens that are asked for, and a verdict for each item.
    pub(crate) const TOKENS: Self = Self { tokens: true, atomic: false };
    /// A token for ever, and one verdict for all.
    pub(crate) const ATOMIC: Self = Self { tokens: false, atomic: true };
}

/// The profile.
#[derive(Clone, Debug)]
pub(crate) struct Specimen {
    pub(crate) face: Face,
    pub(crate) defect: Defect,
    /// Whether its plugin is found.
    pub(crate) is_announced: bool,
    pub(crate) folder: String,
    pub(crate) settings: String,
}

impl Specimen {
    pub(crate) fn sound(face: Face) -> Self {
        Self::with(face, Defect::None)
    }

    pub(crate) fn with(face: Face, defect: Defect) -> Self {
        let events = match defect {
            Defect::NothingMapped => "OTHER = 'other'",
            _ => "TRIAL_BOOKED = 'Booked', TRIAL_RESCHEDULED = 'Booked', APPOINTMENT_UPDATED = 'Moved'",
        };
        let token_url = if face.tokens { "token_url = '{token_url}'" } else { "" };
        let settings = format!(
            "account = 'kit-account'\nsecret_key = 'kit-secret-key'\nbase_url = '{{url}}/api'\n{token_url}\n\
             events = {{ {events} }}\ndefect = '{defect:?}'"
        );
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/specimen").to_owned();
        Self { face, defect, is_announced: defect != Defect::NotAnnounced, folder, settings }
    }

    fn descriptor(&self) -> SinkDescriptor {
        let is = |defect| self.defect == defect;
        let variable = |name, setting| Variable { name, setting, kind: VariableKind::Text };
        let mut environment =
            vec![variable("SPECIMEN_ACCOUNT", "account"), variable("SPECIMEN_SECRET_KEY", "secret_key")];
        if is(Defect::VariableOfNothing) {
            environment.push(variable("SPECIMEN_NOTHING", "nothing"));
        }
        let example = match self.defect {
            Defect::ExampleRefused => {
                "# SPECIMEN_ACCOUNT, SPECIMEN_SECRET_KEY\naccount = 'a'\nsecret_key = 's'\nextra = 1"
            }
            Defect::ExampleShort => "# SPECIMEN_ACCOUNT\naccount = 'a'",
            _ => "# SPECIMEN_ACCOUNT, SPECIMEN_SECRET_KEY\naccount = 'a'\nsecret_key = 's'",
        };
        SinkDescriptor {
            kind: "specimen",
            platform: if is(Defect::PlatformMisnamed) { "Acme" } else { "SPECIMEN" },
            title: "Specimen",
            docs: match self.defect {
                Defect::DocsUnlinked => "https://docs.acme.example/elsewhere",
                _ => "https://docs.acme.example/conversions",
            },
            api_version: "v1",
            sunsets: &[],
            batch: BatchLimits {
                items: if is(Defect::BatchOfNone) { 0 } else { 10 },
                max_items: 100,
                max_bytes: 100_000,
            },
            max_event_age: None,
            dedup: Some(Dedup { key: "account + event + id", window: None }),
            atomic: self.face.atomic,
            confirmation: None,
            test_mode: "test",
            takes_consent: false,
            match_keys: &["gclid", "email"],
            click_ids: &["gclid"],
            cookies: &[],
            environment: environment.leak(),
            example,
        }
    }
}

impl Profile for Specimen {
    fn kind(&self) -> &'static str {
        "specimen"
    }

    fn plugin(&self) -> Option<&'static SinkPlugin> {
        let own_reply = if self.defect == Defect::OwnReplyPanics { careless_reply } else { own_reply };
        let plugin = SinkPlugin { descriptor: Box::leak(Box::new(self.descriptor())), build, own_reply };
        self.is_announced.then(|| &*Box::leak(Box::new(plugin)))
    }

    fn folder(&self) -> &str {
        &self.folder
    }

    fn settings(&self) -> &str {
        &self.settings
    }

    fn credentials(&self) -> &[&str] {
        &["account", "secret_key"]
    }

    fn secrets(&self) -> &[&str] {
        &["secret_key"]
    }

    fn variations(&self) -> &[&str] {
        &["names = true"]
    }

    fn conversion_id(&self) -> &str {
        "/id"
    }

    fn test_mode(&self) -> TestMode {
        match self.defect {
            Defect::TestModeTaken => TestMode::Refused { value: "true" },
            Defect::TestModeNotInUrl => TestMode::InUrl { value: "true", shows: "?test" },
            _ => TestMode::InBody { value: "true", at: "/test", shows: json!(true) },
        }
    }

    fn skipped(&self) -> &[(&str, &str)] {
        &[
            ("booking_by_nobody", "no_identifiers"),
            ("booking_refused", "consent_denied"),
            ("booking_canceled", "no_event_mapping"),
            ("order_paid", "no_event_mapping"),
        ]
    }

    fn taken(&self, items: usize) -> Reply {
        match self.face.atomic {
            true => Reply::json(200, &json!({"taken": items})),
            false => Reply::json(200, &json!({"results": vec!["OK"; items]})),
        }
    }

    fn refusing(&self, items: usize, position: usize) -> Reply {
        if self.face.atomic {
            return Reply::json(400, &json!({"error": "E_BAD", "at": position}));
        }
        let result = |item| if item == position { "E_BAD" } else { "OK" };
        Reply::json(200, &json!({"results": (0..items).map(result).collect::<Vec<_>>()}))
    }

    fn unauthorized(&self) -> Reply {
        Reply::json(401, &json!({"error": "E_KEY"}))
    }

    fn codes(&self) -> Vec<Recorded> {
        answer::CODES
            .iter()
            .map(|(code, told)| Recorded {
                code: (*code).to_owned(),
                reply: Reply::json(400, &json!({"error": code})),
                told: *told,
            })
            .collect()
    }

    fn grant(&self, token: &str) -> Option<Reply> {
        self.face.tokens.then(|| Reply::new(200, token))
    }
}

fn build(settings: toml::Table, context: &SinkContext) -> BuiltSink {
    let config = Config::read(settings)?;
    let missing = config.missing();
    let timeout = Duration::from_secs(config.timeout_seconds);
    Ok(Arc::new(Acme {
        missing: (!missing.is_empty())
            .then(|| context.missing(&Specimen::sound(Face::TOKENS).descriptor(), &missing)),
        recipes: prepare::recipes(),
        client: Client::new(ClientOptions { timeout, ..ClientOptions::default() })?,
        tokens: TokenCache::default(),
        is_busy: AtomicBool::new(false),
        prepared: AtomicU32::new(0),
        config,
    }))
}

fn own_reply(body: &str, _position: usize) -> Option<String> {
    Some(body.to_owned())
}

fn careless_reply(body: &str, position: usize) -> Option<String> {
    Some(body.split(',').nth(position).expect("an answer for each").to_owned())
}

/// The sink.
pub(crate) struct Acme {
    config: Config,
    missing: Option<String>,
    recipes: [Recipe; 2],
    client: Client,
    tokens: TokenCache,
    is_busy: AtomicBool,
    prepared: AtomicU32,
}

impl Acme {
    fn has(&self, defect: Defect) -> bool {
        self.config.defect == defect
    }
}

impl fmt::Debug for Acme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut acme = f.debug_struct("Acme");
        if self.has(Defect::SecretPrinted) {
            acme.field("secret_key", &self.config.exposed());
        }
        acme.field("config", &self.config).finish_non_exhaustive()
    }
}

#[async_trait]
impl ConversionSink for Acme {
    fn prepare(&self, subject: &Subject<'_>, now: Timestamp) -> Result<Payload, NotSent> {
        self.payload(subject, now)
    }

    fn compose(&self, payloads: &[&Payload]) -> Request {
        self.request(payloads)
    }

    async fn send(&self, request: Arc<Request>) -> SendReport {
        self.exchange(request).await
    }

    async fn check(&self) -> Result<CheckReport, Failure> {
        self.try_credentials().await
    }

    fn recipes(&self) -> &[Recipe] {
        &self.recipes
    }

    fn api_version(&self) -> &str {
        "v1"
    }

    fn mapping(&self) -> &BTreeMap<String, String> {
        &self.config.events
    }

    fn dedup_target(&self, event_name: &str) -> Option<DedupTarget> {
        match self.config.events.get(event_name) {
            _ if self.missing.is_some() || self.has(Defect::TargetUnstated) => None,
            None if self.has(Defect::TargetOfUnmapped) => Some(self.target("unmapped")),
            target => Some(self.target(target?)),
        }
    }

    fn advice(&self, _now: Timestamp) -> Vec<String> {
        Vec::new()
    }
}
