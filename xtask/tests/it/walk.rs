//! The walk of docs/adding-a-sink.md, followed word by word.

use std::fs;

use crate::workspace::{Workspace, repository, stderr, stdout};

const CRATE: &str = "crates/sink-pinterest";

/// A block of the page: what stands behind its three backticks, and its lines.
struct Block<'a> {
    head: &'a str,
    lines: &'a str,
}

fn blocks(section: &str) -> Vec<Block<'_>> {
    let parts: Vec<&str> = section.split("```").collect();
    let fenced = parts.iter().skip(1).step_by(2);
    fenced
        .map(|fenced| {
            let (head, lines) = fenced.split_once('\n').unwrap();
            Block { head: head.trim(), lines }
        })
        .collect()
}

/// Runs the commands of a block. Returns what the last one printed.
fn run(workspace: &Workspace, block: &Block<'_>) -> String {
    let mut printed = String::new();
    for command in block.lines.lines().map(|line| line.strip_prefix("$ ").expect("a command")) {
        let words: Vec<&str> = command.split(' ').collect();
        let (variables, words) = words.split_at(words.iter().take_while(|word| word.contains('=')).count());
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|variable| variable.split_once('=').unwrap()).collect();
        let done = match words {
            ["cargo", "xtask", arguments @ ..] => workspace.xtask(arguments),
            ["cargo", "run", "--", arguments @ ..] => {
                workspace.cargo(&[&["run", "--package", "signalbox", "--"], arguments].concat(), &variables)
            }
            ["cargo", arguments @ ..] => workspace.cargo(arguments, &variables),
            _ => panic!("{command} is not cargo's"),
        };
        assert!(done.status.success(), "{command}\n{}\n{}", stdout(&done), stderr(&done));
        printed = stdout(&done);
    }
    printed
}

#[test]
fn the_walk_leads_from_the_scaffold_to_a_sink_that_keeps_every_rule() {
    let page = fs::read_to_string(repository().join("docs/adding-a-sink.md")).unwrap();
    let (_, walk) = page.split_once("\n## The walk\n").unwrap();
    let (walk, _) = walk.split_once("\n## The files\n").unwrap();
    let workspace = Workspace::new("walk");
    let (mut instead_of, mut printed) = (None, String::new());
    for block in blocks(walk) {
        let (language, place) = block.head.split_once(' ').unwrap_or((block.head, ""));
        let file = |name: &str| format!("{CRATE}/{name}");
        match place.split_once(' ') {
            None if language == "console" => printed = run(&workspace, &block),
            None => workspace.edit(&file(place), |_| block.lines.to_owned()),
            Some((name, "instead of")) => instead_of = Some((name, block.lines)),
            Some((name, "write")) => {
                let (known, old) = instead_of.take().expect("a block of what stands there");
                assert_eq!(known, name);
                workspace.edit(&file(name), |text| {
                    assert_eq!(text.matches(old).count(), 1, "{name} has not once:\n{old}");
                    text.replace(old, block.lines)
                });
            }
            Some(_) => panic!("a block with the head {}", block.head),
        }
    }
    assert!(printed.contains("Pinterest (pinterest)"), "the program knows the sink: {printed}");

    let manifest = format!("{CRATE}/Cargo.toml");
    for arguments in [
        &["fmt", "--manifest-path", &manifest, "--check"][..],
        &["clippy", "--package", "sink-pinterest", "--all-targets", "--", "--deny", "warnings"],
    ] {
        let done = workspace.cargo(arguments, &[]);
        assert!(done.status.success(), "{arguments:?}\n{}\n{}", stdout(&done), stderr(&done));
    }
    let snapshot = workspace.read(&format!("{CRATE}/tests/snapshots/order_paid.snap"));
    assert!(snapshot.contains("\"value\":\"149.70\""), "{snapshot}");
}
