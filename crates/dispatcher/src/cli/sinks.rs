//! `signalbox sinks`

use std::io::Write;

use serde::Serialize;

use super::{Verdict, table};
use crate::config::Config;
use crate::platform::{self, PlatformView};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only platforms that a sink is configured for.
    #[arg(long)]
    configured: bool,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// A platform, and the sinks that are configured for it.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    platform: PlatformView,
    sinks: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, config: &Config, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let listed = platform::all().into_iter().map(|platform| {
        let own = config.sinks.iter().filter(|sink| sink.descriptor.kind == platform.kind);
        let sinks = own.map(|sink| sink.name.clone()).collect();
        Listed { platform, sinks }
    });
    for Listed { platform, sinks } in
        listed.filter(|listed| !(arguments.configured && listed.sinks.is_empty()))
    {
        if arguments.json {
            writeln!(out, "{}", serde_json::to_string(&Listed { platform, sinks })?)?;
            continue;
        }
        let configured = if sinks.is_empty() { "none".to_owned() } else { sinks.join(", ") };
        writeln!(out, "{} ({})", platform.title, platform.kind)?;
        let facts = platform.facts().into_iter().map(|(head, fact)| vec![format!("  {head}"), fact]);
        let about = [("sinks configured", configured), ("documentation", platform.docs.to_owned())];
        let about = about.into_iter().map(|(head, fact)| vec![format!("  {head}"), fact]);
        table::write(out, &facts.chain(about).collect::<Vec<_>>())?;
        writeln!(out)?;
    }
    Ok(Verdict::Good)
}
