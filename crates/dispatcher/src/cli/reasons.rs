//! `signalbox reasons`

use std::collections::BTreeSet;
use std::io::{self, Write};

use conversion_core::reason::{self, Actor, Place, Reason};

use super::{Verdict, table};
use crate::api::ReasonView;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only those of this name.
    name: Option<String>,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
    /// Print the page docs/reasons.md.
    #[arg(long, conflicts_with_all = ["json", "name"])]
    markdown: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    if arguments.markdown {
        write_page(out)?;
        return Ok(Verdict::Good);
    }
    let is_wanted = |reason: &&Reason| arguments.name.as_deref().is_none_or(|name| name == reason.name);
    let reasons: Vec<&Reason> = reason::all().into_iter().filter(is_wanted).collect();
    if let Some(name) = arguments.name.as_deref().filter(|_| reasons.is_empty()) {
        anyhow::bail!("there is no reason {name}; signalbox reasons lists all");
    }
    if arguments.json {
        for reason in reasons {
            writeln!(out, "{}", serde_json::to_string(&ReasonView::of(reason))?)?;
        }
        return Ok(Verdict::Good);
    }
    for reason in reasons {
        let places: Vec<&str> = reason.places.iter().copied().map(Place::name).collect();
        writeln!(out, "{} ({})", reason.name, places.join(", "))?;
        writeln!(out, "    {}", reason.sentence)?;
        writeln!(out, "    {}: {}", reason.actor.name(), reason.fix)?;
    }
    Ok(Verdict::Good)
}

/// What to do about the reasons that a list named, each with the status that it stands for.
pub(super) fn write_fixes(
    out: &mut dyn Write,
    reasons: impl Iterator<Item = (&'static str, &'static Reason)>,
) -> io::Result<()> {
    let told: BTreeSet<_> = reasons
        .map(|(status, reason)| {
            [status, reason.name, reason.actor.name(), reason.fix].map(str::to_owned).to_vec()
        })
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    let heads = ["status", "reason", "who acts", "what to do"].map(str::to_owned).to_vec();
    writeln!(out)?;
    table::write(out, &[heads].into_iter().chain(told).collect::<Vec<_>>())
}

fn write_page(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", INTRODUCTION.trim_end())?;
    for place in Place::ALL {
        let (title, of) = heading(place);
        writeln!(out, "\n## {title}\n\n{of}\n")?;
        writeln!(out, "| `reason` | means | who acts | what to do |\n|---|---|---|---|")?;
        for reason in reason::all().into_iter().filter(|reason| reason.places.contains(&place)) {
            let Reason { name, sentence, fix, .. } = reason;
            writeln!(out, "| `{name}` | {sentence} | {} | {fix} |", who(reason.actor))?;
        }
    }
    Ok(())
}

const INTRODUCTION: &str = "\
# Reasons

<!-- Written by `signalbox reasons --markdown`, from the registry. -->

Why a delivery, a hold or a notice stands as it does: every name that `reason` or `holdReason` may have, what it means,
and who can do what about it. A name never changes its meaning. Where `{…}` stands in a sentence, the message fills it
in; the others say what a message is about that is in the platform's words. `GET /api/reasons` and `signalbox reasons`
list the same, and every delivery, notice and hold shows its own `fix` and `actor` (of holds `holdFix` and `holdActor`).
What a store has from an older version by a name that is no longer known is shown without them.

Who acts: the **sender** of the events (`SENDER`); the **operator**, who runs Signalbox and has the accounts
(`OPERATOR`); the **platform** or booking system, because it passes (`PLATFORM`); **nobody** (`NOBODY`).
";

fn heading(place: Place) -> (&'static str, &'static str) {
    match place {
        Place::Skipped => ("Skips", "`SKIPPED`: nothing was sent, and nothing went wrong."),
        Place::Pending => {
            ("Waiting", "`PENDING`: it waits. Without a reason it is new, or its time has not come.")
        }
        Place::Failed => ("Failures", "`FAILED`: refused for good, or given up."),
        Place::Held => ("Holds", "`holdReason` of a sink or source, and `reason` of a held event name."),
        Place::NoticeIgnored => ("Ignored notices", "`IGNORED`: it led to no event, and that is no error."),
        Place::NoticePending => ("Waiting notices", "`PENDING`: it is tried again."),
        Place::NoticeFailed => ("Failed notices", "`FAILED`: no event could be made of it."),
    }
}

fn who(actor: Actor) -> &'static str {
    match actor {
        Actor::Sender => "sender",
        Actor::Operator => "operator",
        Actor::Platform => "platform",
        Actor::Nobody => "nobody",
    }
}
