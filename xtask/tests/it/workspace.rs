//! A workspace that is this one but for the crates that are its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A copy of the program's crate, beside which sinks are written. All other crates are found where they are, so that they
/// need not be built again.
pub(crate) struct Workspace {
    pub(crate) folder: PathBuf,
}

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

impl Workspace {
    pub(crate) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        copy(&repository().join("crates/dispatcher"), &folder.join("crates/dispatcher"));
        for file in ["Cargo.toml", "Cargo.lock", "rustfmt.toml", "clippy.toml"] {
            fs::copy(repository().join(file), folder.join(file)).unwrap();
        }
        let workspace = Self { folder };
        let crates = repository().join("crates").display().to_string();
        workspace.edit("Cargo.toml", |manifest| {
            let members = "members = [\"crates/*\", \"tests\", \"xtask\"]";
            assert!(manifest.contains(members));
            let manifest = manifest.replace(members, "members = [\"crates/*\"]");
            manifest.replace("path = \"crates/", &format!("path = \"{crates}/"))
        });
        workspace.edit("crates/dispatcher/Cargo.toml", |manifest| {
            let program = "[[bin]]\nname = \"signalbox\"";
            assert!(manifest.contains(program));
            // By another name, or it would take the place of the one that the end-to-end tests run.
            let manifest = manifest.replace(program, "[[bin]]\nname = \"signalbox-of-a-copy\"");
            manifest.replace("path = \"../sink-", &format!("path = \"{crates}/sink-"))
        });
        workspace
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap()
    }

    pub(crate) fn edit(&self, file: &str, change: impl FnOnce(String) -> String) {
        fs::write(self.folder.join(file), change(self.read(file))).unwrap();
    }

    pub(crate) fn xtask(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(arguments).current_dir(&self.folder).output().unwrap()
    }

    pub(crate) fn cargo(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        cargo(&self.folder, arguments, variables)
    }

    /// Every file below `crates`, with its text.
    pub(crate) fn state(&self) -> Vec<(PathBuf, Vec<u8>)> {
        files(&self.folder.join("crates"))
    }
}

/// Cargo, without the network and in the target folder of this workspace.
pub(crate) fn cargo(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(folder).env("CARGO_NET_OFFLINE", "true");
    command.env("CARGO_TARGET_DIR", target).env("INSTA_UPDATE", "no").envs(variables.iter().copied());
    command.output().unwrap()
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for (path, content) in files(from) {
        let path = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
