//! `signalbox keys`

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

use super::Verdict;
use crate::config::Scope;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a key: prints it, and what goes into the configuration file, where it is known by its digest alone.
    New {
        /// Who is to use it, for logs.
        name: String,
        /// What it allows: ingest, read, admin (which includes the others).
        #[arg(long, required = true, value_delimiter = ',', value_parser = scope, value_name = "SCOPE,SCOPE")]
        scopes: Vec<Scope>,
    },
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let Command::New { name, scopes } = command;
    // The prefix tells people and scanners for leaked secrets what it opens.
    let key = format!("signalbox_{}", hex::encode(rand::random::<[u8; 32]>()));
    let scopes: Vec<String> = scopes.iter().map(|scope| format!("\"{}\"", scope.name())).collect();
    writeln!(
        out,
        "{key}\n\n[[keys]]\nname = {}\nsha256 = \"{}\"\nscopes = [{}]",
        toml::Value::from(name.as_str()),
        hex::encode(Sha256::digest(key.as_bytes())),
        scopes.join(", ")
    )?;
    writeln!(
        io::stderr(),
        "The first line is the key. It is kept nowhere: hand it over now. The rest goes into the file."
    )?;
    Ok(Verdict::Good)
}

fn scope(text: &str) -> Result<Scope, String> {
    let known = [Scope::Ingest, Scope::Read, Scope::Admin];
    let found = known.into_iter().find(|scope| scope.name() == text);
    found.ok_or_else(|| "must be ingest, read or admin".to_owned())
}
