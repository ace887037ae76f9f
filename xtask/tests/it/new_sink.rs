//! `cargo xtask new-sink`

use std::fs;

use crate::workspace::{Workspace, repository, stderr, stdout};

const DISPATCHER: [&str; 2] = ["crates/dispatcher/Cargo.toml", "crates/dispatcher/src/sinks.rs"];

#[test]
fn a_new_sink_compiles_and_is_told_in_order_what_it_lacks() {
    let workspace = Workspace::new("new-sink");
    let written = workspace.xtask(&["new-sink", "acme-ads"]);
    assert!(written.status.success(), "{}", stderr(&written));
    assert!(stdout(&written).contains("cargo test -p sink-acme-ads"));

    for (file, line) in DISPATCHER.iter().zip([
        "sink-acme-ads = { path = \"../sink-acme-ads\" }\nsink-google-ads ",
        "use sink_acme_ads as _;\nuse sink_google_ads ",
    ]) {
        let (before, after) = (fs::read_to_string(repository().join(file)).unwrap(), workspace.read(file));
        assert!(after.contains(line), "{after}");
        assert_eq!(after.lines().count(), before.lines().count() + 1, "{file}");
    }

    let linted = workspace.cargo(&["clippy", "--package", "sink-acme-ads", "--all-targets"], &[]);
    assert!(linted.status.success() && !stderr(&linted).contains("warning"), "{}", stderr(&linted));

    let tested = workspace.cargo(&["test", "--package", "sink-acme-ads"], &[]);
    let account = "acme-ads: 6 of 41 rules do not hold yet. In the order to mend them:
  1. docs_are_linked: the descriptor's docs, \"\", are no https address of a page
  2. fixtures_are_skipped_for_their_reason: booking_by_click is skipped for no_identifiers, and by the profile's list sent
  3. payloads_match_snapshots: payloads differ from their snapshots: booking, booking_abroad, booking_moved, awkward_texts
  4. test_mode_is_on_the_wire: test_code = 'TEST1' is not seen in the request
  5. recorded_codes_have_their_class: the profile has no codes: it records no answer of the platform's
  6. check_tells_good_bad_and_unreachable: refused credentials pass the check
";
    assert!(!tested.status.success());
    assert!(stderr(&tested).contains(account), "{}", stderr(&tested));
    let results = stdout(&tested);
    assert!(results.contains("35 passed; 6 failed"), "{results}");
}

#[test]
fn nothing_is_written_where_anything_is_wrong() {
    let workspace = Workspace::new("no-new-sink");
    assert!(workspace.xtask(&["new-sink", "acme"]).status.success());
    let state = workspace.state();
    for (arguments, said) in [
        (&["acme"][..], "is there already"),
        (&[], "takes one name"),
        (&["a", "b"], "takes one name"),
        (&["Acme"], "\"Acme\" is no name of a sink: lower-case words with hyphens"),
        (&["acme_ads"], "is no name"),
        (&["acme--ads"], "is no name"),
        (&["-acme"], "is no name"),
        (&["9acme"], "is no name"),
        (&["acme/../x"], "is no name"),
        (&[""], "is no name"),
        (&["sink-acme"], "give the platform's name alone: acme"),
    ] {
        let refused = workspace.xtask(&[&["new-sink"], arguments].concat());
        assert!(!refused.status.success(), "{arguments:?}");
        assert!(stderr(&refused).contains(said), "{arguments:?}: {}", stderr(&refused));
        assert_eq!(workspace.state(), state, "{arguments:?}");
    }
    fs::remove_file(workspace.folder.join(DISPATCHER[1])).unwrap();
    let state = workspace.state();
    let refused = workspace.xtask(&["new-sink", "other"]);
    assert!(stderr(&refused).contains("run this in the repository's folder"), "{}", stderr(&refused));
    assert_eq!(workspace.state(), state);
}
