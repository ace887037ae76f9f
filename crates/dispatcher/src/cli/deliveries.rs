//! `signalbox deliveries`

use std::io::Write;

use conversion_core::Timestamp;
use conversion_store::{DeliveryFilter, DeliveryRecord, Origin, Status};

use super::{Verdict, reasons, table};
use crate::api::DeliveryView;
use crate::config::Config;
use crate::reason;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only with this status.
    #[arg(long, value_name = "pending|delivered|skipped|failed")]
    status: Option<Status>,
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
    let filter = DeliveryFilter {
        status: arguments.status,
        sink: arguments.sink.clone(),
        reason: arguments.reason.clone(),
        event_id: arguments.event_id.clone(),
        since: arguments.since,
        with_attempts: arguments.json,
        limit: arguments.limit.max(1),
        after: None,
    };
    let page = super::read_store(arguments.store.as_deref(), config)?.deliveries(&filter).await?;
    if arguments.json {
        for record in &page.items {
            writeln!(out, "{}", serde_json::to_string(&DeliveryView::of(record))?)?;
        }
        return Ok(Verdict::Good);
    }
    let heads = ["id", "event", "event id", "sink", "status", "code", "attempts", "reason", "message"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(page.items.iter().map(row));
    table::write(out, &rows)?;
    if page.next.is_some() {
        writeln!(out, "… and more; raise --limit or narrow the filter")?;
    }
    let known =
        page.items.iter().filter_map(|record| Some((record.status.name(), reason::of_delivery(record)?)));
    reasons::write_fixes(out, known)?;
    Ok(Verdict::Good)
}

fn row(record: &DeliveryRecord) -> Vec<String> {
    vec![
        record.id.to_string(),
        table::cut(&record.event_name, 24),
        table::cut(&record.event_id, 36),
        record.sink.clone(),
        format!("{}{}", record.status.name(), if record.origin == Origin::Test { " (TEST)" } else { "" }),
        record.response_code.map_or_else(String::new, |code| code.to_string()),
        record.attempts.to_string(),
        record.reason.clone().unwrap_or_default(),
        table::cut(record.message.as_deref().unwrap_or_default(), 80),
    ]
}
