//! Files that hold secrets: nobody but their owner may read them.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use super::ConfigError;

/// A file that was read.
pub(crate) struct File {
    /// What it says.
    pub(crate) text: String,
    /// Whether others than its owner may read it.
    pub(crate) is_exposed: bool,
}

/// Reads a file. What it says and who may read it are of one file, even if its name is given to another meanwhile.
pub(crate) fn read(path: &Path) -> Result<File, ConfigError> {
    let unreadable = |source: io::Error| ConfigError::Unreadable { path: path.to_owned(), source };
    let mut file = fs::File::open(path).map_err(unreadable)?;
    let is_exposed = is_exposed(&file).map_err(unreadable)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(unreadable)?;
    Ok(File { text, is_exposed })
}

/// Whether the group or others may read it. The group of root's files may: that is how files are handed to a service
/// by whoever starts it.
#[cfg(unix)]
fn is_exposed(file: &fs::File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;

    let data = file.metadata()?;
    Ok(allows_others(data.mode(), data.uid()))
}

#[cfg(not(unix))]
fn is_exposed(_: &fs::File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(unix)]
fn allows_others(mode: u32, owner: u32) -> bool {
    const ROOT: u32 = 0;
    let forbidden = if owner == ROOT { 0o027 } else { 0o077 };
    mode & forbidden != 0
}

/// Names of secrets in the table that stand there themselves: not as a reference to a variable, whose default is no
/// secret either.
pub(super) fn secrets(table: &toml::Table) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in table {
        collect(name, name, value, &mut found);
    }
    found
}

fn collect(name: &str, path: &str, value: &toml::Value, found: &mut Vec<String>) {
    match value {
        toml::Value::String(text) if is_secret(name) && stands_there(text) => found.push(path.to_owned()),
        toml::Value::Integer(_) if is_secret(name) => found.push(path.to_owned()),
        toml::Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(name, &format!("{path}[{index}]"), item, found);
            }
        }
        toml::Value::Table(table) => {
            for (name, value) in table {
                collect(name, &format!("{path}.{name}"), value, found);
            }
        }
        _ => {}
    }
}

/// Whether a setting of this name holds a secret. Told by the name, so that a connector need not say it twice; a test
/// holds it against what connectors read as secrets.
pub(super) fn is_secret(name: &str) -> bool {
    // The path of a file, which is looked at itself.
    if name == "tls_key" {
        return false;
    }
    let last = name.rsplit('_').next().unwrap_or(name);
    matches!(last, "secret" | "token" | "key" | "keys" | "password")
}

/// Whether more is in the text than references to variables.
fn stands_there(text: &str) -> bool {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if !before.trim().is_empty() {
            return true;
        }
        rest = after.split_once('}').map_or("", |(_, tail)| tail);
    }
    !rest.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn others_may_never_read_and_the_group_only_what_is_roots() {
        for (mode, owner, exposed) in [
            (0o600, 1000, false),
            (0o400, 1000, false),
            (0o640, 1000, true),
            (0o604, 1000, true),
            (0o644, 1000, true),
            (0o600, 0, false),
            (0o640, 0, false),
            (0o440, 0, false),
            (0o660, 0, true),
            (0o644, 0, true),
            (0o444, 0, true),
        ] {
            assert_eq!(allows_others(0o100_000 | mode, owner), exposed, "{mode:o} of {owner}");
        }
    }

    #[test]
    fn secrets_that_stand_in_a_file_are_found_and_references_are_not() {
        let file = r#"
            [server]
            tls_key = "/etc/key.pem"
            [qstash]
            token = "hunter2"
            current_signing_key = "${CURRENT}"
            next_signing_key = " ${NEXT:-given} "
            [[keys]]
            name = "shop"
            sha256 = "00"
            [[sinks]]
            access_token = "Bearer ${TOKEN}"
            test_secret = ""
            [[sinks]]
            client_secret = "${A}hunter2"
            client_id = "hunter2"
            [[sources]]
            api_key = "hunter2"
            webhook_keys = ["${KEY}", "hunter2", 72941]
        "#;
        let found = secrets(&file.parse().unwrap());
        let expected = [
            "qstash.token",
            "sinks[0].access_token",
            "sinks[1].client_secret",
            "sources[0].api_key",
            "sources[0].webhook_keys[1]",
            "sources[0].webhook_keys[2]",
        ];
        assert_eq!(found, expected);
    }
}
