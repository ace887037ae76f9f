//! `cargo xtask new-sink`, in a workspace that is this one but for its crates.

#![expect(clippy::unwrap_used, reason = "tests may, and so may their helpers")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const DISPATCHER: [&str; 2] = ["crates/dispatcher/Cargo.toml", "crates/dispatcher/src/sinks.rs"];

/// An empty workspace with the settings of this one: its crates are found where they are, and not built again.
struct Workspace(PathBuf);

impl Workspace {
    fn new(name: &str) -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(folder.join("crates/dispatcher/src")).unwrap();
        let manifest = fs::read_to_string(repository.join("Cargo.toml")).unwrap();
        let crates = format!("path = \"{}/crates/", repository.display());
        let manifest = manifest
            .replace("members = [\"crates/*\", \"tests\", \"xtask\"]", "members = [\"crates/sink-*\"]")
            .replace("default-members = [\"crates/dispatcher\"]", "")
            .replace("path = \"crates/", &crates);
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        for file in ["Cargo.lock", "rustfmt.toml", "clippy.toml"].into_iter().chain(DISPATCHER) {
            fs::copy(repository.join(file), folder.join(file)).unwrap();
        }
        Self(folder)
    }

    fn new_sink(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("new-sink").args(arguments).current_dir(&self.0).output().unwrap()
    }

    fn cargo(&self, arguments: &[&str]) -> Output {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).arg("--offline").current_dir(&self.0);
        command.env("CARGO_TARGET_DIR", target).env("INSTA_UPDATE", "no").output().unwrap()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap()
    }

    /// Every file below `crates`, with its text.
    fn state(&self) -> Vec<(PathBuf, String)> {
        fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => walk(&path, found),
                    false => found.push((path.clone(), fs::read_to_string(&path).unwrap())),
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.0.join("crates"), &mut found);
        found.sort();
        found
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_new_sink_compiles_and_is_told_in_order_what_it_lacks() {
    let workspace = Workspace::new("new-sink");
    let written = workspace.new_sink(&["acme-ads"]);
    assert!(written.status.success(), "{}", stderr(&written));
    assert!(String::from_utf8_lossy(&written.stdout).contains("cargo test -p sink-acme-ads"));

    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (file, line) in DISPATCHER.iter().zip([
        "sink-acme-ads = { path = \"../sink-acme-ads\" }\nsink-google-ads ",
        "use sink_acme_ads as _;\nuse sink_google_ads ",
    ]) {
        let (before, after) = (fs::read_to_string(repository.join(file)).unwrap(), workspace.read(file));
        assert!(after.contains(line), "{after}");
        assert_eq!(after.lines().count(), before.lines().count() + 1, "{file}");
    }

    let linted = workspace.cargo(&["clippy", "--package", "sink-acme-ads", "--all-targets"]);
    assert!(linted.status.success() && !stderr(&linted).contains("warning"), "{}", stderr(&linted));

    let tested = workspace.cargo(&["test", "--package", "sink-acme-ads"]);
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
    let results = String::from_utf8_lossy(&tested.stdout);
    assert!(results.contains("35 passed; 6 failed"), "{results}");
}

#[test]
fn nothing_is_written_where_anything_is_wrong() {
    let workspace = Workspace::new("no-new-sink");
    assert!(workspace.new_sink(&["acme"]).status.success());
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
        let refused = workspace.new_sink(arguments);
        assert!(!refused.status.success(), "{arguments:?}");
        assert!(stderr(&refused).contains(said), "{arguments:?}: {}", stderr(&refused));
        assert_eq!(workspace.state(), state, "{arguments:?}");
    }
    fs::remove_file(workspace.0.join(DISPATCHER[1])).unwrap();
    let state = workspace.state();
    let refused = workspace.new_sink(&["other"]);
    assert!(stderr(&refused).contains("run this in the repository's folder"), "{}", stderr(&refused));
    assert_eq!(workspace.state(), state);
}
