//! Logs: for humans or machines, to standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::config::{Log, LogFormat};

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("[log] level `{0}` is no filter; write error, warn, info, debug or trace, or signalbox=debug,warn")]
pub struct FilterError(String);

/// The filter that the settings name. A bare word that is no level would be taken for the name of a part of the
/// program, and silence all others.
pub fn filter(log: &Log) -> Result<EnvFilter, FilterError> {
    let refuse = || FilterError(log.level.clone());
    let is_known =
        |directive: &str| directive.contains(['=', '[']) || directive.parse::<LevelFilter>().is_ok();
    if !log.level.split(',').map(str::trim).all(is_known) {
        return Err(refuse());
    }
    EnvFilter::builder().parse(&log.level).map_err(|_| refuse())
}

/// Begins to log. A second call changes nothing.
pub fn start(log: &Log) -> Result<(), FilterError> {
    let filter = filter(log)?;
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = match log.format {
        LogFormat::Pretty => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).with_ansi(false).try_init(),
    };
    // Tests start it more than once in a process.
    drop(started);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_filters_are_filters() {
        for (level, good) in [
            ("info", true),
            ("WARN", true),
            ("off", true),
            ("signalbox=debug,warn", true),
            ("verbose", false),
            ("signalbox=debgu", false),
        ] {
            assert_eq!(filter(&Log { level: level.to_owned(), ..Log::default() }).is_ok(), good, "{level}");
        }
    }
}
