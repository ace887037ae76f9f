//! What the tests hold the program against: the platforms' own clients from npm and PyPI, schemathesis, and Chromium.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::run;

/// Names that Chromium goes by.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Python environments below `target/`, and what is in each: every package that it needs, in its version.
const ENVIRONMENTS: [(&str, &str); 2] = [
    ("schemathesis", "tests/openapi/requirements.txt"),
    ("meta-sdk", "crates/sink-meta/tests/peers/requirements.txt"),
];

/// Installs what is missing.
pub(crate) fn install() -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers");
    if !is_current(&folder) {
        let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        run(Command::new("npm").args(arguments).current_dir(&folder))
            .map_err(|error| format!("{error}: the tests need Node.js with npm"))?;
    }
    for (name, requirements) in ENVIRONMENTS {
        install_python(name, requirements)?;
    }
    program(&BROWSERS, "chromium", "the tests need Chromium: install the package chromium")
}

/// Installs a Debian package where none of these programs is on the path.
pub(crate) fn program(names: &[&str], package: &str, missing: &str) -> Result<(), String> {
    if names.iter().any(|name| on_path(name).is_some()) {
        return Ok(());
    }
    install_package(package, missing)
}

/// A Debian package, where there are Debian packages.
fn install_package(package: &str, missing: &str) -> Result<(), String> {
    if on_path("apt-get").is_none() {
        return Err(missing.to_owned());
    }
    run(Command::new("apt-get").arg("update")).map_err(|error| format!("{error}: {missing}"))?;
    let arguments = ["install", "--yes", "--no-install-recommends", package];
    run(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
        .map_err(|error| format!("{error}: {missing}"))
}

/// Installs what the file names, and nothing besides. A copy of the file is left there when it is done.
fn install_python(name: &str, requirements: &str) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let wanted = root.join(requirements);
    let folder = root.join("target").join(name);
    let installed = folder.join("requirements.txt");
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let text = fs::read(&wanted).map_err(|error| failed(&wanted, error))?;
    if fs::read(&installed).is_ok_and(|installed| installed == text) {
        return Ok(());
    }
    let venv = || run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    if venv().is_err() {
        install_package("python3-venv", "the tests need Python 3 with venv and pip")?;
        venv()?;
    }
    let pip =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
    run(Command::new(folder.join("bin/python")).args(pip).arg(&wanted))?;
    fs::write(&installed, text).map_err(|error| failed(&installed, error))
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
