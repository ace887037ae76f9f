//! `config/` and the tables of settings and variables.

use std::collections::BTreeSet;

use conversion_core::Timestamp;
use conversion_core::descriptor::{SinkDescriptor, VariableKind};
use conversion_core::source::SourceDescriptor;
use signalbox::config::SinkConfig;
use signalbox::service::{build_sink, build_source};
use signalbox::{Config, Environment};

use super::{
    assert_part_written, between, descriptors, first_column, names_in, nothing, root, section,
    source_descriptors, text,
};

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
    for SinkDescriptor { kind, environment, takes_consent, confirmation, example, .. } in descriptors() {
        let settings = known_settings(&format!("[[sinks]]\nkind = '{kind}'\n__________ = 1"));
        for setting in settings.iter().filter(|setting| !options.contains(setting)) {
            assert!(shows(example, setting), "the example of {kind}: {setting}");
        }
        // Of further sinks their examples say enough.
        let part =
            page.split(&format!("\nkind = \"{kind}\"\n")).nth(1).and_then(|rest| rest.split("\n[[").next());
        let Some(part) = part else { continue };
        for setting in settings {
            assert!(shows(part, &setting) || options.contains(&setting), "{kind}: {setting}");
        }
        let is_its = |option: &&String| match option.as_str() {
            "send_denied" => *takes_consent,
            "confirm_after" => confirmation.is_some(),
            _ => true,
        };
        for option in options.iter().filter(is_its) {
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

#[test]
fn operations_lists_every_variable() {
    let page = text("docs/operations.md");
    let listed = first_column(section(&page, "## Configuration"));
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

/// Variables that speak to the sinks and sources that are named like their kinds.
#[test]
fn operations_shows_the_variables_of_sinks_and_sources() {
    let sinks = descriptors().into_iter().map(|descriptor| (descriptor.kind, descriptor.environment));
    let sources =
        source_descriptors().into_iter().map(|descriptor| (descriptor.kind, descriptor.environment));
    let mut table = "| variable | setting |\n|---|---|\n".to_owned();
    for (kind, variables) in sinks.chain(sources) {
        for variable in variables {
            let form = match variable.kind {
                VariableKind::Text => "",
                VariableKind::Flag => ": `true` or `false`",
                VariableKind::Map => ", as `A=B,C=D`, merged over the file's; `A=` unmaps",
                VariableKind::List => ", as `A,B`, in place of the file's",
            };
            table += &format!("| `{}` | {kind}: `{}`{form} |\n", variable.name, variable.setting);
        }
    }
    assert_part_written("docs/operations.md", "variables", &table);
}

fn is_own_variable(name: &str) -> bool {
    name.starts_with("SIGNALBOX_") || name.starts_with("QSTASH_")
}
