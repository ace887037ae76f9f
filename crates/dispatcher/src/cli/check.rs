//! `signalbox check`

use std::collections::BTreeSet;
use std::io::Write;

use conversion_core::sink::ConversionSink;

use super::Verdict;
use crate::Clock;
use crate::config::{Config, OutboundMode, SinkConfig};
use crate::service::{build_sink, missing_credentials};
use crate::telemetry;

/// The events of the spec: what a booking business reports.
const USUAL_EVENTS: [&str; 4] =
    ["TRIAL_BOOKED", "TRIAL_RESCHEDULED", "TRIAL_CANCELED", "APPOINTMENT_UPDATED"];

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Do not talk to the platforms. Mock mode does not, either.
    #[arg(long)]
    offline: bool,
}

pub(super) async fn run(
    arguments: &Arguments,
    config: &Config,
    out: &mut dyn Write,
) -> anyhow::Result<Verdict> {
    let clock = Clock::running();
    let is_mock = config.outbound.mode == OutboundMode::Mock;
    let offline = arguments.offline || is_mock;
    config.check_exposure()?;
    telemetry::filter(&config.log)?;
    conversion_store::check_url(&config.store.url)?;
    let sinks = config.sinks.iter().map(|sink| build_sink(config, sink)).collect::<Result<Vec<_>, _>>()?;
    writeln!(out, "configuration: good; sinks: {}; store: {}", config.sinks.len(), config.store.url)?;
    if is_mock {
        writeln!(out, "  note: [outbound] mode is mock: nothing is sent")?;
    }
    let mut names: BTreeSet<&str> = USUAL_EVENTS.into();
    names.extend(sinks.iter().flat_map(|sink| sink.mapping().keys().map(String::as_str)));
    let mut good = true;
    for (sink_config, sink) in config.sinks.iter().zip(&sinks) {
        good &= check_sink(offline, sink_config, &**sink, &names, &clock, out).await?;
    }
    writeln!(out, "{}", if good { "all good" } else { "something needs mending" })?;
    Ok(Verdict::good_if(good))
}

async fn check_sink(
    offline: bool,
    config: &SinkConfig,
    sink: &dyn ConversionSink,
    names: &BTreeSet<&str>,
    clock: &Clock,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    writeln!(out, "\n{} ({})", config.name, config.descriptor.title)?;
    let version = sink.api_version();
    let sunset = config.descriptor.sunset(version).map(|date| format!(", ends {date}")).unwrap_or_default();
    writeln!(out, "  API {version}{sunset}")?;
    for name in names {
        let target = sink.mapping().get(*name).map_or("not mapped: skipped", String::as_str);
        writeln!(out, "  {name} → {target}")?;
    }
    for advice in sink.advice(clock.now()) {
        writeln!(out, "  note: {advice}")?;
    }
    if let Some(missing) = missing_credentials(sink, clock.now()) {
        writeln!(out, "  PROBLEM: {missing}")?;
        return Ok(false);
    }
    if offline {
        writeln!(out, "  credentials: given; not tried")?;
        return Ok(true);
    }
    match sink.check().await {
        Ok(report) => writeln!(out, "  credentials: {}", report.summary).map(|()| true),
        Err(failure) => {
            writeln!(out, "  PROBLEM: {} ({})", failure.message, failure.class.name()).map(|()| false)
        }
    }
    .map_err(Into::into)
}
