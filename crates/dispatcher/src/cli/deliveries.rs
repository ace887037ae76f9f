//! `signalbox deliveries`

use std::io::Write;

use anyhow::Context as _;
use conversion_core::Timestamp;
use conversion_store::{
    Confirmation, DeliveryDetail, DeliveryFilter, DeliveryId, DeliveryRecord, Origin, Status,
};

use super::{Verdict, reasons, table};
use crate::api::{DeliveryView, DetailView};
use crate::config::Config;
use crate::reason;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only with this status.
    #[arg(long, value_name = "pending|delivered|skipped|failed")]
    status: Option<Status>,
    /// Only with this later verdict of the platform.
    #[arg(long, value_name = "awaited|confirmed|refused|unconfirmed")]
    confirmation: Option<Confirmation>,
    /// Only of this sink.
    #[arg(long, value_name = "NAME")]
    sink: Option<String>,
    /// Only with this reason.
    #[arg(long)]
    reason: Option<String>,
    /// Only of the event with this id.
    #[arg(long, value_name = "ID")]
    event_id: Option<String>,
    /// Only of events accepted at this time or later (RFC 3339).
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// This one with every attempt, the first one first.
    #[arg(long, value_name = "ID", conflicts_with_all = ["status", "confirmation", "sink", "reason", "event_id", "since"])]
    id: Option<DeliveryId>,
    /// At most so many, the latest first.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Print one JSON object a line, with bodies.
    #[arg(long)]
    json: bool,
    /// Where the account is kept.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

pub(super) async fn run(
    arguments: &Arguments,
    config: &Config,
    out: &mut dyn Write,
) -> anyhow::Result<Verdict> {
    let store = super::read_store(arguments.store.as_deref(), config)?;
    if let Some(id) = arguments.id {
        let found = store.delivery(id).await?.with_context(|| format!("there is no delivery {id}"))?;
        write_one(found, arguments.json, out)?;
        return Ok(Verdict::Good);
    }
    let filter = DeliveryFilter {
        status: arguments.status,
        confirmation: arguments.confirmation,
        sink: arguments.sink.clone(),
        reason: arguments.reason.clone(),
        event_id: arguments.event_id.clone(),
        since: arguments.since,
        with_attempts: arguments.json,
        limit: arguments.limit.max(1),
        after: None,
    };
    let page = store.deliveries(&filter).await?;
    if arguments.json {
        for record in &page.items {
            writeln!(out, "{}", serde_json::to_string(&DeliveryView::of(record))?)?;
        }
        return Ok(Verdict::Good);
    }
    write_table(page.items.iter(), out)?;
    if page.next.is_some() {
        writeln!(out, "… and more; raise --limit or narrow the filter")?;
    }
    let known =
        page.items.iter().filter_map(|record| Some((record.status.name(), reason::of_delivery(record)?)));
    reasons::write_fixes(out, known)?;
    Ok(Verdict::Good)
}

fn write_table<'r>(
    records: impl Iterator<Item = &'r DeliveryRecord>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let heads = ["id", "event", "event id", "sink", "status", "code", "attempts", "reason", "message"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(records.map(row));
    table::write(out, &rows)
}

fn write_one(detail: DeliveryDetail, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        return Ok(writeln!(out, "{}", serde_json::to_string(&DetailView::of(detail, false))?)?);
    }
    write_table(std::iter::once(&detail.delivery), out)?;
    writeln!(out)?;
    let heads = ["attempt", "sent", "ms", "code", "result", "note"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(detail.attempts.iter().map(|attempt| {
        let code = attempt.exchange.reply.as_ref().map_or_else(String::new, |reply| reply.status.to_string());
        vec![
            attempt.number.to_string(),
            format!("{:.3}", attempt.exchange.sent_at),
            attempt.exchange.duration.as_millis().to_string(),
            code,
            attempt.result.clone(),
            table::cut(attempt.note.as_deref().unwrap_or_default(), 80),
        ]
    }));
    Ok(table::write(out, &rows)?)
}

/// `DELIVERED`, with the later verdict where there is one, and marked where it is a test's.
fn state(record: &DeliveryRecord) -> String {
    let mut state = record.status.name().to_owned();
    if record.confirmation != Confirmation::None {
        state = format!("{state}, {}", record.confirmation.name());
    }
    if record.origin == Origin::Test { state + " (TEST)" } else { state }
}

fn row(record: &DeliveryRecord) -> Vec<String> {
    vec![
        record.id.to_string(),
        table::cut(&record.event_name, 24),
        table::cut(&record.event_id, 36),
        record.sink.clone(),
        state(record),
        record.response_code.map_or_else(String::new, |code| code.to_string()),
        record.attempts.to_string(),
        record.reason.clone().unwrap_or_default(),
        table::cut(record.message.as_deref().unwrap_or_default(), 80),
    ]
}
