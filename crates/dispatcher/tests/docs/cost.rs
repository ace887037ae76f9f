//! What each sink has cost, in lines.

use std::fs;
use std::path::Path;

use crate::{assert_part_written, names_in, root, text};

/// Lines that are not blank in the Rust files below.
fn lines(path: &Path) -> usize {
    if path.is_dir() {
        let below = fs::read_dir(path).unwrap().map(|entry| lines(&entry.unwrap().path()));
        return below.sum();
    }
    if !path.exists() || path.extension().is_none_or(|extension| extension != "rs") {
        return 0;
    }
    fs::read_to_string(path).unwrap().lines().filter(|line| !line.trim().is_empty()).count()
}

/// Lines of the other crates, their tests and the sandbox aside, that name the sink's crate.
fn outside(name: &str) -> usize {
    let names = [name.to_owned(), name.replace('-', "_")];
    let is_one = |line: &&str| {
        let mut words = line.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
        words.any(|word| names.iter().any(|name| name == word))
    };
    let others = names_in("crates").into_iter().filter(|other| other != name && other != "platform-sandbox");
    others
        .map(|other| {
            let folder = root().join("crates").join(other);
            let manifest = text(folder.join("Cargo.toml"));
            manifest.lines().filter(is_one).count()
                + sources(&folder.join("src")).iter().flat_map(|source| source.lines()).filter(is_one).count()
        })
        .sum()
}

fn sources(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => fs::read_to_string(&path).into_iter().collect(),
        })
        .collect()
}

/// The platform's own files in the sandbox, and what the demo sets for it.
fn emulator(kind: &str) -> usize {
    let sandbox = root().join("crates/platform-sandbox/src");
    let module = kind.replace('-', "_");
    let module =
        module.strip_prefix("google_").filter(|short| sandbox.join(short).exists()).unwrap_or(&module);
    let variable = format!("\"{}_", kind.to_uppercase().replace('-', "_"));
    let demo = text("crates/dispatcher/src/cli/demo/mod.rs");
    let set = demo.lines().filter(|line| line.contains(&variable)).count();
    lines(&sandbox.join(module)) + lines(&sandbox.join(format!("{module}.rs"))) + set
}

fn changelog(title: &str) -> usize {
    let changelog = text("CHANGELOG.md");
    let entry = changelog.split("\n- ").find(|entry| entry.starts_with(&format!("The {title} sink")));
    entry
        .unwrap_or_else(|| panic!("CHANGELOG.md does not speak of the {title} sink"))
        .trim_end()
        .lines()
        .count()
}

#[test]
fn a_sink_costs_its_crate_and_two_lines() {
    let mut names = names_in("crates");
    names.retain(|name| name.starts_with("sink-"));
    names.sort();
    let mut table =
        "| crate | source | tests | outside | emulator, demo and changelog |\n|---|---|---|---|---|\n"
            .to_owned();
    for name in names {
        let kind = name.strip_prefix("sink-").unwrap();
        let title = conversion_core::registry::find(kind).unwrap().descriptor.title;
        let folder = root().join("crates").join(&name);
        let (source, tests) = (lines(&folder.join("src")), lines(&folder.join("tests")));
        let (outside, played) = (outside(&name), emulator(kind) + changelog(title));
        assert_eq!(outside, 2, "{name}: a sink needs two lines outside its crate");
        table.push_str(&format!("| `{name}` | {source} | {tests} | {outside} | {played} |\n"));
    }
    assert_part_written("docs/adding-a-sink.md", "cost", &table);
}
