//! The registry finds what is linked, and a descriptor what is asked of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use conversion_core::descriptor::{BatchLimits, SinkDescriptor, Sunset, Variable, VariableKind};
use conversion_core::exchange::Request;
use conversion_core::failure::{Failure, FailureClass};
use conversion_core::identity::{CallingCode, Recipe};
use conversion_core::registry::{SinkContext, SinkPlugin, SourcePlugin, find, plugins, sources, vocabulary};
use conversion_core::report::SendReport;
use conversion_core::settings::SettingsError;
use conversion_core::sink::{CheckReport, ConversionSink, NotSent, Payload, Subject};
use conversion_core::skip::Skip;
use conversion_core::source::SourceDescriptor;
use conversion_core::{CanonicalEvent, Timestamp};

static WALRUS: SinkDescriptor = SinkDescriptor {
    kind: "walrus",
    platform: "WALRUS",
    title: "Walrus",
    docs: "https://walrus.test/docs",
    api_version: "v3",
    sunsets: &[Sunset { version: "v1", date: "2025-06-01" }, Sunset { version: "v2", date: "2026-06-01" }],
    batch: BatchLimits { items: 1, max_items: 1, max_bytes: 1000 },
    max_event_age: Some(Duration::from_secs(86_400)),
    dedup: None,
    atomic: false,
    confirmation: None,
    test_mode: "test",
    takes_consent: false,
    match_keys: &["wclid", "tusk"],
    click_ids: &["wclid", "shared"],
    cookies: &[],
    environment: &[
        Variable { name: "WALRUS_PIXEL", setting: "pixel_id", kind: VariableKind::Text },
        Variable { name: "WALRUS_TOKEN", setting: "token", kind: VariableKind::Text },
    ],
    example: "",
};

static BADGER: SinkDescriptor =
    SinkDescriptor { kind: "badger", title: "Badger", click_ids: &["shared", "bclid"], ..WALRUS };

inventory::submit! {
    SinkPlugin { descriptor: &WALRUS, build: |_, _| Ok(Arc::new(Plain::default())), own_reply: |_, _| None }
}

inventory::submit! {
    SinkPlugin { descriptor: &BADGER, build: |_, _| Err(SettingsError::new("no badger")), own_reply: |_, _| None }
}

const fn source(kind: &'static str) -> SourceDescriptor {
    SourceDescriptor {
        kind,
        title: "Calendar",
        docs: "https://calendar.test/docs",
        signature_header: "x-signature",
        booking_hosts: &[],
        environment: &[],
        example: "",
    }
}

static ZEBRA: SourceDescriptor = source("zebra");
static MAGPIE: SourceDescriptor = source("magpie");

inventory::submit! {
    SourcePlugin { descriptor: &ZEBRA, build: |_| Err(SettingsError::new("no zebra")) }
}

inventory::submit! {
    SourcePlugin { descriptor: &MAGPIE, build: |_| Err(SettingsError::new("no magpie")) }
}

/// A sink that has no more to it than every sink must.
#[derive(Debug, Default)]
struct Plain {
    mapping: BTreeMap<String, String>,
}

#[async_trait]
impl ConversionSink for Plain {
    fn prepare(&self, subject: &Subject<'_>, _: Timestamp) -> Result<Payload, NotSent> {
        Err(Skip::no_event_mapping("Plain", &subject.event.event_name).into())
    }

    fn compose(&self, _: &[&Payload]) -> Request {
        unreachable!("it prepares nothing")
    }

    async fn send(&self, _: Arc<Request>) -> SendReport {
        SendReport::all_delivered(Vec::new())
    }

    async fn check(&self) -> Result<CheckReport, Failure> {
        Err(Failure::new(FailureClass::Unreachable, "there is nothing to reach"))
    }

    fn recipes(&self) -> &[Recipe] {
        &[]
    }

    fn api_version(&self) -> &str {
        "v1"
    }

    fn mapping(&self) -> &BTreeMap<String, String> {
        &self.mapping
    }

    fn advice(&self, _: Timestamp) -> Vec<String> {
        Vec::new()
    }
}

fn context(name: &str) -> SinkContext {
    SinkContext { name: name.to_owned(), phone_country: CallingCode::NANP }
}

#[test]
fn connectors_are_listed_by_kind_and_found_by_it() {
    let kinds: Vec<&str> = plugins().iter().map(|plugin| plugin.descriptor.kind).collect();
    assert_eq!(kinds, ["badger", "walrus"]);
    let kinds: Vec<&str> = sources().iter().map(|plugin| plugin.descriptor.kind).collect();
    assert_eq!(kinds, ["magpie", "zebra"]);
    for kind in ["badger", "walrus"] {
        assert_eq!(find(kind).map(|plugin| plugin.descriptor.kind), Some(kind));
    }
    assert!(find("otter").is_none());
}

#[test]
fn a_click_id_of_two_platforms_is_one_word() {
    assert_eq!(vocabulary().click_ids(), ["bclid", "shared", "wclid"]);
}

#[test]
fn a_sink_asks_for_no_more_than_it_says() {
    let built = find("walrus").map(|plugin| (plugin.build)(toml::Table::new(), &context("walrus")));
    let Some(Ok(sink)) = built else { panic!("it takes no settings") };
    let event = CanonicalEvent::new("TRIAL_BOOKED", "e1", Timestamp::UNIX_EPOCH);
    assert!(!sink.wants_related(&event));
    assert_eq!(sink.dedup_target("TRIAL_BOOKED"), None);
}

#[test]
fn a_descriptor_knows_its_variables_and_the_end_of_its_versions() {
    for (version, date) in [("v1", Some("2025-06-01")), ("v2", Some("2026-06-01")), ("v3", None)] {
        assert_eq!(WALRUS.sunset(version), date, "{version}");
    }
    for (setting, variable) in
        [("pixel_id", Some("WALRUS_PIXEL")), ("token", Some("WALRUS_TOKEN")), ("mode", None)]
    {
        assert_eq!(WALRUS.variable(setting), variable, "{setting}");
    }
}

#[test]
fn what_is_missing_is_named_as_it_can_be_given() {
    for (name, settings, sentence) in [
        ("walrus", ["pixel_id", "token"], "Missing env: WALRUS_PIXEL, WALRUS_TOKEN"),
        ("walrus", ["token", "key_file"], "Missing env: WALRUS_TOKEN, key_file"),
        ("second-walrus", ["pixel_id", "token"], "Missing settings: pixel_id, token"),
    ] {
        assert_eq!(context(name).missing(&WALRUS, &settings), sentence, "{name}");
    }
}
