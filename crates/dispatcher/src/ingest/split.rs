//! From a request's body to its events: one object, an array, or one object a line.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
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
    let Items { kept, found, .. } = match serde_json::from_str::<&RawValue>(text) {
        Ok(_) if text.starts_with('[') => {
            let mut items = Items { kept: Vec::new(), found: 0, most };
            let read = items.deserialize(&mut serde_json::Deserializer::from_str(text));
            read.map_err(|error| not_json(&error))?;
            items
        }
        Ok(_) => Items { kept: vec![text], found: 1, most },
        Err(error) => {
            let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
            let found = lines().count();
            if found < 2 || !lines().any(is_object) {
                return Err(not_json(&error));
            }
            Items { kept: lines().take(most).collect(), found, most }
        }
    };
    match found {
        0 => Err(SplitError::Empty),
        found if found > most => Err(SplitError::TooMany { found, most }),
        _ => Ok(kept),
    }
}

/// The items of an array, of which only as many are kept as may be: there may be millions in a body.
struct Items<'a> {
    kept: Vec<&'a str>,
    found: usize,
    most: usize,
}

impl<'a> DeserializeSeed<'a> for &mut Items<'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for &mut Items<'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element::<&'a RawValue>()? {
            self.found += 1;
            if self.found <= self.most {
                self.kept.push(item.get());
            }
        }
        Ok(())
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
