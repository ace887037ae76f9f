//! Holds the documentation against the program: a page that names what is not there, or leaves out what is, fails here.
#![expect(clippy::unwrap_used, reason = "clippy's leave for tests does not reach their helpers")]

mod configuration;
mod cost;
mod events;
mod operations;
mod pages;
mod reasons;
mod reliability;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use conversion_core::descriptor::SinkDescriptor;
use conversion_core::registry;
use conversion_core::source::SourceDescriptor;
use signalbox::Environment;

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn names_in(folder: impl AsRef<Path>) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A page that the program writes holds what the program says; with `UPDATE_DOCS` set it is written first.
pub(crate) fn assert_written(path: &str, content: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(root().join(path), content).unwrap();
    }
    assert!(
        text(path) == content,
        "{path} is not what the code says; where the change is meant: UPDATE_DOCS=1 cargo test -p signalbox --test docs"
    );
}

/// The same of the part of a page between `<!-- NAME -->` and `<!-- /NAME -->`.
pub(crate) fn assert_part_written(path: &str, name: &str, content: &str) {
    let page = text(path);
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let around = page.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) = around.unwrap_or_else(|| panic!("{path} has no part {name}"));
    assert_written(path, &[before, &begin, content, &end, after].concat());
}

/// The part of a page under a heading, up to the next of the same rank.
pub(crate) fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) =
        page.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no heading {heading}"));
    let rank = heading.split(' ').next().unwrap_or_default();
    rest.split(&format!("\n{rank} ")).next().unwrap_or_default()
}

/// What stands in backticks in the first column of a text's tables.
pub(crate) fn first_column(text: &str) -> BTreeSet<String> {
    let cells = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    cells.flat_map(code_spans).collect()
}

pub(crate) fn code_spans(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Code blocks in that language.
pub(crate) fn code_blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("\n```{language}\n");
    let blocks =
        page.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap_or_default().to_owned());
    blocks.collect()
}

pub(crate) fn between<'a>(text: &'a str, before: &str, after: char) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(move |rest| rest.split(after).next())
}

pub(crate) fn nothing() -> Environment {
    Environment::default()
}

pub(crate) fn source_descriptors() -> Vec<&'static SourceDescriptor> {
    registry::sources().into_iter().map(|plugin| plugin.descriptor).collect()
}

pub(crate) fn descriptors() -> Vec<&'static SinkDescriptor> {
    registry::plugins().into_iter().map(|plugin| plugin.descriptor).collect()
}
