//! `signalbox notices`

use std::io::Write;

use conversion_store::{NoticeFilter, NoticeRecord, NoticeStatus};

use super::{Verdict, reasons, table};
use crate::api::NoticeView;
use crate::config::Config;
use crate::reason;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only with this status.
    #[arg(long, value_name = "pending|done|ignored|failed")]
    status: Option<NoticeStatus>,
    /// Only of this source.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only of this appointment.
    #[arg(long, value_name = "ID")]
    appointment_id: Option<String>,
    /// At most so many, the latest first.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Print one JSON object a line.
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
    let filter = NoticeFilter {
        status: arguments.status,
        source: arguments.source.clone(),
        appointment: arguments.appointment_id.clone(),
        limit: arguments.limit.max(1),
        after: None,
    };
    let (notices, next) = super::read_store(arguments.store.as_deref(), config)?.notices(&filter).await?;
    if arguments.json {
        for record in notices {
            writeln!(out, "{}", serde_json::to_string(&NoticeView::of(record))?)?;
        }
        return Ok(Verdict::Good);
    }
    let heads = [
        "id",
        "received",
        "source",
        "action",
        "appointment",
        "status",
        "event",
        "tries",
        "reason",
        "message",
    ];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(notices.iter().map(row));
    table::write(out, &rows)?;
    if next.is_some() {
        writeln!(out, "… and more; raise --limit or narrow the filter")?;
    }
    let known = notices.iter().filter_map(|record| Some((record.status.name(), reason::of_notice(record)?)));
    reasons::write_fixes(out, known)?;
    Ok(Verdict::Good)
}

fn row(record: &NoticeRecord) -> Vec<String> {
    vec![
        record.id.0.to_string(),
        format!("{:.0}", record.received_at),
        record.source.clone(),
        table::cut(&record.action, 24),
        record.appointment.clone().unwrap_or_default(),
        record.status.name().to_owned(),
        record.event.as_ref().map_or_else(String::new, |(name, id)| format!("{name} {id}")),
        record.tries.to_string(),
        record.reason.clone().unwrap_or_default(),
        table::cut(record.message.as_deref().unwrap_or_default(), 80),
    ]
}
