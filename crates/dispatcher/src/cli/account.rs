//! `signalbox audit`

use std::io::Write;

use conversion_store::{Audit, VerdictAccount};

use super::{Verdict, table};
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the account is kept.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(
    arguments: &Arguments,
    config: &Config,
    out: &mut dyn Write,
) -> anyhow::Result<Verdict> {
    let audit = super::read_store(arguments.store.as_deref(), config)?.audit().await?;
    if arguments.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&audit)?)?;
    } else {
        write(out, &audit)?;
    }
    Ok(Verdict::good_if(audit.balanced))
}

/// The account, as a table and a sentence.
pub(super) fn write(out: &mut dyn Write, audit: &Audit) -> std::io::Result<()> {
    let heads = ["sink", "routed", "delivered", "skipped", "failed", "pending", "purged"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(audit.sinks.iter().map(|(name, account)| {
        let counts = [
            account.routed,
            account.delivered,
            account.skipped,
            account.failed,
            account.pending,
            account.purged,
        ];
        std::iter::once(name.clone()).chain(counts.map(|count| count.to_string())).collect()
    }));
    table::write(out, &rows)?;
    write_verdicts(out, audit)?;
    for difference in &audit.differences {
        writeln!(out, "  {difference}")?;
    }
    let verdict = if audit.balanced {
        "balanced: at every sink, routed = delivered + skipped + failed + pending + purged"
    } else {
        "NOT BALANCED"
    };
    writeln!(out, "{} events accepted; {verdict}", audit.accepted)
}

/// How platforms judged later what they had taken: a table of those that do.
fn write_verdicts(out: &mut dyn Write, audit: &Audit) -> std::io::Result<()> {
    let judging = audit.sinks.iter().filter(|(_, account)| !account.verdicts.is_empty());
    let mut rows: Vec<Vec<String>> = judging
        .map(|(name, account)| {
            let VerdictAccount { awaited, confirmed, refused, unconfirmed } = account.verdicts;
            let counts = [awaited, confirmed, refused, unconfirmed];
            std::iter::once(name.clone()).chain(counts.map(|count| count.to_string())).collect()
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let heads = ["later verdicts", "awaited", "confirmed", "refused", "unconfirmed"];
    rows.insert(0, heads.map(str::to_owned).to_vec());
    table::write(out, &rows)
}
