//! `signalbox KIND sync`: what a booking system has and the service does not know.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use anyhow::{Context as _, bail};
use conversion_core::exchange::Body;
use conversion_core::failure::Consequence;
use conversion_core::source::BookingSource;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Span;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::caller::{Address, Caller, WAITS, sizes};
use super::{Verdict, table};
use crate::Clock;
use crate::booking::Comparison;
use crate::config::{Config, Environment, SourceConfig};
use crate::service::build_source;

/// Appointments in one request to the service.
const BATCH: usize = 200;
/// A booking system that cannot list now is asked so often.
const TRIES: u32 = 6;
/// Longest wait that a booking system may ask of a command.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Appointments that are named for each event, and mistakes that are shown; the rest is counted.
const SHOWN: usize = 10;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Compare a span of appointments with what the service knows, and take up what it missed. Exits with 1 where an
    /// appointment cannot be used.
    Sync(Arguments),
}

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Appointments that begin on this day or later, such as 2026-01-31.
    #[arg(long, value_name = "DATE")]
    since: Date,
    /// And on this day or earlier; without it, up to a year from today.
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// Say what would follow, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Name of the source, where several of the kind are configured.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    #[command(flatten)]
    address: Address,
}

#[derive(Deserialize)]
struct Reply {
    results: Vec<Comparison>,
}

#[derive(Default)]
struct Tally {
    /// Ids of appointments, by the event that follows.
    differing: BTreeMap<String, Vec<String>>,
    known: u64,
    unusable: u64,
    mistakes: Vec<String>,
}

pub(super) async fn run(
    kind: &str,
    Command::Sync(arguments): &Command,
    config: &Config,
    environment: &Environment,
    out: &mut dyn Write,
) -> anyhow::Result<Verdict> {
    let configured = find(kind, arguments.source.as_deref(), config)?;
    let source = build_source(configured)?;
    let weeks = weeks(arguments.since, arguments.until.unwrap_or_else(a_year_ahead))?;
    let query = if arguments.dry_run { "?dryRun=true" } else { "" };
    let path = format!("/api/sources/{}/reconcile{query}", configured.name);
    let caller = Caller::new(&arguments.address, &path, environment)?;
    let mut tally = Tally::default();
    let bar = progress(weeks.len());
    let compared = compare_all(&weeks, &*source, &caller, &mut tally, &bar).await;
    bar.finish_and_clear();
    if compared.is_ok() || tally.is_begun() {
        tally.write(arguments.dry_run, out)?;
    }
    compared.map(|()| Verdict::good_if(tally.unusable == 0))
}

fn find<'c>(kind: &str, name: Option<&str>, config: &'c Config) -> anyhow::Result<&'c SourceConfig> {
    let of_kind = || config.sources.iter().filter(|source| source.descriptor.kind == kind);
    let names: Vec<&str> = of_kind().map(|source| source.name.as_str()).collect();
    match (name, names.as_slice()) {
        (_, []) => bail!("no source of kind {kind} is configured; name the settings with --config"),
        (None, [_, _, ..]) => bail!("say which with --source: {}", names.join(", ")),
        (name, _) => {
            let source = of_kind().find(|source| name.is_none_or(|name| name == source.name));
            source.with_context(|| format!("there is no such source; configured are {}", names.join(", ")))
        }
    }
}

fn a_year_ahead() -> Date {
    let today = TimeZone::UTC.to_datetime(Clock::running().now()).date();
    today.saturating_add(Span::new().years(1))
}

/// The span in weeks, first and last day each.
fn weeks(since: Date, until: Date) -> anyhow::Result<Vec<(Date, Date)>> {
    if until < since {
        bail!("--until {until} lies before --since {since}");
    }
    let starts = since.series(Span::new().days(7)).take_while(|start| *start <= until);
    Ok(starts.map(|start| (start, start.saturating_add(Span::new().days(6)).min(until))).collect())
}

async fn compare_all(
    weeks: &[(Date, Date)],
    source: &dyn BookingSource,
    caller: &Caller,
    tally: &mut Tally,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    for (from, to) in weeks {
        let appointments = list(source, *from, *to).await?;
        let mut rest = appointments.iter();
        for size in sizes(appointments.iter().map(|appointment| appointment.get().len()), BATCH) {
            let part = rest.by_ref().take(size).map(AsRef::as_ref);
            // Sending again is safe: a notice too many leads to nothing.
            let answer = caller.post(Body::compose("[", part, "]")).await?;
            let reply: Reply =
                serde_json::from_str(&answer).context("the service's answer cannot be read")?;
            reply.results.into_iter().for_each(|comparison| tally.add(comparison));
        }
        bar.inc(1);
    }
    Ok(())
}

async fn list(source: &dyn BookingSource, from: Date, to: Date) -> anyhow::Result<Vec<Box<RawValue>>> {
    let mut tries = 1;
    loop {
        let failure = match source.list(from, to).await {
            Ok(appointments) => return Ok(appointments),
            Err(failure) => failure,
        };
        let wait = match failure.class.consequence() {
            Consequence::Pause(wait) | Consequence::Retry { retry_after: wait, .. } if tries < TRIES => wait,
            _ => bail!("{} ({})", failure.message, failure.class.name()),
        };
        tokio::time::sleep(wait.unwrap_or_default().clamp(WAITS.ceiling(tries), LONGEST_WAIT)).await;
        tries += 1;
    }
}

fn progress(weeks: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} weeks  {eta} left");
    // Draws on a terminal alone.
    let bar = ProgressBar::with_draw_target(Some(weeks as u64), ProgressDrawTarget::stderr());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl Tally {
    fn is_begun(&self) -> bool {
        self.known + self.unusable > 0 || !self.differing.is_empty()
    }

    fn add(&mut self, comparison: Comparison) {
        let Comparison { appointment_id, event_name, error } = comparison;
        match (event_name, error) {
            (_, Some(error)) => {
                self.unusable += 1;
                if self.mistakes.len() < SHOWN {
                    let id = appointment_id.as_deref().unwrap_or("without a readable id");
                    self.mistakes.push(format!("appointment {id}: {error}"));
                }
            }
            (Some(name), None) => self.differing.entry(name).or_default().extend(appointment_id),
            (None, None) => self.known += 1,
        }
    }

    fn write(&self, dry_run: bool, out: &mut dyn Write) -> io::Result<()> {
        let differing: usize = self.differing.values().map(Vec::len).sum();
        if differing > 0 {
            let mut rows = vec![["event", "appointments", "ids"].map(str::to_owned).to_vec()];
            rows.extend(self.differing.iter().map(|(name, ids)| {
                let more = if ids.len() > SHOWN { ", …" } else { "" };
                let shown: Vec<&str> = ids.iter().take(SHOWN).map(String::as_str).collect();
                vec![name.clone(), ids.len().to_string(), format!("{}{more}", shown.join(", "))]
            }));
            table::write(out, &rows)?;
        }
        for mistake in &self.mistakes {
            writeln!(out, "{mistake}")?;
        }
        let done = if dry_run { "would be fetched anew" } else { "are fetched anew" };
        let Self { known, unusable, .. } = self;
        writeln!(out, "{differing} appointments {done}, {known} need nothing, {unusable} cannot be used")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_span_is_asked_for_week_by_week() {
        let weeks = weeks(date("2026-01-30"), date("2026-02-13")).unwrap();
        let expected =
            [("2026-01-30", "2026-02-05"), ("2026-02-06", "2026-02-12"), ("2026-02-13", "2026-02-13")];
        assert_eq!(weeks, expected.map(|(from, to)| (date(from), date(to))));
        assert!(super::weeks(date("2026-02-02"), date("2026-02-01")).is_err());
    }
}
