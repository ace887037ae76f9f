//! All sinks side by side: what each would be told, and where each of the event's fields would stand.

use conversion_core::CanonicalEvent;
use serde_json::Value;

use super::Explanation;
use crate::cli::table;

/// Longest cell, in characters: four sinks fit into 120.
const CELL: usize = 24;
const NOTHING: &str = "-";
/// Fields that every sink is told by, in a form of its own.
const OF_EVERY_EVENT: [&str; 4] = ["eventId", "eventName", "eventTime", "conversionId"];
/// A shorter text is found inside another by chance.
const SHORT: usize = 6;

/// A row for each question, a column for each sink; the first row has their names.
pub(super) fn rows(event: &CanonicalEvent, sinks: &[Explanation]) -> serde_json::Result<Vec<Vec<String>>> {
    let bodies = sinks.iter().map(Body::read).collect::<Result<Vec<_>, _>>()?;
    let row = |head: &str, cell: &dyn Fn(&Explanation) -> String| -> Vec<String> {
        let cells = sinks.iter().map(|sink| table::cut(&cell(sink), CELL));
        std::iter::once(head.to_owned()).chain(cells).collect()
    };
    let or_nothing = |text: &Option<String>| text.clone().unwrap_or_else(|| NOTHING.to_owned());
    let told = |sink: &Explanation| sink.skip.as_ref().map_or("yes", |skip| skip.reason).to_owned();
    let mut rows = vec![
        row("", &|sink| sink.sink.clone()),
        row("told", &told),
        row("told as", &|sink| or_nothing(&sink.mapping)),
        row("deduplicated by", &|sink| or_nothing(&sink.dedup_key)),
    ];
    let event = serde_json::to_value(event)?;
    for (field, value) in leaves(&event) {
        if OF_EVERY_EVENT.contains(&field.as_str()) {
            continue;
        }
        let cells = sinks.iter().zip(&bodies).map(|(sink, body)| {
            let found = match hashed(sink, &field) {
                found if found.is_empty() => body.places(value),
                found => found,
            };
            let cell = if found.is_empty() { NOTHING.to_owned() } else { found.join(", ") };
            table::cut(&cell, CELL)
        });
        rows.push(std::iter::once(field.clone()).chain(cells).collect());
    }
    Ok(rows)
}

/// The names under which the sink's recipes send a field.
fn hashed(sink: &Explanation, field: &str) -> Vec<String> {
    let own = sink.identifiers.iter().filter(|trace| trace.field == field && trace.sent.is_some());
    let mut names: Vec<String> = own.map(|trace| last(trace.target)).collect();
    names.dedup();
    names
}

/// What would be sent, as its single values.
struct Body(Vec<(String, Value)>);

impl Body {
    fn read(sink: &Explanation) -> serde_json::Result<Self> {
        let Some(request) = &sink.request else { return Ok(Self(Vec::new())) };
        let body: Value = serde_json::from_str(request.body.get())?;
        Ok(Self(leaves(&body).into_iter().map(|(path, value)| (path, value.clone())).collect()))
    }

    /// The names under which this value stands, by itself or, if there is none such, within another.
    fn places(&self, value: &Value) -> Vec<String> {
        let by = |is_there: &dyn Fn(&Value) -> bool| {
            let mut names = Vec::new();
            for (path, _) in self.0.iter().filter(|(_, told)| is_there(told)) {
                let name = last(path);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            names
        };
        let within = |told: &Value| match (value, told) {
            (Value::String(value), Value::String(told)) => {
                value.len() >= SHORT && told.contains(value.as_str())
            }
            _ => false,
        };
        match by(&|told| told == value) {
            names if names.is_empty() => by(&within),
            names => names,
        }
    }
}

/// Every value that holds no other, with its path.
fn leaves(json: &Value) -> Vec<(String, &Value)> {
    let below = |key: &str, value| -> Vec<(String, &Value)> {
        let joined = |path: String| if path.is_empty() { key.to_owned() } else { format!("{key}.{path}") };
        leaves(value).into_iter().map(|(path, leaf)| (joined(path), leaf)).collect()
    };
    match json {
        Value::Object(fields) => fields.iter().flat_map(|(key, value)| below(key, value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, item)| below(&index.to_string(), item)).collect()
        }
        _ => vec![(String::new(), json)],
    }
}

/// The last name of a path.
fn last(path: &str) -> String {
    let is_name = |part: &&str| !part.bytes().all(|byte| byte.is_ascii_digit());
    path.rsplit('.').find(is_name).unwrap_or(path).to_owned()
}
