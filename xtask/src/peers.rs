//! What the tests hold the program against: the platforms' own clients from npm, and Chromium.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::run;

/// Names that Chromium goes by.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Installs what is missing.
pub(crate) fn install() -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers");
    if !is_current(&folder) {
        let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        run(Command::new("npm").args(arguments).current_dir(&folder))
            .map_err(|error| format!("{error}: the tests need Node.js with npm"))?;
    }
    if BROWSERS.iter().any(|name| on_path(name).is_some()) {
        return Ok(());
    }
    let missing = "the tests need Chromium: install the package chromium";
    if on_path("apt-get").is_none() {
        return Err(missing.to_owned());
    }
    run(Command::new("apt-get").arg("update")).map_err(|error| format!("{error}: {missing}"))?;
    let arguments = ["install", "--yes", "--no-install-recommends", "chromium"];
    run(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
        .map_err(|error| format!("{error}: {missing}"))
}

/// Whether npm has installed what the lock file says. It leaves a copy of the lock file when it is done.
fn is_current(folder: &Path) -> bool {
    let changed = |file: &str| fs::metadata(folder.join(file)).and_then(|data| data.modified()).ok();
    match (changed("package-lock.json"), changed("node_modules/.package-lock.json")) {
        (Some(wanted), Some(installed)) => installed >= wanted,
        _ => false,
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}
