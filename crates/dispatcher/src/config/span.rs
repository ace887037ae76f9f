//! Spans of time as settings write them: `30s`, `15m`, `6h`, `14d`.

use std::time::Duration;

use serde::de::{Deserialize as _, Deserializer, Error as _};

/// Reads a span.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| D::Error::custom("must be a whole number with a unit: 30s, 15m, 6h or 14d"))
}

/// Reads a span that may be missing.
pub(super) fn deserialize_option<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    deserialize(deserializer).map(Some)
}

fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let count: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
    count.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        for (text, seconds) in
            [("30s", Some(30)), ("15m", Some(900)), ("6 h", Some(21_600)), ("14d", Some(1_209_600))]
                .into_iter()
                .chain([("14", None), ("d", None), ("-1d", None), ("1.5h", None), ("", None)])
        {
            assert_eq!(parse(text).map(|span| span.as_secs()), seconds, "{text}");
        }
    }
}
