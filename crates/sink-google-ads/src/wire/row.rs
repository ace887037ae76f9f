//! One row: a click conversion (section 3.3), its fields in the order of the example in section 3.5, or a retraction
//! (section 4).

use std::net::IpAddr;

use conversion_core::Timestamp;
use conversion_core::identity::Digest;
use conversion_core::money::{Amount, Currency};
use jiff::tz::Offset;
use serde::{Serialize, Serializer};

/// One click conversion. Absent fields are left out; no field is ever null.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClickConversion<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gclid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gbraid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wbraid: Option<&'a str>,
    pub(crate) conversion_action: &'a str,
    pub(crate) conversion_date_time: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversion_value: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) currency_code: Option<Currency>,
    pub(crate) order_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) user_identifiers: Vec<UserIdentifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) consent: Option<ConsentFlag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_ip_address: Option<IpAddr>,
}

/// The adjustment that takes a conversion back.
pub(crate) const RETRACTION: &str = "RETRACTION";

/// One retraction (section 4). Google forbids a value and identifiers, and wants a conversion that has an order id to be
/// named by nothing else.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Retraction<'a> {
    /// [`RETRACTION`].
    pub(crate) adjustment_type: &'static str,
    pub(crate) conversion_action: &'a str,
    pub(crate) adjustment_date_time: DateTime,
    pub(crate) order_id: &'a str,
}

/// One identifier per object: `{"hashedEmail": …}`.
#[derive(Serialize)]
pub(crate) enum UserIdentifier {
    #[serde(rename = "hashedEmail")]
    Email(Digest),
    #[serde(rename = "hashedPhoneNumber")]
    Phone(Digest),
}

/// `adPersonalization` cannot be set on uploads (section 6).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConsentFlag {
    pub(crate) ad_user_data: &'static str,
}

/// A time as `2026-01-10 12:00:00+00:00`: a space, no fraction, a colon in the offset.
#[derive(Clone, Copy)]
pub(crate) struct DateTime(pub(crate) Timestamp);

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = *b"0000-00-00 00:00:00+00:00";
        let utc = Offset::UTC.to_datetime(self.0);
        for (start, digits, number) in [
            (0, 4, utc.year()),
            (5, 2, i16::from(utc.month())),
            (8, 2, i16::from(utc.day())),
            (11, 2, i16::from(utc.hour())),
            (14, 2, i16::from(utc.minute())),
            (17, 2, i16::from(utc.second())),
        ] {
            write_decimal(text.get_mut(start..start + digits), number);
        }
        serializer.serialize_str(str::from_utf8(&text).unwrap_or_default())
    }
}

/// Writes `number`, right-aligned. No event happened before the year 2000, so it is never negative.
fn write_decimal(digits: Option<&mut [u8]>, number: i16) {
    let mut rest = number.unsigned_abs();
    for digit in digits.into_iter().flatten().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_google_reads_them() {
        for (time, text) in [
            ("2026-01-10T12:00:00Z", "2026-01-10 12:00:00+00:00"),
            ("2026-01-10T13:30:59.999+01:30", "2026-01-10 12:00:59+00:00"),
            ("2024-02-29T23:59:59Z", "2024-02-29 23:59:59+00:00"),
            ("9999-12-30T00:00:00Z", "9999-12-30 00:00:00+00:00"),
        ] {
            let json = serde_json::to_string(&DateTime(time.parse().unwrap())).unwrap();
            assert_eq!(json, format!("\"{text}\""), "{time}");
        }
    }
}
