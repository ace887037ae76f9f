//! `docs/reliability.md`: every row is a test, and every test of the matrix is in a row.

use std::collections::BTreeSet;

use super::{code_spans, names_in, root, section, text};

const TESTS: &str = "tests/tests/it";
/// Modules of which every test is a row.
const MATRIX: [&str; 6] = ["matrix", "power", "disk", "clock", "dns", "one_service"];

/// The tests that the last column of the table of faults names.
fn named() -> BTreeSet<String> {
    let page = text("docs/reliability.md");
    let rows = section(&page, "## Faults").lines().filter(|line| line.starts_with("| "));
    let last = rows.filter_map(|row| row.trim_end_matches(['|', ' ']).rsplit(" | ").next());
    last.flat_map(code_spans).collect()
}

/// The tests of a module and those within it, by their paths.
fn tests_of(module: &str) -> Vec<String> {
    let folder = format!("{TESTS}/{}", module.replace("::", "/"));
    let (file, inner) = match (root().join(format!("{folder}.rs")).exists(), root().join(&folder).exists()) {
        (true, false) => (format!("{folder}.rs"), Vec::new()),
        (false, true) => (format!("{folder}/mod.rs"), names_in(&folder)),
        _ => return Vec::new(),
    };
    let source = text(file);
    let mut tests: Vec<String> = ["#[test]\n", "#[tokio::test"]
        .into_iter()
        .flat_map(|attribute| source.split(attribute).skip(1))
        .filter_map(|rest| Some(rest.split_once("fn ")?.1.split_once('(')?.0.to_owned()))
        .map(|test| format!("{module}::{test}"))
        .collect();
    for name in inner.iter().filter(|name| *name != "mod.rs") {
        tests.extend(tests_of(&format!("{module}::{}", name.trim_end_matches(".rs"))));
    }
    tests
}

#[test]
fn every_row_names_a_test_that_is_there() {
    let named = named();
    assert!(named.len() > 25, "{named:?}");
    for test in named {
        let (module, _) = test.rsplit_once("::").unwrap_or_else(|| panic!("{test} is in no module"));
        assert!(tests_of(module).contains(&test), "docs/reliability.md names {test}");
    }
}

#[test]
fn every_test_of_the_matrix_has_a_row() {
    let named = named();
    for test in MATRIX.into_iter().flat_map(tests_of) {
        assert!(named.contains(&test), "docs/reliability.md has no row for {test}");
    }
}
