//! How much a test of the fault matrix does, and what it measured.

use std::fs::OpenOptions;
use std::io::Write as _;

/// Whether the long form is asked for, as `cargo xtask matrix` does.
pub(crate) fn is_long() -> bool {
    std::env::var_os("SIGNALBOX_MATRIX").is_some_and(|form| form == "long")
}

/// Notes a measured figure where `cargo xtask matrix` collects them; nowhere else.
pub(crate) fn figure(name: &str, value: impl std::fmt::Display) {
    if let Some(path) = std::env::var_os("SIGNALBOX_FIGURES") {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        // One write, so that tests side by side do not mix their lines.
        file.write_all(format!("{name}\t{value}\n").as_bytes()).unwrap();
    }
}
