//! From bytes to a request, or to the name of the field that has the wrong JSON type.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_path_to_error::{Path, Segment};

use super::code;
use super::refusal::Refusal;
use super::wire::TrackRequest;

pub(super) fn request(body: &[u8]) -> Result<TrackRequest, Refusal> {
    serde_json::from_slice(body).map_err(|error| refusal(body, &error))
}

/// How many events a body holds that could not be read as a request.
pub(super) fn count(body: &[u8]) -> usize {
    #[derive(Deserialize)]
    struct Counted {
        data: Vec<IgnoredAny>,
    }
    serde_json::from_slice::<Counted>(body).map_or(0, |counted| counted.data.len())
}

/// Reads a body that is known to be wrong once more, with its path tracked. Tracking is too slow for every request.
fn refusal(body: &[u8], error: &serde_json::Error) -> Refusal {
    if !error.is_data() {
        return Refusal::whole(code::INVALID_PARAMS, "invalid params: the body is not JSON");
    }
    let json = &mut serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, TrackRequest>(json) {
        Err(error) => at(error.path(), &error.inner().to_string(), body),
        Ok(_) => Refusal::whole(code::PARAM_ERROR, "param error"),
    }
}

fn at(path: &Path, error: &str, body: &[u8]) -> Refusal {
    let segments: Vec<&Segment> = path.iter().collect();
    let (event, inside) = match segments.as_slice() {
        [Segment::Map { key }, Segment::Seq { index }, inside @ ..] if key == "data" => {
            (Some(*index), inside)
        }
        all => (None, all),
    };
    let field = inside.iter().map(|segment| name(segment)).collect::<Vec<_>>().join(".");
    let refusal = if field.ends_with(".price") && is_app(body) {
        Refusal::field(code::INVALID_PARAMS, field, "invalid price field")
    } else {
        Refusal::field(code::PARAM_ERROR, field, reason(error))
    };
    match event {
        Some(index) => refusal.of_event(index),
        None => refusal,
    }
}

/// List places stand between dots like names, as in the recorded messages.
fn name(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => index.to_string(),
        Segment::Map { .. } | Segment::Enum { .. } | Segment::Unknown => segment.to_string(),
    }
}

/// The app path is recorded to refuse prices with a code of its own.
fn is_app(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Source {
        event_source: String,
    }
    serde_json::from_slice::<Source>(body).is_ok_and(|source| source.event_source == "app")
}

/// TikTok's words for what the JSON reader expected.
fn reason(error: &str) -> &'static str {
    let expected = error.split_once("expected ").map_or(error, |(_, expected)| expected);
    let known = [
        ("a string", "not a valid string"),
        ("i64", "not a valid integer"),
        ("f64", "not a valid number"),
        ("a boolean", "not a valid boolean"),
        ("a sequence", "not a valid list"),
        ("struct", "not a valid object"),
    ];
    known.iter().find(|(start, _)| expected.starts_with(start)).map_or("not valid", |(_, words)| words)
}
