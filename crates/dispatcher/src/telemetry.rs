//! Logs: for humans or machines, to standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("[log] level `{level}` is no filter: {source}; write info, or signalbox=debug")]
pub struct FilterError {
    level: String,
    source: tracing_subscriber::filter::ParseError,
}

/// Begins to log. A second call changes nothing.
pub fn start(log: &Log) -> Result<(), FilterError> {
    let filter = EnvFilter::builder()
        .parse(&log.level)
        .map_err(|source| FilterError { level: log.level.clone(), source })?;
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = match log.format {
        LogFormat::Pretty => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_ansi(false).try_init(),
    };
    // Tests start it more than once in a process.
    drop(started);
    Ok(())
}
