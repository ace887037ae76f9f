//! How long QStash waits before it tries again.

use hyper::HeaderMap;
use jiff::fmt::rfc2822;

use super::{expression, span};

/// No wait is longer.
const DAY_S: f64 = 86_400.0;

/// The headers by which an answer names the next attempt itself, in the order in which they are heeded.
const ASKING: [&str; 4] =
    ["retry-after", "x-ratelimit-reset", "x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"];

/// Seconds between a failed attempt and the next: as the answer's headers ask, else by the expression, else the usual backoff.
///
/// `retried` counts the retries before the failed attempt, itself included: 0 when the first attempt failed.
pub(super) fn wait_s(answer: &HeaderMap, expression: Option<&str>, retried: u32, now_s: u64) -> f64 {
    let by_expression =
        || expression.and_then(|text| expression::value(text, retried).ok()).map(|ms| ms / 1e3);
    let wait_s = asked_s(answer, now_s).or_else(by_expression).unwrap_or_else(|| backoff_s(retried));
    // What has no value, such as 0 / 0, is no wait.
    if wait_s.is_nan() { 0.0 } else { wait_s.clamp(0.0, DAY_S) }
}

/// 12 s, 2 m 28 s, 30 m 8 s, 6 h 7 m 6 s, then a day.
fn backoff_s(retried: u32) -> f64 {
    (2.5 * (f64::from(retried) + 1.0)).exp().floor()
}

fn asked_s(headers: &HeaderMap, now_s: u64) -> Option<f64> {
    ASKING.iter().find_map(|name| read_s(headers.get(*name)?.to_str().ok()?.trim(), now_s))
}

/// Seconds, a date as in RFC 1123, or a span.
fn read_s(text: &str, now_s: u64) -> Option<f64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    if let Some(seconds) = span::seconds(text) {
        return Some(seconds as f64);
    }
    let at = rfc2822::parse(text).ok()?.timestamp();
    Some(at.as_second() as f64 - now_s as f64)
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;
    use hyper::header::{HeaderName, HeaderValue};

    use super::wait_s;

    /// 2026-01-10 12:00:00 UTC.
    const NOW: u64 = 1_768_046_400;

    fn check(
        headers: &[(&'static str, &'static str)],
        expression: Option<&str>,
        retried: u32,
        expected: f64,
    ) {
        let pairs = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let found = wait_s(&pairs.collect::<HeaderMap>(), expression, retried, NOW);
        assert!((found - expected).abs() < 1e-9, "{headers:?} {expression:?} {retried}: {found}");
    }

    #[test]
    fn the_documented_backoff() {
        let waits = [12.0, 2.0 * 60.0 + 28.0, 30.0 * 60.0 + 8.0, 6.0 * 3600.0 + 7.0 * 60.0 + 6.0, 86_400.0];
        for (retried, expected) in (0..).zip(waits) {
            check(&[], None, retried, expected);
        }
        check(&[], None, 5, 86_400.0);
        check(&[], None, u32::MAX, 86_400.0);
    }

    #[test]
    fn the_expression_is_in_milliseconds() {
        check(&[], Some("1500 * (retried + 1)"), 1, 3.0);
        check(&[], Some("0 - 5"), 0, 0.0);
        check(&[], Some("1 / retried"), 0, 86_400.0);
        check(&[], Some("retried / retried"), 0, 0.0);
        check(&[], Some("86400001"), 0, 86_400.0);
    }

    #[test]
    fn the_answer_goes_first() {
        check(&[("retry-after", "7")], Some("1"), 0, 7.0);
        check(&[("retry-after", "6m5s")], None, 0, 365.0);
        check(&[("retry-after", "Sat, 10 Jan 2026 12:00:30 GMT")], None, 0, 30.0);
        check(&[("retry-after", "Sat, 10 Jan 2026 11:00:00 GMT")], None, 0, 0.0);
        check(&[("retry-after", "90000")], None, 0, 86_400.0);
        check(&[("x-ratelimit-reset-tokens", "4s")], None, 0, 4.0);
        check(&[("x-ratelimit-reset-tokens", "4"), ("x-ratelimit-reset-requests", "3")], None, 0, 3.0);
        check(&[("x-ratelimit-reset", "5"), ("retry-after", "6")], None, 0, 6.0);
        check(&[("retry-after", "soon"), ("x-ratelimit-reset", "5")], None, 0, 5.0);
        check(&[("retry-after", "soon")], None, 0, 12.0);
        check(&[("retry-after", "")], None, 0, 12.0);
    }
}
