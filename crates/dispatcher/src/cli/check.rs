//! `signalbox check`

use std::collections::BTreeSet;
use std::io::Write;

use conversion_core::failure::Failure;
use conversion_core::sink::{CheckReport, ConversionSink};
use conversion_core::source::BookingSource;

use super::Verdict;
use crate::Clock;
use crate::booking::webhook_path;
use crate::config::{self, Config, OutboundMode, SinkConfig, SourceConfig};
use crate::queue::{DELIVER, Queue};
use crate::service::{build_queue, build_sink, build_source, missing_credentials};
use crate::telemetry;
use crate::tls::Tls;

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
    let tls = Tls::open(&config.server)?;
    let queue = build_queue(config)?;
    let sinks = config.sinks.iter().map(|sink| build_sink(config, sink)).collect::<Result<Vec<_>, _>>()?;
    let sources = config.sources.iter().map(build_source).collect::<Result<Vec<_>, _>>()?;
    let (sink_count, source_count) = (sinks.len(), sources.len());
    let store = &config.store.url;
    writeln!(out, "configuration: good; sinks: {sink_count}; sources: {source_count}; store: {store}")?;
    if tls.is_some() {
        writeln!(out, "  TLS: the certificate and its key fit")?;
    }
    if let Some(advice) = config.keys.advice() {
        writeln!(out, "  note: {advice}")?;
    }
    if is_mock {
        writeln!(out, "  note: [outbound] mode is mock: nothing is sent")?;
    }
    let mut names: BTreeSet<&str> = USUAL_EVENTS.into();
    names.extend(sinks.iter().flat_map(|sink| sink.mapping().keys().map(String::as_str)));
    let mut good = match &queue {
        Some(queue) => check_queue(arguments.offline, config.delivery.queue, queue, out).await?,
        None => true,
    };
    for (sink_config, sink) in config.sinks.iter().zip(&sinks) {
        good &= check_sink(offline, sink_config, &**sink, &names, &clock, out).await?;
    }
    for (source_config, source) in config.sources.iter().zip(&sources) {
        let public_url = config.server.public_url.as_deref();
        good &= check_source(arguments.offline, public_url, source_config, &**source, out).await?;
    }
    writeln!(out, "{}", if good { "all good" } else { "something needs mending" })?;
    Ok(Verdict::good_if(good))
}

async fn check_queue(
    offline: bool,
    new_ones: config::Queue,
    queue: &Queue,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    writeln!(out, "\nqueue: QStash at {}, which calls {}", queue.client.url(), queue.url(DELIVER))?;
    if new_ones == config::Queue::Builtin {
        writeln!(out, "  note: [delivery] queue is builtin: only what was accepted for QStash goes there")?;
    }
    if offline {
        writeln!(out, "  token: given; not tried")?;
        return Ok(true);
    }
    match queue.client.check().await {
        Ok(found) => writeln!(out, "  token: accepted; {found}")?,
        Err(failure) => {
            writeln!(out, "  PROBLEM: {} ({})", failure.message, failure.class.name())?;
            return Ok(false);
        }
    }
    Ok(true)
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
    tell(sink.check().await, out)
}

async fn check_source(
    offline: bool,
    public_url: Option<&str>,
    config: &SourceConfig,
    source: &dyn BookingSource,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    writeln!(out, "\n{} ({})", config.name, config.descriptor.title)?;
    let path = webhook_path(config.descriptor, &config.name);
    writeln!(out, "  webhooks come to {}{path}", public_url.unwrap_or_default().trim_end_matches('/'))?;
    if offline {
        writeln!(out, "  credentials: given; not tried")?;
        return Ok(true);
    }
    tell(source.check().await, out)
}

fn tell(checked: Result<CheckReport, Failure>, out: &mut dyn Write) -> anyhow::Result<bool> {
    match checked {
        Ok(report) => writeln!(out, "  credentials: {}", report.summary).map(|()| true),
        Err(failure) => {
            writeln!(out, "  PROBLEM: {} ({})", failure.message, failure.class.name()).map(|()| false)
        }
    }
    .map_err(Into::into)
}
