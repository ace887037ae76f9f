//! Reading single values: each reader takes the raw JSON of one field and either returns it or notes what is wrong.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::EARLIEST;
use super::error::FieldError;
use crate::consent::ConsentStatus;
use crate::money::{Amount, AmountError, Currency};
use crate::number;

/// The members of one JSON object in their order, unread, duplicates included.
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(24);
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'a> Members<'a> {
    /// The members of a whole document, which is `article` `noun`.
    pub(crate) fn read(article: &str, noun: &str, json: &'a str) -> Result<Self, FieldError> {
        let raw = serde_json::from_str::<&RawValue>(json).map_err(|error| {
            let problem = if error.is_eof() { "is cut off" } else { "is not valid JSON" };
            let (line, column) = (error.line(), error.column());
            FieldError::new("", format!("the {noun} {problem} at line {line}, column {column}"))
        })?;
        serde_json::from_str(raw.get()).map_err(|_| {
            if is_unicode(raw) {
                return FieldError::new(
                    "",
                    format!("{article} {noun} must be an object, not {}", shape(raw)),
                );
            }
            FieldError::new("", format!("a name in the {noun} {HALF_A_CHARACTER}"))
        })
    }
}

/// A key, borrowed unless it holds escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads values and gathers what is wrong with them.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) errors: Vec<FieldError>,
}

impl Reader {
    pub(crate) fn refuse<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        self.errors.push(FieldError::new(field, message));
        None
    }

    fn wants<T>(&mut self, field: &str, wanted: &str, raw: &RawValue) -> Option<T> {
        if !is_unicode(raw) {
            return self.refuse(field, HALF_A_CHARACTER);
        }
        let shape = shape(raw);
        self.refuse(field, format!("must be {wanted}, not {shape}"))
    }

    /// Members of an object; `null` is an absent one.
    pub(crate) fn object<'a>(&mut self, field: &str, raw: &'a RawValue) -> Vec<(Cow<'a, str>, &'a RawValue)> {
        if is_null(raw) {
            return Vec::new();
        }
        match serde_json::from_str::<Members<'a>>(raw.get()) {
            Ok(Members(members)) => self.distinct(field, members),
            Err(_) => self.wants(field, "an object", raw).unwrap_or_default(),
        }
    }

    /// `members` if there are not too many and none is given twice.
    pub(crate) fn distinct<'a>(
        &mut self,
        field: &str,
        members: Vec<(Cow<'a, str>, &'a RawValue)>,
    ) -> Vec<(Cow<'a, str>, &'a RawValue)> {
        if members.len() > MAX_MEMBERS {
            let message = format!("must have at most {MAX_MEMBERS} members, not {}", members.len());
            return self.refuse(field, message).unwrap_or_default();
        }
        for (index, (key, _)) in members.iter().enumerate() {
            if members.iter().take(index).any(|(earlier, _)| earlier == key) {
                let path = if field.is_empty() { key.to_string() } else { format!("{field}.{key}") };
                self.errors.push(FieldError::new(path, "is given twice"));
            }
        }
        members
    }

    /// Items of an array; `null` is an absent one.
    pub(crate) fn array<'a>(&mut self, field: &str, max: usize, raw: &'a RawValue) -> Vec<&'a RawValue> {
        if is_null(raw) {
            return Vec::new();
        }
        match serde_json::from_str::<Vec<&'a RawValue>>(raw.get()) {
            Ok(items) if items.len() <= max => items,
            Ok(items) => self
                .refuse(field, format!("must have at most {max} items, not {}", items.len()))
                .unwrap_or_default(),
            Err(_) => self.wants(field, "an array", raw).unwrap_or_default(),
        }
    }

    /// Text of at most `max` characters, trimmed; blank and `null` are absent.
    pub(crate) fn text(&mut self, field: &str, max: usize, raw: &RawValue) -> Option<String> {
        if is_null(raw) {
            return None;
        }
        let Ok(Key(text)) = serde_json::from_str::<Key<'_>>(raw.get()) else {
            return self.wants(field, "a string", raw);
        };
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return None;
        }
        let length = trimmed.chars().count();
        if length > max {
            return self.refuse(field, format!("must have at most {max} characters, not {length}"));
        }
        if trimmed.chars().any(char::is_control) {
            return self.refuse(field, "must not hold control characters");
        }
        Some(if trimmed.len() == text.len() { text.into_owned() } else { trimmed.to_owned() })
    }

    /// An id: text that goes to platforms, logs and addresses in the clear.
    pub(crate) fn id(&mut self, field: &str, raw: &RawValue) -> Option<String> {
        let id = self.text(field, MAX_ID, raw)?;
        if id.contains('@') {
            return self.refuse(field, "must not hold `@`: ids are sent and logged in the clear");
        }
        Some(id)
    }

    /// An absolute http or https address.
    pub(crate) fn url(&mut self, field: &str, raw: &RawValue) -> Option<String> {
        let url = self.text(field, MAX_URL, raw)?;
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("http" | "https") => Some(url),
            _ => self.refuse(field, "must be a full address that starts with https:// or http://"),
        }
    }

    /// RFC 3339 text, or Unix seconds.
    pub(crate) fn time(&mut self, field: &str, raw: &RawValue) -> Option<Timestamp> {
        const WANTED: &str = "a time as RFC 3339 (2026-01-10T12:00:00Z) or in Unix seconds";
        if is_null(raw) {
            return None;
        }
        if let Ok(Key(text)) = serde_json::from_str::<Key<'_>>(raw.get()) {
            return match text.trim().parse::<Timestamp>() {
                Ok(time) => self.in_range(field, time),
                Err(_) => self.wants(field, WANTED, raw),
            };
        }
        let Ok(seconds) = serde_json::from_str::<f64>(raw.get()) else {
            return self.wants(field, WANTED, raw);
        };
        if seconds.abs() >= 1e11 {
            return self.refuse(field, "looks like milliseconds; send Unix seconds");
        }
        let since_1970 = jiff::SignedDuration::try_from_secs_f64(seconds).ok();
        match since_1970.and_then(|since_1970| Timestamp::from_duration(since_1970).ok()) {
            Some(time) => self.in_range(field, time),
            None => self.wants(field, WANTED, raw),
        }
    }

    fn in_range(&mut self, field: &str, time: Timestamp) -> Option<Timestamp> {
        if time < EARLIEST {
            return self.refuse(field, "must not lie before the year 2000");
        }
        Some(time)
    }

    /// An amount of money.
    pub(crate) fn amount(&mut self, field: &str, raw: &RawValue) -> Option<Amount> {
        if is_null(raw) {
            return None;
        }
        let is_number = raw.get().starts_with(|c: char| c.is_ascii_digit() || c == '-');
        match Amount::parse(raw.get()) {
            _ if !is_number => self.wants(field, "a number", raw),
            Ok(amount) => Some(amount),
            Err(AmountError::NotDecimal) => self.refuse(field, AmountError::OutOfRange.to_string()),
            Err(error) => self.refuse(field, error.to_string()),
        }
    }

    /// A whole number of pieces.
    pub(crate) fn quantity(&mut self, field: &str, raw: &RawValue) -> Option<u32> {
        if is_null(raw) {
            return None;
        }
        number::whole(raw.get()).or_else(|| self.wants(field, "a whole number, zero or more", raw))
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, field: &str, raw: &RawValue) -> Option<bool> {
        match raw.get() {
            "null" => None,
            "true" => Some(true),
            "false" => Some(false),
            _ => self.wants(field, "true or false", raw),
        }
    }

    /// An ISO 4217 code.
    pub(crate) fn currency(&mut self, field: &str, raw: &RawValue) -> Option<Currency> {
        let code = self.text(field, MAX_WORD, raw)?;
        match Currency::parse(&code) {
            Some(currency) => Some(currency),
            None => self.refuse(field, "must be a three-letter currency code of ISO 4217, such as USD"),
        }
    }

    /// An IPv4 or IPv6 address.
    pub(crate) fn ip(&mut self, field: &str, raw: &RawValue) -> Option<IpAddr> {
        let text = self.text(field, MAX_WORD, raw)?;
        match text.parse() {
            Ok(address) => Some(address),
            Err(_) => self.wants(field, "one IPv4 or IPv6 address", raw),
        }
    }

    /// `GRANTED` or `DENIED`.
    pub(crate) fn consent_status(&mut self, field: &str, raw: &RawValue) -> Option<ConsentStatus> {
        match self.text(field, MAX_WORD, raw)?.as_str() {
            "GRANTED" => Some(ConsentStatus::Granted),
            "DENIED" => Some(ConsentStatus::Denied),
            _ => self.refuse(field, "must be GRANTED or DENIED; leave it out where it is not known"),
        }
    }
}

/// More members than this no object of an event can have.
const MAX_MEMBERS: usize = 128;
/// Longest id, in characters.
pub const MAX_ID: usize = 64;
/// Longest address of a page, in characters.
pub const MAX_URL: usize = 4096;
/// Longest single word, such as a phone number or a locale, in characters.
pub const MAX_WORD: usize = 64;

/// What is wrong with text that JSON can write and Unicode does not have.
const HALF_A_CHARACTER: &str = "holds half of a surrogate pair (\\ud800 to \\udfff), which is no character";

/// Whether a string, or the names of an object, can be read as text.
fn is_unicode(raw: &RawValue) -> bool {
    match raw.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str::<Key<'_>>(raw.get()).is_ok(),
        Some(b'{') => serde_json::from_str::<Members<'_>>(raw.get()).is_ok(),
        _ => true,
    }
}

fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}

/// What a value looks like, without its content.
fn shape(raw: &RawValue) -> String {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') => {
            let length = serde_json::from_str::<Key<'_>>(text).map_or(0, |Key(text)| text.chars().count());
            format!("a string of {length} characters")
        }
        Some(b'{') => "an object".to_owned(),
        Some(b'[') => "an array".to_owned(),
        Some(b't' | b'f') => "true or false".to_owned(),
        Some(b'n') => "null".to_owned(),
        Some(b'-') => "a negative number".to_owned(),
        _ if text.contains(['.', 'e', 'E']) => "a number with a fraction or exponent".to_owned(),
        _ => "a number".to_owned(),
    }
}
