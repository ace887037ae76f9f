//! A program of somebody else's, with a sink of their own.

use std::fs;

use crate::workspace::{cargo, repository, stderr, stdout};

#[test]
fn a_foreign_sink_is_linked_into_a_program_outside() {
    let folder = repository().join("tests/outside");
    // The versions that this workspace is built with are there.
    fs::copy(repository().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let tested = cargo(&folder, &["test", "--workspace"], &[]);
    assert!(tested.status.success(), "{}\n{}", stdout(&tested), stderr(&tested));
    assert!(stdout(&tested).contains("an_event_goes_through_it_to_the_platform ... ok"));
}
