//! What the fuzz targets share: an answer of a platform as one input, and a word that nothing may repeat.

use std::time::Duration;

use http_exchange::FullReply;
use serde_json::Value;
use serde_json::value::RawValue;

/// Stands where a value stood. Whatever repeats it repeats values.
pub const SENTINEL: &str = "Zq7vSentinel";

/// The same among numbers.
pub const SENTINEL_NUMBER: u32 = 918_273_645;

/// Whether a text repeats a value.
pub fn repeats_a_value(text: &str) -> bool {
    text.contains(SENTINEL) || text.contains(&SENTINEL_NUMBER.to_string())
}

/// An answer to a request with so many items.
#[derive(Debug)]
pub struct Answered {
    /// The answer.
    pub reply: FullReply,
    /// How many items the request held.
    pub items: usize,
    /// Words that follow the numbers.
    pub flags: String,
}

impl Answered {
    /// Reads `STATUS ITEMS FLAGS` in the first line, the body in all others.
    pub fn read(input: &str) -> Option<Self> {
        let (head, body) = input.split_once('\n')?;
        let mut words = head.splitn(3, ' ');
        let status = words.next()?.parse().ok().filter(|status| (100..=999).contains(status))?;
        let items = words.next()?.parse().ok().filter(|items| *items <= 2000)?;
        let flags = words.next().unwrap_or_default().to_owned();
        let retry_after = flags.contains("retry").then_some(Duration::from_secs(7));
        let body = body.to_owned();
        Some(Self { reply: FullReply { status, body, retry_after }, items, flags })
    }

    /// Whether the status is a success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.reply.status)
    }

    /// The body, read by another reader than the sinks have; `null` where it is no JSON. Nothing where it is JSON that
    /// this reader cannot hold, such as half a surrogate pair or a number beyond all bounds: the sinks pass over both
    /// in members that they do not read.
    pub fn json(&self) -> Option<Value> {
        match serde_json::from_str(&self.reply.body) {
            Ok(value) => Some(value),
            Err(_) if serde_json::from_str::<&RawValue>(&self.reply.body).is_ok() => None,
            Err(_) => Some(Value::Null),
        }
    }
}
