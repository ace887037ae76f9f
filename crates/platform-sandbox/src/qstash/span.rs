//! Spans of time as QStash writes them.

/// The units, which must come in this order.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Seconds of a span such as `30s`, `1d10h30m` or `6m5s`; none if it is not one.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    let mut count: Option<u64> = None;
    for character in text.chars() {
        count = match character.to_digit(10) {
            Some(digit) => Some(count.unwrap_or(0).checked_mul(10)?.checked_add(digit.into())?),
            None => {
                let (_, unit_s) = units.find(|(unit, _)| *unit == character)?;
                total = total.checked_add(count?.checked_mul(*unit_s)?)?;
                None
            }
        };
    }
    (!text.is_empty() && count.is_none()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn units_in_order() {
        let cases = [
            ("30s", Some(30)),
            ("0s", Some(0)),
            ("6m5s", Some(365)),
            ("1d10h30m", Some(86_400 + 36_000 + 1_800)),
            ("7d", Some(604_800)),
            ("", None),
            ("30", None),
            ("s", None),
            ("5s6m", None),
            ("1m1m", None),
            ("1.5s", None),
            ("-1s", None),
            ("1 s", None),
            ("20ms", None),
            ("99999999999999999999s", None),
            ("999999999999999999d", None),
        ];
        for (text, expected) in cases {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
