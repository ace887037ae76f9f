//! The one time format of conversion uploads and adjustments.

use jiff::civil::DateTime;
use jiff::tz::Offset;

/// What is wrong with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Not `yyyy-mm-dd hh:mm:ss+hh:mm` or `-hh:mm`.
    Form,
    /// The form is right, but there is no such day, hour or offset.
    Value,
}

const FORM: &[u8] = b"dddd-dd-dd dd:dd:dd*dd:dd";

/// No zone on Earth lies further from UTC, nor ever did by much.
const MAX_OFFSET_HOURS: i8 = 15;

/// The instant, in seconds since 1970.
pub(super) fn parse(text: &str) -> Result<i64, Wrong> {
    let bytes = text.as_bytes();
    if bytes.len() != FORM.len() || !bytes.iter().zip(FORM).all(|(byte, form)| fits(*byte, *form)) {
        return Err(Wrong::Form);
    }
    let two = |at: usize| number(bytes, at);
    let Some(year) = two(0).zip(two(2)).map(|(century, year)| i16::from(century) * 100 + i16::from(year))
    else {
        return Err(Wrong::Form);
    };
    let parts = [5, 8, 11, 14, 17, 20, 23].map(two);
    let [Some(month), Some(day), Some(hour), Some(minute), Some(second), Some(off_hour), Some(off_minute)] =
        parts
    else {
        return Err(Wrong::Form);
    };
    let local = DateTime::new(year, month, day, hour, minute, second, 0);
    let utc = local.and_then(|local| Offset::UTC.to_timestamp(local)).map_err(|_| Wrong::Value)?;
    if off_hour > MAX_OFFSET_HOURS || off_minute >= 60 {
        return Err(Wrong::Value);
    }
    let offset_s = i64::from(off_hour) * 3600 + i64::from(off_minute) * 60;
    let local_s = utc.as_second();
    Ok(if bytes.get(19) == Some(&b'-') { local_s + offset_s } else { local_s - offset_s })
}

fn fits(byte: u8, form: u8) -> bool {
    match form {
        b'd' => byte.is_ascii_digit(),
        b'*' => matches!(byte, b'+' | b'-'),
        _ => byte == form,
    }
}

/// The two digits at a place.
fn number(bytes: &[u8], at: usize) -> Option<i8> {
    let digit = |place: usize| bytes.get(place)?.checked_sub(b'0').and_then(|digit| i8::try_from(digit).ok());
    Some(digit(at)? * 10 + digit(at + 1)?)
}

#[cfg(test)]
mod tests {
    use super::Wrong::{Form, Value};
    use super::{Wrong, parse};

    #[test]
    fn only_the_documented_form() {
        let cases: [(&str, Result<i64, Wrong>); 17] = [
            ("2026-01-10 12:00:00+00:00", Ok(1_768_046_400)),
            ("2026-01-10 12:00:00-05:30", Ok(1_768_046_400 + 19_800)),
            ("2026-01-10 12:00:00+05:30", Ok(1_768_046_400 - 19_800)),
            ("2024-02-29 23:59:59+14:00", Ok(1_709_251_199 - 50_400)),
            ("2026-01-10T12:00:00+00:00", Err(Form)),
            ("2026-01-10 12:00:00Z", Err(Form)),
            ("2026-01-10 12:00:00", Err(Form)),
            ("2026-01-10 12:00:00+0000", Err(Form)),
            ("2026-01-10 12:00:00.5+00:00", Err(Form)),
            ("2026-1-10 12:00:00+00:00", Err(Form)),
            ("2026-01-10 12:00:00 00:00", Err(Form)),
            ("1768046400", Err(Form)),
            ("", Err(Form)),
            ("2026-02-29 12:00:00+00:00", Err(Value)),
            ("2026-13-01 12:00:00+00:00", Err(Value)),
            ("2026-01-10 24:00:00+00:00", Err(Value)),
            ("2026-01-10 12:00:00+00:60", Err(Value)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
