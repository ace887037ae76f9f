//! `signalbox send`

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use conversion_core::backoff::Backoff;
use conversion_core::event::FieldError;
use conversion_core::exchange::{Body, Header, HeaderValue, Request};
use conversion_core::failure::FailureClass;
use conversion_core::secret::Secret;
use http_exchange::{Client, ClientOptions, FullReply};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::task::JoinSet;

use super::{Verdict, input};
use crate::config::Environment;
use crate::ingest::split;

/// Requests under way at once.
const IN_FLIGHT: usize = 4;
/// Bytes of one request, about.
const REQUEST_BYTES: usize = 2 * 1024 * 1024;
/// A service that cannot take a request is asked so often.
const TRIES: u32 = 8;
/// Mistakes that are shown; the rest is counted.
const SHOWN: usize = 10;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// File with one event, an array, or one event a line; - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The running service.
    #[arg(long, env = "SIGNALBOX_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
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
    let sender = Arc::new(Sender::new(arguments, environment)?);
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
    sender: &Arc<Sender>,
    requests: &mut JoinSet<anyhow::Result<(Vec<usize>, Reply)>>,
    tally: &mut Tally,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let mut start = 0;
    for size in sizes(events, most) {
        if requests.len() >= IN_FLIGHT {
            collect(requests, tally, bar).await?;
        }
        let part = events.iter().skip(start).take(size);
        let (places, part): (Vec<usize>, Vec<Box<RawValue>>) =
            part.map(|(place, event)| (*place, (*event).to_owned())).unzip();
        let sender = Arc::clone(sender);
        requests.spawn(async move { sender.send(&part).await.map(|reply| (places, reply)) });
        start += size;
    }
    while !requests.is_empty() {
        collect(requests, tally, bar).await?;
    }
    Ok(())
}

/// How many events go into each request: as many as asked for, fewer where they are large.
fn sizes(events: &[Numbered<'_>], most: usize) -> Vec<usize> {
    let mut sizes = Vec::new();
    let (mut count, mut bytes) = (0, 0);
    for (_, event) in events {
        let length = event.get().len();
        if count == most || (count > 0 && bytes + length > REQUEST_BYTES) {
            sizes.push(count);
            (count, bytes) = (0, 0);
        }
        count += 1;
        bytes += length + 1;
    }
    if count > 0 {
        sizes.push(count);
    }
    sizes
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

struct Sender {
    client: Client,
    url: String,
    key: Option<Secret>,
}

impl Sender {
    fn new(arguments: &Arguments, environment: &Environment) -> anyhow::Result<Self> {
        let options = ClientOptions { timeout: Duration::from_secs(60), ..ClientOptions::default() };
        Ok(Self {
            client: Client::new(options)?,
            url: format!("{}/api/events", arguments.url.trim_end_matches('/')),
            key: environment.get("SIGNALBOX_API_KEY").map(Secret::new),
        })
    }

    async fn send(&self, events: &[Box<RawValue>]) -> anyhow::Result<Reply> {
        let mut headers = vec![Header::json()];
        if let Some(key) = &self.key {
            let bearer = Secret::new(format!("Bearer {}", key.expose()));
            headers.push(Header { name: "authorization", value: HeaderValue::Secret(bearer) });
        }
        let body = Body::compose("[", events.iter().map(AsRef::as_ref), "]");
        let request = Arc::new(Request { url: self.url.clone(), headers, body });
        for tries in 1.. {
            let answer = self.client.exchange(&request, None).await.result;
            let again = match answer {
                Ok(FullReply { status: 200..=299 | 422, body, .. }) => {
                    return serde_json::from_str(&body).context("the service's answer cannot be read");
                }
                Ok(reply @ FullReply { status: 429 | 503, .. }) => reply.body,
                Ok(reply) => bail!("{} answered {}: {}", self.url, reply.status, reply.body),
                // Sending again is safe: what was taken is a duplicate then.
                Err(failure) if tries < TRIES || failure.class == FailureClass::Interrupted => {
                    failure.message
                }
                Err(failure) => {
                    bail!("{}: {}; is `signalbox serve` running there? (--url)", self.url, failure.message)
                }
            };
            if tries >= TRIES {
                bail!("{} could not take the events: {again}", self.url);
            }
            if tries == 1 {
                writeln!(io::stderr(), "waiting for {}: {again}", self.url)?;
            }
            tokio::time::sleep(
                Backoff { base: Duration::from_millis(200), cap: Duration::from_secs(5) }.ceiling(tries),
            )
            .await;
        }
        bail!("{} was not reached", self.url)
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
    fn requests_are_bounded_by_count_and_by_size() {
        let numbered = |events: &[&'static str]| Tally::default().valid(events.to_vec());
        assert_eq!(sizes(&numbered(&["{}"; 5]), 2), [2, 2, 1]);
        let large: &'static str = format!("\"{}\"", "x".repeat(REQUEST_BYTES / 2)).leak();
        assert_eq!(sizes(&numbered(&[large, large, large, "{}"]), 100), [1, 1, 2]);
    }

    #[test]
    fn what_is_not_json_is_named_by_its_place() {
        let mut tally = Tally::default();
        let valid = tally.valid(vec!["{}", "{broken", "{}"]);
        assert_eq!(valid.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(tally.mistakes, ["event 2: is not valid JSON at column 2"]);
    }
}
