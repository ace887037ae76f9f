//! What pages say of the repository: its files, crates and dependencies, and each other.

use std::collections::BTreeSet;
use std::fs;

use signalbox::platform;

use super::{assert_part_written, between, code_spans, descriptors, names_in, root, text};

#[test]
fn every_sink_crate_is_in_the_program() {
    let crates =
        names_in("crates").into_iter().filter_map(|name| Some(name.strip_prefix("sink-")?.to_owned()));
    let kinds: BTreeSet<String> = descriptors().iter().map(|descriptor| descriptor.kind.to_owned()).collect();
    assert_eq!(
        crates.collect::<BTreeSet<_>>(),
        kinds,
        "crates/dispatcher/src/sinks.rs has one line for each"
    );
}

#[test]
fn the_readme_shows_every_platform() {
    let platforms = platform::all();
    let row = |head: &str, cells: Vec<String>| format!("| {head} | {} |\n", cells.join(" | "));
    let titles = platforms.iter().map(|platform| format!("[{}]({})", platform.title, platform.docs));
    let mut table = row("", titles.collect());
    table += &row("---", platforms.iter().map(|_| "---".to_owned()).collect());
    let read = |kind: &str| format!("[`{kind}`](crates/sink-{kind}/README.md)");
    table += &row("kind", platforms.iter().map(|platform| read(platform.kind)).collect());
    let facts: Vec<_> = platforms.iter().map(|platform| platform.facts()).collect();
    for (number, (head, _)) in platforms[0].facts().iter().enumerate() {
        table += &row(head, facts.iter().map(|facts| facts[number].1.clone()).collect());
    }
    assert_part_written("README.md", "platforms", &table);
}

#[test]
fn pages_name_files_that_are_there() {
    let mut seen = 0;
    let docs =
        ["docs/architecture.md", "docs/adding-a-sink.md", "docs/adding-a-source.md", "docs/reliability.md"];
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
    // Of sinks it says what they have in common.
    for name in names_in("crates").into_iter().filter(|name| !name.starts_with("sink-")) {
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
            "http-exchange" | "conversion-store" | "conformance-kit" => &["conversion-core"],
            "google-platform" => &["conversion-core", "http-exchange"],
            _ if name.starts_with("sink-") => &["conversion-core", "http-exchange", "google-platform"],
            _ if name.starts_with("source-") => &["conversion-core", "http-exchange"],
            _ => {
                assert!(!dependencies(name).contains("conformance-kit"), "{name} is not a test");
                continue;
            }
        };
        for dependency in dependencies(name).intersection(&own) {
            assert!(allowed.contains(&dependency.as_str()), "{name} depends on {dependency}");
        }
    }
}

#[test]
fn every_sink_is_held_to_the_rules_of_the_kit() {
    for name in names_in("crates").iter().filter(|name| name.starts_with("sink-")) {
        let tests = text(format!("crates/{name}/tests/it/conformance.rs"));
        assert!(tests.contains("\nconformance_kit::conformance!("), "{name}");
        assert!(text(format!("crates/{name}/tests/it/main.rs")).contains("\nmod conformance;\n"), "{name}");
    }
}
