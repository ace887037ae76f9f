//! `docs/reasons.md`, and that the registry which it shows is whole.

use std::collections::BTreeSet;
use std::process::Command;

use conversion_core::reason::{self, Place};

use super::{assert_written, between, names_in, root, text};

#[test]
fn the_page_of_reasons_is_what_the_program_prints() {
    let printed =
        Command::new(env!("CARGO_BIN_EXE_signalbox")).args(["reasons", "--markdown"]).output().unwrap();
    assert_written("docs/reasons.md", &String::from_utf8(printed.stdout).unwrap());
}

#[test]
fn a_name_has_one_entry_in_each_place() {
    let mut seen = BTreeSet::new();
    for reason in reason::all() {
        for place in reason.places {
            assert!(seen.insert((*place, reason.name)), "{} {}", place.name(), reason.name);
            assert_eq!(reason::find(*place, reason.name), Some(reason));
        }
        assert!(reason.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", reason.name);
        for text in [reason.sentence, reason.fix] {
            assert!(!text.is_empty() && !text.ends_with('.') && !text.contains(['|', '\n']), "{text}");
        }
    }
    for place in Place::ALL {
        assert!(seen.iter().any(|(seen, _)| *seen == place), "no reason of {}", place.name());
    }
}

/// Every file of Rust under a folder, and what it holds before its tests.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in names_in(folder) {
        let path = format!("{folder}/{name}");
        if root().join(&path).is_dir() {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = text(&path);
            found.push((path, text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()));
        }
    }
    found
}

fn service_sources() -> Vec<(String, String)> {
    let crates =
        names_in("crates").into_iter().filter(|name| name != "platform-sandbox" && !name.ends_with("-kit"));
    crates.flat_map(|name| sources(&format!("crates/{name}/src"))).collect()
}

#[test]
fn no_reason_is_written_down_but_by_the_registry() {
    let sources = service_sources();
    for (file, code) in &sources {
        // As a field of ours, and as a column.
        for opening in ["reason: \"", "reason: Some(\"", "reason = '"] {
            assert_eq!(between(code, opening, '\n').next(), None, "{file}: define it by reasons!");
        }
    }
    let doors = ["name_in(Place::", "reason.name.to_owned()"];
    let is_seen = |door| sources.iter().any(|(_, code)| code.contains(door));
    assert!(doors.into_iter().all(is_seen), "this test no longer sees how reasons are written down");
}

/// Statements, without comments and imports.
fn statements(code: &str) -> Vec<String> {
    let lines: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let statements = lines.join("\n");
    let is_import = |statement: &&str| statement.trim_start().trim_start_matches("pub ").starts_with("use ");
    statements.split(';').filter(|statement| !is_import(statement)).map(str::to_owned).collect()
}

#[test]
fn every_reason_of_the_registry_is_produced() {
    let statements: Vec<String> = service_sources().iter().flat_map(|(_, code)| statements(code)).collect();
    let (definitions, uses): (Vec<&String>, Vec<&String>) =
        statements.iter().partition(|statement| statement.contains("\" of ["));
    let words: BTreeSet<&str> = uses
        .iter()
        .flat_map(|statement| statement.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '"')))
        .collect();
    let mut defined = BTreeSet::new();
    for definition in definitions {
        let (_, definition) = definition.split_once("const ").unwrap();
        let (constant, name) = definition.split_once(": \"").unwrap();
        assert!(words.contains(constant), "nothing produces {constant}");
        defined.insert(name.split('"').next().unwrap_or_default());
    }
    let registered: BTreeSet<&str> = reason::all().iter().map(|reason| reason.name).collect();
    assert_eq!(defined, registered, "the sources define what the program has");
}
