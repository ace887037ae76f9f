//! `signalbox audit`

use std::io::Write;

use conversion_store::Audit;

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
