//! Holds the documentation against the program: a page that names what is not there, or leaves out what is, fails here.
#![expect(clippy::unwrap_used, reason = "clippy's leave for tests does not reach their helpers")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use conversion_core::consent::{Consent, ConsentStatus};
use conversion_core::descriptor::SinkDescriptor;
use conversion_core::event::{Address, Content};
use conversion_core::failure::{FailureClass, HoldScope};
use conversion_core::source::SourceDescriptor;
use conversion_core::{CanonicalEvent, Timestamp, registry};
use conversion_store::{
    Confirmation, DeliveryId, DeliveryRecord, NoticeCounts, NoticeId, NoticeRecord, NoticeStatus, Origin,
    SinkId, Status,
};
use signalbox::api::{DeliveryView, NoticeView, SourceView};
use signalbox::config::SinkConfig;
use signalbox::service::{build_sink, build_source};
use signalbox::{Config, Environment};

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn names_in(folder: impl AsRef<Path>) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The part of a page under a heading, up to the next of the same rank.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) =
        page.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no heading {heading}"));
    let rank = heading.split(' ').next().unwrap_or_default();
    rest.split(&format!("\n{rank} ")).next().unwrap_or_default()
}

/// What stands in backticks in the first column of a text's tables.
fn first_column(text: &str) -> BTreeSet<String> {
    let cells = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    cells.flat_map(code_spans).collect()
}

fn code_spans(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Code blocks in that language.
fn code_blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("\n```{language}\n");
    let blocks =
        page.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap_or_default().to_owned());
    blocks.collect()
}

fn between<'a>(text: &'a str, before: &str, after: char) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(move |rest| rest.split(after).next())
}

fn nothing() -> Environment {
    Environment::default()
}

/// Sets every variable that `toml` refers to, to something of the right form.
fn everything(toml: &str) -> Environment {
    let names = between(toml, "${", '}').map(|reference| reference.split(":-").next().unwrap_or_default());
    let value = |name: &str| match name {
        _ if name.ends_with("_SHA256") => "0".repeat(64),
        _ if name.ends_with("_CUSTOMER_ID") => "123-456-7890".to_owned(),
        _ if name.ends_with("_USER_ID") => "12345".to_owned(),
        _ if name.ends_with("_ACTION") => "987654321".to_owned(),
        _ => "given".to_owned(),
    };
    names.map(|name| (name, value(name))).collect()
}

fn sink<'a>(config: &'a Config, kind: &str) -> &'a SinkConfig {
    config.sinks.iter().find(|sink| sink.descriptor.kind == kind).unwrap()
}

fn advice(config: &Config, kind: &str) -> Vec<String> {
    let now = Timestamp::from_second(1_795_435_200).unwrap();
    build_sink(config, sink(config, kind)).unwrap().advice(now)
}

#[test]
fn every_configuration_loads_and_its_connectors_can_be_built() {
    let examples = names_in("config/examples").into_iter().map(|name| format!("config/examples/{name}"));
    let files: Vec<String> = examples.chain(["config/signalbox.toml".to_owned()]).collect();
    assert!(files.len() > 3, "{files:?}");
    for file in files {
        let environment = everything(&text(&file));
        let config =
            Config::load(Some(&root().join(&file)), &environment).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert!(!config.sinks.is_empty(), "{file}");
        for sink in &config.sinks {
            build_sink(&config, sink).unwrap_or_else(|error| panic!("{file}: {error}"));
        }
        for source in &config.sources {
            build_source(source).unwrap_or_else(|error| panic!("{file}: {error}"));
        }
    }
}

/// `signalbox.toml` with the `#` before its defaults taken away.
fn uncommented() -> String {
    let setting = |line: &&str| {
        let name = line.strip_prefix("# ").and_then(|line| line.split(" = ").next());
        line.contains(" = ")
            && name.is_some_and(|name| name.chars().all(|c| c.is_ascii_alphabetic() || c == '_'))
    };
    let text = text("config/signalbox.toml");
    let lines = text.lines().map(|line| if setting(&line) { line.trim_start_matches("# ") } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_the_configuration_shows_as_defaults_are_the_defaults() {
    let default = Config::load(None, &nothing()).unwrap();
    let shown = Config::from_table(uncommented().parse().unwrap(), &nothing()).unwrap();
    for (shown, default) in [
        (format!("{:?}", shown.server), format!("{:?}", default.server)),
        (format!("{:?}", shown.store), format!("{:?}", default.store)),
        (format!("{:?}", shown.outbound), format!("{:?}", default.outbound)),
        (format!("{:?}", shown.defaults), format!("{:?}", default.defaults)),
        (format!("{:?}", shown.consent), format!("{:?}", default.consent)),
        (format!("{:?}", shown.delivery), format!("{:?}", default.delivery)),
        (format!("{:?}", shown.attribution), format!("{:?}", default.attribution)),
        (format!("{:?}", shown.qstash), format!("{:?}", default.qstash)),
        (format!("{:?}", shown.graphql), format!("{:?}", default.graphql)),
        (format!("{:?}", shown.log), format!("{:?}", default.log)),
    ] {
        assert_eq!(shown, default);
    }
    for SinkConfig { name, descriptor, options, .. } in &default.sinks {
        let mut shown_options = sink(&shown, descriptor.kind).options.clone();
        assert_eq!(shown_options.max_batch.take(), Some(descriptor.batch.items));
        assert_eq!(format!("{shown_options:?}"), format!("{options:?}"), "{name}");
        assert_eq!(advice(&shown, descriptor.kind), advice(&default, descriptor.kind), "{name}");
        let mapping =
            |config: &Config| build_sink(config, sink(config, descriptor.kind)).unwrap().mapping().clone();
        assert_eq!(mapping(&shown), mapping(&default), "{name}");
    }
}

/// The settings that a section or sink knows, as its error about an unknown one lists them.
fn known_settings(toml: &str) -> Vec<String> {
    let error = match Config::from_table(toml.parse().unwrap(), &nothing()) {
        Err(error) => error.to_string(),
        Ok(config) => match config.sources.first() {
            Some(source) => build_source(source).unwrap_err().to_string(),
            None => build_sink(&config, &config.sinks[0]).unwrap_err().to_string(),
        },
    };
    let (_, known) = error.split_once("; known are ").unwrap_or_else(|| panic!("{error}"));
    known.split(", ").map(str::to_owned).collect()
}

/// Names of the options that every sink has.
fn sink_options(config: &Config) -> Vec<String> {
    let options = format!("{:?}", config.sinks[0].options);
    let (_, fields) = options.split_once(" { ").unwrap();
    between(&format!(", {fields}"), ", ", ':').filter(|name| !name.contains(' ')).map(str::to_owned).collect()
}

#[test]
fn the_configuration_shows_every_setting_and_every_variable() {
    let page = text("config/signalbox.toml");
    let shows = |part: &str, name: &str| {
        part.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{name} =")))
            || part.contains(&format!("[sinks.{name}]"))
    };
    let sections = [
        "server",
        "store",
        "outbound",
        "defaults",
        "consent",
        "delivery",
        "qstash",
        "attribution",
        "graphql",
        "log",
    ];
    for name in sections {
        let part =
            page.split(&format!("\n[{name}]\n")).nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
        // No setting is like it, so that the error lists them all.
        for setting in known_settings(&format!("[{name}]\n__________ = 1")) {
            assert!(shows(part, &setting), "[{name}] {setting}");
        }
    }
    let options = sink_options(&Config::load(None, &nothing()).unwrap());
    assert!(options.contains(&"max_in_flight".to_owned()), "{options:?}");
    for SinkDescriptor { kind, environment, takes_consent, .. } in descriptors() {
        let part =
            page.split(&format!("\nkind = \"{kind}\"\n")).nth(1).and_then(|rest| rest.split("\n[[").next());
        let part = part.unwrap_or_else(|| panic!("config/signalbox.toml has no sink of kind {kind}"));
        for setting in known_settings(&format!("[[sinks]]\nkind = '{kind}'\n__________ = 1")) {
            assert!(shows(part, &setting) || options.contains(&setting), "{kind}: {setting}");
        }
        for option in options.iter().filter(|option| *takes_consent || *option != "send_denied") {
            assert!(shows(part, option), "{kind}: {option}");
        }
        for variable in *environment {
            assert!(part.contains(variable.name), "{kind}: {}", variable.name);
        }
    }
}

/// What `signalbox.toml` shows of a source, out of its comment.
fn source_example(kind: &str) -> String {
    let page = text("config/signalbox.toml");
    let lines = page.lines().filter_map(|line| line.strip_prefix("#   "));
    let blocks = lines.collect::<Vec<_>>().join("\n");
    let mut blocks = blocks.split("[[").map(|block| format!("[[{block}"));
    let own = blocks.find(|block| block.starts_with(&format!("[[sources]]\nkind = \"{kind}\"\n")));
    own.unwrap_or_else(|| panic!("config/signalbox.toml has no source of kind {kind}"))
}

#[test]
fn the_configuration_shows_every_setting_and_every_variable_of_sources() {
    for SourceDescriptor { kind, environment, .. } in source_descriptors() {
        let example = source_example(kind);
        for setting in known_settings(&format!("[[sources]]\nkind = '{kind}'\n__________ = 1")) {
            assert!(
                example.lines().any(|line| line.starts_with(&format!("{setting} ="))),
                "{kind}: {setting}"
            );
        }
        for variable in *environment {
            assert!(example.contains(variable.name), "{kind}: {}", variable.name);
        }
        let config = Config::from_table(example.parse().unwrap(), &nothing()).unwrap();
        build_source(&config.sources[0]).unwrap();
    }
}

fn source_descriptors() -> Vec<&'static SourceDescriptor> {
    registry::sources().into_iter().map(|plugin| plugin.descriptor).collect()
}

fn descriptors() -> Vec<&'static SinkDescriptor> {
    registry::plugins().into_iter().map(|plugin| plugin.descriptor).collect()
}

#[test]
fn every_sink_crate_is_in_the_program_and_in_the_readme() {
    let crates =
        names_in("crates").into_iter().filter_map(|name| Some(name.strip_prefix("sink-")?.to_owned()));
    let kinds: BTreeSet<String> = descriptors().iter().map(|descriptor| descriptor.kind.to_owned()).collect();
    assert_eq!(
        crates.collect::<BTreeSet<_>>(),
        kinds,
        "crates/dispatcher/src/sinks.rs has one line for each"
    );
    let readme = text("README.md");
    let table = section(&readme, "## Sinks");
    assert_eq!(first_column(table), kinds);
    for SinkDescriptor { docs, title, .. } in descriptors() {
        assert!(table.contains(&format!("[{title}")) && table.contains(docs), "{title}");
    }
}

#[test]
fn operations_lists_every_variable() {
    let page = text("docs/operations.md");
    let listed = first_column(section(&page, "## Configuration"));
    let of_sinks = descriptors().into_iter().flat_map(|descriptor| descriptor.environment);
    let of_sources = source_descriptors().into_iter().flat_map(|descriptor| descriptor.environment);
    for variable in of_sinks.chain(of_sources) {
        assert!(listed.contains(variable.name), "{}", variable.name);
    }
    let sources = [
        "crates/dispatcher/src/config/sections.rs",
        "crates/dispatcher/src/config/sink.rs",
        "crates/dispatcher/src/config/source.rs",
        "crates/dispatcher/src/config/keys.rs",
        "crates/dispatcher/src/cli/mod.rs",
        "crates/dispatcher/src/cli/caller.rs",
    ];
    let sources = sources.map(text).concat();
    let own: BTreeSet<&str> = between(&sources, "\"", '"').filter(|name| is_own_variable(name)).collect();
    assert!(own.contains("SIGNALBOX_LISTEN") && own.contains("QSTASH_TOKEN"), "{own:?}");
    for name in own {
        assert!(listed.contains(name), "{name}");
    }
}

fn is_own_variable(name: &str) -> bool {
    name.starts_with("SIGNALBOX_") || name.starts_with("QSTASH_")
}

#[test]
fn events_lists_every_field_and_no_other() {
    let page = text("docs/events.md");
    let fields: BTreeSet<String> = registry::vocabulary().names().map(str::to_owned).collect();
    assert_eq!(first_column(section(&page, "## Fields")), fields);
}

#[test]
fn the_graphql_schema_is_the_one_that_is_documented() {
    let schema = signalbox::graphql::schema(signalbox::config::Graphql::default()).sdl();
    assert_eq!(
        schema,
        text("docs/schema.graphql"),
        "where the change is meant, it goes into docs/schema.graphql"
    );
}

/// An event of which every part of every field is given. A new part does not compile here before it is named.
fn event_with_every_part() -> CanonicalEvent {
    let some = || Some("US".to_owned());
    let amount = conversion_core::money::Amount::parse("1").ok();
    CanonicalEvent {
        address: Address {
            street: some(),
            city: some(),
            region: some(),
            postal_code: some(),
            country: some(),
        },
        contents: vec![Content {
            id: some(),
            name: some(),
            category: some(),
            brand: some(),
            price: amount,
            quantity: Some(1),
        }],
        consent: Consent {
            ad_user_data: Some(ConsentStatus::Granted),
            ad_personalization: Some(ConsentStatus::Granted),
        },
        ..CanonicalEvent::new("TRIAL_BOOKED", "1", Timestamp::UNIX_EPOCH)
    }
}

#[test]
fn events_lists_every_part_of_a_field_and_no_other() {
    let event: serde_json::Value = serde_json::from_str(&event_with_every_part().to_json()).unwrap();
    let parts = |pointer: &str, prefix: &str| {
        let keys = event.pointer(pointer).and_then(serde_json::Value::as_object).unwrap().keys();
        keys.map(|key| format!("{prefix}.{key}")).collect::<Vec<_>>()
    };
    let parts = [("/address", "address"), ("/contents/0", "contents[]"), ("/consent", "consent")]
        .into_iter()
        .flat_map(|(pointer, prefix)| parts(pointer, prefix));
    let page = text("docs/events.md");
    let listed = section(&page, "## Parts of fields").split("\n### ").next().unwrap_or_default().to_owned();
    assert_eq!(first_column(&listed), parts.collect());
}

#[test]
fn events_shown_as_examples_are_accepted_and_mistakes_are_answered_as_shown() {
    let page = text("docs/events.md");
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let parse = |json: &str| CanonicalEvent::parse(json, &registry::vocabulary(), now);
    let examples = code_blocks(&page, "json");
    assert!(examples.len() >= 3);
    for example in examples {
        parse(&example).unwrap_or_else(|error| panic!("{error}\n{example}"));
    }
    let rows: Vec<Vec<&str>> = section(&page, "## Errors")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert!(rows.len() > 8);
    for row in rows {
        let [sent, field, message] = row.as_slice() else { panic!("{row:?}") };
        let (sent, field) = (sent.trim_matches('`'), field.trim_matches(['`', '"']));
        let base = r#""eventId":"1","eventName":"E","eventTime":1"#;
        let base: Vec<&str> =
            base.split(',').filter(|own| !sent.starts_with(own.split(':').next().unwrap())).collect();
        let json = if field.is_empty() { sent.to_owned() } else { format!("{{{},{sent}}}", base.join(",")) };
        let errors = parse(&json).unwrap_err().errors;
        assert!(
            errors.iter().any(|error| error.field == field && error.message == *message),
            "{sent}: {errors:?}"
        );
    }
}

#[test]
fn operations_lists_every_route_and_no_other() {
    let page = text("docs/operations.md");
    let table = section(&page, "## HTTP API").split("\n### ").next().unwrap_or_default().to_owned();
    let listed = first_column(&table);
    let source = text("crates/dispatcher/src/api/mod.rs");
    let routes = between(&source, ".route(\"", ')').map(|route| {
        let (path, handler) = route.split_once("\", ").unwrap();
        let method = handler.split('(').next().unwrap_or_default().to_uppercase();
        format!("{method} {path}")
    });
    assert_eq!(listed, routes.collect());
}

#[test]
fn operations_describes_every_field_of_a_delivery() {
    let time = Timestamp::UNIX_EPOCH;
    let record = DeliveryRecord {
        id: DeliveryId { event: 1, sink: SinkId(1) },
        event_name: String::new(),
        event_id: String::new(),
        conversion_id: String::new(),
        origin: Origin::Test,
        sink: String::new(),
        kind: String::new(),
        platform: String::new(),
        status: Status::Pending,
        confirmation: Confirmation::Awaited,
        reason: None,
        message: None,
        consent: None,
        accepted_at: time,
        settled_at: None,
        next_attempt_at: None,
        attempts: 0,
        response_code: None,
        driver: conversion_store::Driver::Builtin,
        last_attempt: None,
    };
    assert_eq!(described_fields("### `GET /api/deliveries`"), fields_of(&DeliveryView::of(&record)));
}

/// The names in the table of fields under a heading.
fn described_fields(heading: &str) -> BTreeSet<String> {
    let page = text("docs/operations.md");
    let (_, table) = section(&page, heading).split_once("| field | means |").unwrap();
    first_column(table.split("\n## ").next().unwrap_or_default())
}

fn fields_of(view: &impl serde::Serialize) -> BTreeSet<String> {
    serde_json::to_value(view).unwrap().as_object().unwrap().keys().cloned().collect()
}

#[test]
fn operations_describes_every_field_of_a_notice_and_of_a_source() {
    let record = NoticeRecord {
        id: NoticeId(1),
        source: String::new(),
        action: String::new(),
        appointment: None,
        status: NoticeStatus::Pending,
        reason: None,
        message: None,
        event: None,
        received_at: Timestamp::UNIX_EPOCH,
        due_at: None,
        tries: 0,
    };
    assert_eq!(described_fields("### `GET /api/notices`"), fields_of(&NoticeView::of(record)));
    let source = SourceView {
        name: String::new(),
        kind: "",
        state: "",
        hold_reason: None,
        hold_message: None,
        held_until: None,
        notices: NoticeCounts::default(),
    };
    assert_eq!(described_fields("### `GET /api/sources`"), fields_of(&source));
}

/// Every file of Rust under a folder.
fn sources(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in names_in(folder) {
        let path = format!("{folder}/{name}");
        if root().join(&path).is_dir() {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
    found
}

#[test]
fn operations_explains_every_reason() {
    let page = text("docs/operations.md");
    let explained: BTreeSet<String> = ["## Holds", "## Skips", "## Waiting", "## Failures", "## Notices"]
        .into_iter()
        .flat_map(|heading| first_column(section(&page, heading)))
        .collect();
    let wait = std::time::Duration::ZERO;
    let classes = [
        FailureClass::Rejected,
        FailureClass::TooLarge,
        FailureClass::NotYet { wait },
        FailureClass::RateLimited { retry_after: None },
        FailureClass::Unauthorized { scope: HoldScope::Sink },
        FailureClass::Unavailable { retry_after: None },
        FailureClass::Unreachable,
        FailureClass::Interrupted,
    ];
    for class in classes {
        assert!(explained.contains(class.name()), "{class:?}");
    }
    let mut in_code = BTreeSet::new();
    for file in
        sources("crates").into_iter().filter(|file| !file.contains("/tests/") && !file.contains("sandbox"))
    {
        let text = text(&file);
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        // Where a reason is written: in a field, or as what a function of `settle` or of the gate is given.
        for opening in [
            " reason: \"",
            "(&standing, \"",
            "give_up(\"",
            "ignored(\"",
            ".failed(\"",
            "_REFUSED: &str = \"",
            "_CREDENTIALS: &str = \"",
            "_GAVE_UP: &str = \"",
        ] {
            in_code.extend(between(code, opening, '"').map(|reason| (reason.to_owned(), file.clone())));
        }
    }
    let found: BTreeSet<&str> = in_code.iter().map(|(reason, _)| reason.as_str()).collect();
    for expected in [
        "mock_mode",
        "all_refused",
        "retry_period_over",
        "mapping_changed_after_send",
        "unreadable_event",
        "unusable_event",
        "queue_gave_up",
    ] {
        assert!(found.contains(expected), "this test no longer sees {expected} in the code");
    }
    for (reason, file) in &in_code {
        assert!(explained.contains(reason), "{reason} of {file}");
    }
}

#[test]
fn pages_name_files_that_are_there() {
    let mut seen = 0;
    let docs = ["docs/architecture.md", "docs/adding-a-sink.md", "docs/adding-a-source.md"];
    for page in docs.into_iter().chain(["README.md", "CONTRIBUTING.md"]) {
        let content = text(page);
        for path in code_spans(&content)
            .iter()
            .filter(|span| span.starts_with("crates/") && !span.contains(['*', '{']))
        {
            // Of a crate that is yet to be written.
            if ["PLATFORM", "SYSTEM", "acme"].iter().any(|name| path.contains(name)) {
                continue;
            }
            seen += 1;
            // This page's own test is there, or it would not run.
            assert!(root().join(path).exists(), "{page} names {path}");
        }
    }
    assert!(seen > 40, "{seen}");
    let architecture = text("docs/architecture.md");
    for name in names_in("crates") {
        assert!(
            architecture.contains(&format!("crates/{name}")),
            "docs/architecture.md leaves out crates/{name}"
        );
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    let docs = names_in("docs").into_iter().map(|name| format!("docs/{name}"));
    let own = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned);
    for page in docs.chain(own) {
        let content = text(&page);
        for link in between(&content, "](", ')').filter(|link| !link.starts_with("http")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                root().join(&page)
            } else {
                root().join(&page).with_file_name("").join(file)
            };
            assert!(target.exists(), "{page} links to {link}");
            if !anchor.is_empty() {
                let target = fs::read_to_string(&target).unwrap();
                let anchors = target.lines().filter_map(|line| line.strip_prefix('#'));
                let mut anchors =
                    anchors.map(|line| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-"));
                assert!(anchors.any(|known| known == anchor), "{page} links to {link}");
            }
        }
    }
}

/// Dependencies of a crate within the workspace, without those of its tests.
fn dependencies(name: &str) -> BTreeSet<String> {
    let manifest: toml::Table = text(format!("crates/{name}/Cargo.toml")).parse().unwrap();
    manifest.get("dependencies").and_then(toml::Value::as_table).unwrap().keys().cloned().collect()
}

#[test]
fn dependencies_point_the_way_that_architecture_says() {
    let core = dependencies("conversion-core");
    for barred in ["tokio", "reqwest", "rusqlite", "http-exchange"] {
        assert!(!core.contains(barred), "conversion-core depends on {barred}");
    }
    let own: BTreeSet<String> = names_in("crates").into_iter().collect();
    for name in &own {
        let allowed: &[&str] = match name.as_str() {
            "conversion-core" | "platform-sandbox" => &[],
            "http-exchange" | "conversion-store" => &["conversion-core"],
            "google-platform" => &["conversion-core", "http-exchange"],
            _ if name.starts_with("sink-") => &["conversion-core", "http-exchange", "google-platform"],
            _ if name.starts_with("source-") => &["conversion-core", "http-exchange"],
            _ => continue,
        };
        for dependency in dependencies(name).intersection(&own) {
            assert!(allowed.contains(&dependency.as_str()), "{name} depends on {dependency}");
        }
    }
}
