//! `signalbox explain`

mod overview;

use std::io::Write;
use std::path::PathBuf;

use conversion_core::exchange::Request;
use conversion_core::identity::Trace;
use conversion_core::registry;
use conversion_core::sink::{ConversionSink, NotSent, Subject};
use conversion_core::skip::Skip;
use conversion_core::{CanonicalEvent, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Verdict, input, table};
use crate::Clock;
use crate::config::{Config, OutboundMode, SinkConfig};
use crate::ingest::split;
use crate::screen::Rules;
use crate::service::build_sink;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// File with one event, an array, or one event a line; - for standard input.
    #[arg(value_name = "EVENT.json")]
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What one sink would make of one event.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    sink: String,
    platform: &'static str,
    mapping: Option<String>,
    identifiers: Vec<Trace>,
    /// What the platform would recognise a repetition by.
    #[serde(skip_serializing_if = "Option::is_none")]
    dedup_key: Option<String>,
    /// What would be sent, or in mock mode kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Shown>,
    /// Why nothing would be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    skip: Option<NotTold>,
}

/// Why nothing would be sent, and what to do.
#[derive(Serialize)]
struct NotTold {
    reason: &'static str,
    message: String,
    fix: &'static str,
    actor: &'static str,
}

/// A request as it would be recorded.
#[derive(Serialize)]
struct Shown {
    method: &'static str,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Box<RawValue>,
    notes: Vec<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained {
    event_name: String,
    event_id: String,
    conversion_id: String,
    event_time: Timestamp,
    sinks: Vec<Explanation>,
}

impl Explained {
    fn new(event: &CanonicalEvent, sinks: Vec<Explanation>) -> Self {
        Self {
            event_name: event.event_name.clone(),
            event_id: event.event_id.clone(),
            conversion_id: event.conversion_id().to_owned(),
            event_time: event.event_time,
            sinks,
        }
    }
}

pub(super) fn run(arguments: &Arguments, config: &Config, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let now = Clock::running().now();
    let vocabulary = registry::vocabulary();
    let sinks = config.sinks.iter().map(|sink| build_sink(config, sink)).collect::<Result<Vec<_>, _>>()?;
    let text = input::read(&arguments.file)?;
    let mut good = true;
    for json in split(text.as_bytes(), config.server.max_events)? {
        let event = match CanonicalEvent::parse(json, &vocabulary, now) {
            Ok(event) => event,
            Err(error) => {
                good = false;
                if arguments.json {
                    writeln!(out, "{}", serde_json::json!({ "errors": error.errors }))?;
                } else {
                    writeln!(out, "rejected: {error}")?;
                }
                continue;
            }
        };
        let sinks = config
            .sinks
            .iter()
            .zip(&sinks)
            .map(|(sink_config, sink)| explain(config, sink_config, &**sink, &event, now));
        let explained = Explained::new(&event, sinks.collect());
        if arguments.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&explained)?)?;
        } else {
            write(out, &event, &explained)?;
        }
    }
    Ok(Verdict::good_if(good))
}

fn explain(
    config: &Config,
    sink_config: &SinkConfig,
    sink: &dyn ConversionSink,
    event: &CanonicalEvent,
    now: Timestamp,
) -> Explanation {
    let screened = Rules::of(config, sink_config).screen(event, Some(now));
    let subject = Subject::new(&screened.event).screened(screened.skip);
    let prepared = sink.prepare(&subject, now).map_err(|not_sent| match not_sent {
        NotSent::Skip(skip) => skip,
        // Only a store knows of other deliveries.
        NotSent::WaitForRelated => Skip::already_counted(&event.event_name),
        NotSent::WaitUntil { reason, message, .. } => Skip::too_early(reason, message),
    });
    let (payload, skip) = prepared.map_or_else(|skip| (None, Some(skip)), |payload| (Some(payload), None));
    // The spec's order: mock mode is the first reason, whatever else there is.
    let mock = config.outbound.mode == OutboundMode::Mock;
    let skip = if mock { Some(Skip::mock_mode(sink_config.descriptor.platform)) } else { skip };
    Explanation {
        sink: sink_config.name.clone(),
        platform: sink_config.descriptor.platform,
        mapping: sink.mapping().get(&event.event_name).cloned(),
        identifiers: sink.recipes().iter().filter_map(|recipe| recipe.trace(&screened.event)).collect(),
        dedup_key: payload.as_ref().and_then(|payload| payload.dedup_key.as_deref().map(str::to_owned)),
        request: payload.map(|payload| Shown::of(sink.compose(&[&payload]), payload.notes)),
        skip: skip.map(NotTold::of),
    }
}

impl NotTold {
    fn of(Skip { reason, message }: Skip) -> Self {
        Self { reason: reason.name, message, fix: reason.fix, actor: reason.actor.name() }
    }
}

impl Shown {
    fn of(request: Request, notes: Vec<&'static str>) -> Self {
        let headers = request.headers.iter().map(|header| (header.name, header.recorded_value().to_owned()));
        let body = RawValue::from_string(request.body.json().to_owned()).unwrap_or_default();
        Self { method: "POST", url: request.url, headers: headers.collect(), body, notes }
    }
}

fn write(out: &mut dyn Write, event: &CanonicalEvent, explained: &Explained) -> anyhow::Result<()> {
    writeln!(
        out,
        "{} {} (conversion id {}) at {}",
        explained.event_name, explained.event_id, explained.conversion_id, explained.event_time
    )?;
    writeln!(out)?;
    table::write(out, &overview::rows(event, &explained.sinks)?)?;
    for sink in &explained.sinks {
        writeln!(out, "\n{} ({})", sink.sink, sink.platform)?;
        writeln!(
            out,
            "  mapping: {} → {}",
            explained.event_name,
            sink.mapping.as_deref().unwrap_or("nothing")
        )?;
        for trace in &sink.identifiers {
            writeln!(out, "  {} → {}   [{}]", trace.field, trace.target, trace.documented)?;
            for (step, value) in &trace.steps {
                writeln!(out, "      {step}: {}", value.as_deref().unwrap_or("nothing usable; left out"))?;
            }
        }
        if let Some(skip) = &sink.skip {
            writeln!(out, "  SKIPPED ({}): {}", skip.reason, skip.message)?;
            writeln!(out, "  fix: {} ({})", skip.fix, skip.actor)?;
        }
        let Some(request) = &sink.request else { continue };
        writeln!(out, "  would send: {} {}", request.method, request.url)?;
        for (name, value) in &request.headers {
            writeln!(out, "      {name}: {value}")?;
        }
        for line in spread(request.body.get()).lines() {
            writeln!(out, "      {line}")?;
        }
        for note in &request.notes {
            writeln!(out, "  note: {note}")?;
        }
    }
    writeln!(out)?;
    Ok(())
}

/// Compact JSON over several lines, otherwise as it is: what is shown is what would be sent, to the digit.
fn spread(json: &str) -> String {
    let mut spread = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for c in json.chars() {
        if in_text {
            spread.push(c);
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut spread, depth);
            }
            '"' => in_text = true,
            _ => {}
        }
        spread.push(c);
        match c {
            '{' | '[' | ',' => break_line(&mut spread, depth),
            ':' => spread.push(' '),
            _ => {}
        }
    }
    spread
}

fn break_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_spread_without_being_changed() {
        let json = r#"{"a":"x,\"{","b":[50.00,1],"c":{"d":true}}"#;
        let lines = "{\n  \"a\": \"x,\\\"{\",\n  \"b\": [\n    50.00,\n    1\n  ],\n  \"c\": {\n    \"d\": true\n  }\n}";
        assert_eq!(spread(json), lines);
    }
}
