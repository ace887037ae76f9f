//! `signalbox replay`

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, IsTerminal as _, Write};

use anyhow::{Context as _, bail};
use conversion_core::Timestamp;
use conversion_core::exchange::Body;
use conversion_store::Status;

use super::caller::{Address, Caller};
use super::{Verdict, table};
use crate::api::ReplayRequest;
use crate::config::Environment;
use crate::replay::{DEFAULT_RATE, MAX_RATE, Summary};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// So many are sent a second at each sink, at most.
    #[arg(long, default_value_t = DEFAULT_RATE, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_RATE)))]
    rate: u32,
    /// Say what would follow, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask first.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Print one JSON object: the preview with --dry-run, what was done with --yes.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    address: Address,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Selection {
    /// Only of this sink.
    #[arg(long, value_name = "NAME")]
    sink: Option<String>,
    /// Only with this status; without it, both.
    #[arg(long, value_name = "skipped|failed", value_parser = settled)]
    status: Option<Status>,
    /// Only with this reason.
    #[arg(long)]
    reason: Option<String>,
    /// Only of events of this name.
    #[arg(long, value_name = "NAME")]
    event_name: Option<String>,
    /// Only of events with this id.
    #[arg(long, value_name = "ID")]
    event_id: Option<String>,
    /// Only of events accepted at this time or later (RFC 3339).
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Only of events accepted before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Only those that were skipped or given up at this time or later.
    #[arg(long, value_name = "TIME")]
    settled_since: Option<Timestamp>,
    /// Only those that were skipped or given up before this time.
    #[arg(long, value_name = "TIME")]
    settled_until: Option<Timestamp>,
}

fn settled(text: &str) -> Result<Status, &'static str> {
    match text.parse() {
        Ok(status @ (Status::Skipped | Status::Failed)) => Ok(status),
        _ => Err("must be skipped or failed; what was delivered is never sent again"),
    }
}

impl Arguments {
    fn request(&self) -> ReplayRequest {
        let Selection { sink, status, reason, event_name, event_id, since, until, .. } = &self.selection;
        let text = |time: &Option<Timestamp>| time.map(|time| time.to_string());
        ReplayRequest {
            sink: sink.clone(),
            status: status.map(|status| status.name().to_owned()),
            reason: reason.clone(),
            event_name: event_name.clone(),
            event_id: event_id.clone(),
            since: text(since),
            until: text(until),
            settled_since: text(&self.selection.settled_since),
            settled_until: text(&self.selection.settled_until),
            rate: Some(self.rate),
            dry_run: true,
            cursor: None,
        }
    }

    /// The same in earnest, of what the preview saw: nothing that was given up since.
    fn in_earnest(&self, preview: &Summary) -> ReplayRequest {
        let until = self.selection.settled_until.map_or(preview.as_of, |until| until.min(preview.as_of));
        ReplayRequest { settled_until: Some(until.to_string()), dry_run: false, ..self.request() }
    }
}

pub(super) async fn run(
    arguments: &Arguments,
    environment: &Environment,
    out: &mut dyn Write,
) -> anyhow::Result<Verdict> {
    let Arguments { dry_run, yes, json, .. } = *arguments;
    if json && !dry_run && !yes {
        bail!("with --json say --dry-run to look, or --yes to replay");
    }
    let caller = Caller::new(&arguments.address, "/api/replays", environment)?;
    let preview = ask(&caller, arguments.request()).await?;
    if dry_run || !json {
        tell(&preview, json, out)?;
    }
    if dry_run || (!json && preview.counts.replayed == 0) {
        return Ok(Verdict::Good);
    }
    if !yes && !is_wanted(preview.counts.replayed)? {
        writeln!(out, "nothing was changed")?;
        return Ok(Verdict::Good);
    }
    let done = ask(&caller, arguments.in_earnest(&preview)).await;
    let done = done.context("a part may be replayed already; ask again, and the rest follows")?;
    tell(&done, json, out)?;
    Ok(Verdict::Good)
}

/// Asks call by call until all is looked through. Asking again is safe: what was replayed is no longer found.
async fn ask(caller: &Caller, mut request: ReplayRequest) -> anyhow::Result<Summary> {
    let mut whole: Option<Summary> = None;
    loop {
        let body = Body::from_recorded(serde_json::to_string(&request)?, Vec::new());
        let answer = caller.post(body).await?;
        let part: Summary = serde_json::from_str(&answer).context("the service's answer cannot be read")?;
        let whole = match &mut whole {
            Some(whole) => {
                whole.go_on(part);
                whole
            }
            none => none.insert(part),
        };
        request.cursor = whole.next_cursor.take();
        if request.cursor.is_none() {
            return Ok(whole.clone());
        }
    }
}

fn is_wanted(count: u64) -> anyhow::Result<bool> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        bail!("nothing was changed: without a terminal to ask at, say --yes");
    }
    write!(io::stderr(), "replay {count} deliveries? [y/N] ")?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn tell(summary: &Summary, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        return Ok(writeln!(out, "{}", serde_json::to_string(summary)?)?);
    }
    Ok(write(summary, out)?)
}

fn write(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let counts = &summary.counts;
    if counts.matched > 0 {
        let heads = ["sink", "status", "reason", "match", "go", "stay"];
        let mut rows = vec![heads.map(str::to_owned).to_vec()];
        rows.extend(summary.groups.iter().map(|group| {
            let (matched, replayed) = (group.counts.matched, group.counts.replayed);
            let [matched, replayed, left] = [matched, replayed, matched - replayed].map(|n| n.to_string());
            let reason = group.reason.clone().unwrap_or_default();
            vec![group.sink.clone(), group.status.name().to_owned(), reason, matched, replayed, left]
        }));
        table::write(out, &rows)?;
    }
    let (verb, rate) = (if summary.dry_run { "would be" } else { "are" }, summary.rate);
    write!(out, "{} match, {} {verb} replayed", counts.matched, counts.replayed)?;
    if counts.replayed > 0 {
        write!(out, ": at most {rate} a second at each sink, in about {} s", seconds(summary))?;
    }
    writeln!(out)?;
    if let Some(until) = summary.busy_until {
        writeln!(out, "  an earlier replay goes on until {until:.0}; this one follows it")?;
    }
    for (count, what) in [
        (counts.deduplicated, "of them are repetitions that the platform recognises"),
        (counts.waiting, "of them wait for their time, or for another delivery, first"),
        (counts.too_old, "stay: the event is older than the sink takes"),
        (counts.skipped_again, "stay: today's settings would skip them again"),
        (counts.failed_again, "stay: they would fail unsent"),
        (counts.could_count_twice, "stay: the platform has them, or perhaps, and could count them twice"),
        (counts.purged, "stay: retention has removed their events"),
        (counts.not_configured, "stay: their sink is not configured"),
        (counts.changed, "stay: they have changed meanwhile"),
        (summary.removed, "older deliveries were removed by retention; no selection finds them"),
    ] {
        if count > 0 {
            writeln!(out, "  {count} {what}")?;
        }
    }
    for (reason, count) in &summary.reasons_today {
        writeln!(out, "    {count} as {reason}")?;
    }
    Ok(())
}

/// How long it takes until the last is due, where no other replay goes on.
fn seconds(summary: &Summary) -> u64 {
    let mut by_sink: BTreeMap<&str, u64> = BTreeMap::new();
    for group in &summary.groups {
        *by_sink.entry(&group.sink).or_default() += group.counts.replayed;
    }
    by_sink.into_values().max().unwrap_or_default().div_ceil(u64::from(summary.rate))
}
