//! The `Retry-After` header (RFC 9110, section 10.2.3).

use std::time::Duration;

/// No platform is believed that asks for more.
const MAX: Duration = Duration::from_secs(24 * 3600);

/// Seconds, or a date, which is taken against the answer's own `Date` so that clocks need not agree.
pub(crate) fn parse(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(MAX));
    }
    let until = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    let from = jiff::fmt::rfc2822::parse(date?).ok()?.timestamp();
    Some(Duration::try_from(until.duration_since(from)).unwrap_or_default().min(MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        let date = Some("Wed, 21 Oct 2026 07:28:00 GMT");
        for (value, seconds) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("999999999", Some(86_400)),
            ("Wed, 21 Oct 2026 07:30:00 GMT", Some(120)),
            ("Wed, 21 Oct 2026 07:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(parse(value, date).map(|wait| wait.as_secs()), seconds, "{value}");
        }
        assert_eq!(parse("Wed, 21 Oct 2026 07:30:00 GMT", None), None);
    }
}
