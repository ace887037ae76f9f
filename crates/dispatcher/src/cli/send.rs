//! `signalbox send`

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use conversion_core::event::FieldError;
use conversion_core::exchange::Body;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::task::JoinSet;

use super::caller::{Address, Caller, sizes};
use super::{Verdict, input};
use crate::config::Environment;
use crate::ingest::split;

/// Requests under way at once.
const IN_FLIGHT: usize = 4;
/// Mistakes that are shown; the rest is counted.
const SHOWN: usize = 10;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// File with one event, an array, or one event a line; - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    address: Address,
    /// Events in one request.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    batch: u32,
}

#[derive(Default)]
struct Tally {
    accepted: u64,
    duplicate: u64,
    differing: u64,
    rejected: u64,
    mistakes: Vec<String>,
}

#[derive(Deserialize)]
struct Reply {
    results: Vec<ReplyResult>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReplyResult {
    index: usize,
    status: String,
    #[serde(default)]
    differs: bool,
    #[serde(default)]
    errors: Vec<FieldError>,
}

pub(super) async fn run(
    arguments: &Arguments,
    environment: &Environment,
    out: &mut dyn Write,
) -> anyhow::Result<Verdict> {
    let text = input::read(&arguments.file)?;
    let mut tally = Tally::default();
    let events = tally.valid(split(text.as_bytes(), usize::MAX)?);
    let sender = Arc::new(Caller::new(&arguments.address, "/api/events", environment)?);
    let bar = progress(events.len());
    let mut requests = JoinSet::new();
    let sent = send_all(&events, arguments.batch as usize, &sender, &mut requests, &mut tally, &bar).await;
    bar.finish_and_clear();
    if sent.is_ok() || tally.is_begun() {
        tally.write(out)?;
    }
    sent.map(|()| Verdict::good_if(tally.rejected == 0))
}

async fn send_all(
    events: &[Numbered<'_>],
    most: usize,
    sender: &Arc<Caller>,
    requests: &mut JoinSet<anyhow::Result<(Vec<usize>, Reply)>>,
    tally: &mut Tally,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let mut start = 0;
    for size in sizes(events.iter().map(|(_, event)| event.get().len()), most) {
        if requests.len() >= IN_FLIGHT {
            collect(requests, tally, bar).await?;
        }
        let part = events.iter().skip(start).take(size);
        let (places, part): (Vec<usize>, Vec<Box<RawValue>>) =
            part.map(|(place, event)| (*place, (*event).to_owned())).unzip();
        let sender = Arc::clone(sender);
        requests.spawn(async move { send(&sender, &part).await.map(|reply| (places, reply)) });
        start += size;
    }
    while !requests.is_empty() {
        collect(requests, tally, bar).await?;
    }
    Ok(())
}

/// Sending again is safe: what was taken is a duplicate then.
async fn send(sender: &Caller, events: &[Box<RawValue>]) -> anyhow::Result<Reply> {
    let body = sender.post(Body::compose("[", events.iter().map(AsRef::as_ref), "]")).await?;
    serde_json::from_str(&body).context("the service's answer cannot be read")
}

async fn collect(
    requests: &mut JoinSet<anyhow::Result<(Vec<usize>, Reply)>>,
    tally: &mut Tally,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    if let Some(joined) = requests.join_next().await {
        let (places, reply) = joined.context("a request was dropped")??;
        bar.inc(reply.results.len() as u64);
        tally.add(&places, reply);
    }
    Ok(())
}

fn progress(events: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} events  {per_sec}  {eta} left");
    // Draws on a terminal alone.
    let bar = ProgressBar::with_draw_target(Some(events as u64), ProgressDrawTarget::stderr());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// An event with its place in the file, from 1.
type Numbered<'a> = (usize, &'a RawValue);

impl Tally {
    /// The events that are JSON; the others are rejected here and now.
    fn valid<'a>(&mut self, events: Vec<&'a str>) -> Vec<Numbered<'a>> {
        let mut valid = Vec::with_capacity(events.len());
        for (index, event) in events.into_iter().enumerate() {
            match serde_json::from_str::<&RawValue>(event) {
                Ok(event) => valid.push((index + 1, event)),
                Err(error) => {
                    self.rejected += 1;
                    self.note(index + 1, &format!("is not valid JSON at column {}", error.column()));
                }
            }
        }
        valid
    }

    fn note(&mut self, place: usize, mistake: &str) {
        if self.mistakes.len() < SHOWN {
            self.mistakes.push(format!("event {place}: {mistake}"));
        }
    }

    fn is_begun(&self) -> bool {
        self.accepted + self.duplicate + self.rejected > 0
    }

    fn add(&mut self, places: &[usize], reply: Reply) {
        for result in reply.results {
            match result.status.as_str() {
                "accepted" => self.accepted += 1,
                "duplicate" => {
                    self.duplicate += 1;
                    self.differing += u64::from(result.differs);
                }
                _ => {
                    self.rejected += 1;
                    let place = places.get(result.index).copied().unwrap_or_default();
                    for error in result.errors {
                        self.note(place, &error.to_string());
                    }
                }
            }
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for mistake in &self.mistakes {
            writeln!(out, "{mistake}")?;
        }
        write!(out, "{} accepted, {} duplicate", self.accepted, self.duplicate)?;
        if self.differing > 0 {
            write!(out, " ({} of them with other content; the first stands)", self.differing)?;
        }
        writeln!(out, ", {} rejected", self.rejected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_json_is_named_by_its_place() {
        let mut tally = Tally::default();
        let valid = tally.valid(vec!["{}", "{broken", "{}"]);
        assert_eq!(valid.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(tally.mistakes, ["event 2: is not valid JSON at column 2"]);
    }
}
