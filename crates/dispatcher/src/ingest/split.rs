//! From a request's body to its events: one object, an array, or one object a line.

use serde_json::value::RawValue;

/// Why a body holds no events.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// Nothing in it.
    #[error("the body holds no event; send one event, an array of events, or one event a line")]
    Empty,
    /// Neither JSON nor lines of JSON.
    #[error("the body is neither one JSON value nor one JSON object a line: {0}")]
    NotJson(String),
    /// Too many events.
    #[error("{found} events in one request; send at most {most} at once")]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many may be.
        most: usize,
    },
}

/// The events in `body`, unread. In lines, each stands for itself: a broken one does not hide the others.
pub fn split(body: &[u8], most: usize) -> Result<Vec<&str>, SplitError> {
    let text = str::from_utf8(body).map_err(|_| SplitError::NotUtf8)?.trim();
    if text.is_empty() {
        return Err(SplitError::Empty);
    }
    let events: Vec<&str> = match serde_json::from_str::<&RawValue>(text) {
        Ok(_) if text.starts_with('[') => {
            let items = serde_json::from_str::<Vec<&RawValue>>(text).map_err(|error| not_json(&error))?;
            items.into_iter().map(RawValue::get).collect()
        }
        Ok(_) => vec![text],
        Err(error) => match text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>() {
            lines if lines.len() > 1 && lines.iter().any(|line| is_object(line)) => lines,
            _ => return Err(not_json(&error)),
        },
    };
    match events.len() {
        0 => Err(SplitError::Empty),
        found if found > most => Err(SplitError::TooMany { found, most }),
        _ => Ok(events),
    }
}

fn is_object(line: &str) -> bool {
    line.starts_with('{') && serde_json::from_str::<&RawValue>(line).is_ok()
}

fn not_json(error: &serde_json::Error) -> SplitError {
    let problem = if error.is_eof() { "it is cut off" } else { "it is not valid" };
    SplitError::NotJson(format!("{problem} at line {}, column {}", error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_many_or_lines() {
        for (body, events) in [
            (r#"{"a":1}"#, vec![r#"{"a":1}"#]),
            (r#" [{"a":1}, {"b":2}] "#, vec![r#"{"a":1}"#, r#"{"b":2}"#]),
            ("{\"a\":1}\n\n{\"b\":2}\r\n", vec![r#"{"a":1}"#, r#"{"b":2}"#]),
            ("{\"a\":1}\n{broken\n{\"b\":2}", vec![r#"{"a":1}"#, "{broken", r#"{"b":2}"#]),
            ("{\n  \"a\": 1\n}", vec!["{\n  \"a\": 1\n}"]),
        ] {
            assert_eq!(split(body.as_bytes(), 10).unwrap(), events);
        }
    }

    #[test]
    fn what_is_no_events() {
        for (body, error) in [
            (&b""[..], SplitError::Empty),
            (b"[]", SplitError::Empty),
            (b"\xff", SplitError::NotUtf8),
            (b"{\"a\":", SplitError::NotJson("it is cut off at line 1, column 5".into())),
            (b"[1,2,3]", SplitError::TooMany { found: 3, most: 2 }),
        ] {
            assert_eq!(split(body, 2), Err(error));
        }
    }
}
