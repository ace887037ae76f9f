//! `signalbox send`

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use conversion_core::backoff::Backoff;
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
    errors: Vec<ReplyError>,
}

#[derive(Deserialize)]
struct ReplyError {
    field: String,
    message: String,
}

pub(super) async fn run(
    arguments: &Arguments,
    environment: &Environment,
    out: &mut dyn Write,
) -> anyhow::Result<Verdict> {
    let text = input::read(&arguments.file)?;
    let events = split(text.as_bytes(), usize::MAX)?;
    let sender = Arc::new(Sender::new(arguments, environment)?);
    let bar = progress(events.len());
    let mut tally = Tally::default();
    let mut requests = JoinSet::new();
    let sent = send_all(&events, arguments.batch as usize, &sender, &mut requests, &mut tally, &bar).await;
    bar.finish_and_clear();
    if sent.is_ok() || tally.is_begun() {
        tally.write(out)?;
    }
    sent.map(|()| Verdict::good_if(tally.rejected == 0))
}

async fn send_all(
    events: &[&str],
    most: usize,
    sender: &Arc<Sender>,
    requests: &mut JoinSet<anyhow::Result<(usize, Reply)>>,
    tally: &mut Tally,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let mut start = 0;
    for size in sizes(events, most) {
        if requests.len() >= IN_FLIGHT {
            collect(requests, tally, bar).await?;
        }
        let part: Vec<Box<RawValue>> =
            events.iter().skip(start).take(size).map(|event| as_json(event)).collect();
        let sender = Arc::clone(sender);
        requests.spawn(async move { sender.send(&part).await.map(|reply| (start, reply)) });
        start += size;
    }
    while !requests.is_empty() {
        collect(requests, tally, bar).await?;
    }
    Ok(())
}

/// A line that is not JSON goes as text: the service names what is wrong with it.
fn as_json(event: &str) -> Box<RawValue> {
    RawValue::from_string(event.to_owned())
        .or_else(|_| serde_json::value::to_raw_value(event))
        .unwrap_or_default()
}

/// How many events go into each request: as many as asked for, fewer where they are large.
fn sizes(events: &[&str], most: usize) -> Vec<usize> {
    let mut sizes = Vec::new();
    let (mut count, mut bytes) = (0, 0);
    for event in events {
        if count == most || (count > 0 && bytes + event.len() > REQUEST_BYTES) {
            sizes.push(count);
            (count, bytes) = (0, 0);
        }
        count += 1;
        bytes += event.len() + 1;
    }
    sizes.push(count);
    sizes
}

async fn collect(
    requests: &mut JoinSet<anyhow::Result<(usize, Reply)>>,
    tally: &mut Tally,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    if let Some(joined) = requests.join_next().await {
        let (start, reply) = joined.context("a request was dropped")??;
        bar.inc(reply.results.len() as u64);
        tally.add(start, reply);
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
                Err(failure) => bail!("{}: {}", self.url, failure.message),
            };
            if tries >= TRIES {
                bail!("{} could not take the events: {again}", self.url);
            }
            tokio::time::sleep(
                Backoff { base: Duration::from_millis(200), cap: Duration::from_secs(5) }.ceiling(tries),
            )
            .await;
        }
        bail!("{} was not reached", self.url)
    }
}

impl Tally {
    fn is_begun(&self) -> bool {
        self.accepted + self.duplicate + self.rejected > 0
    }

    fn add(&mut self, start: usize, reply: Reply) {
        for result in reply.results {
            match result.status.as_str() {
                "accepted" => self.accepted += 1,
                "duplicate" => {
                    self.duplicate += 1;
                    self.differing += u64::from(result.differs);
                }
                _ => {
                    self.rejected += 1;
                    for error in result.errors {
                        if self.mistakes.len() < SHOWN {
                            let place = start + result.index + 1;
                            self.mistakes.push(format!("event {place}: {}: {}", error.field, error.message));
                        }
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
        assert_eq!(sizes(&["{}"; 5], 2), [2, 2, 1]);
        let large = "x".repeat(REQUEST_BYTES / 2);
        assert_eq!(sizes(&[&large, &large, &large, "{}"], 100), [1, 1, 2]);
    }
}
