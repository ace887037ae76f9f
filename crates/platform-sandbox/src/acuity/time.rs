//! Times as Acuity writes them.

use jiff::civil::Date;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use jiff::{Timestamp, ZonedDateTime};

/// Reads a time with an offset, with or without a colon in it.
pub(super) fn parse(text: &str) -> Option<ZonedDateTime> {
    let pieces = Pieces::parse(text).ok()?;
    let offset = pieces.to_numeric_offset()?;
    let at = offset.to_timestamp(pieces.date().to_datetime(pieces.time()?)).ok()?;
    Some(at.to_zoned_datetime(offset.to_time_zone()))
}

/// The present, with the offset of another time.
pub(super) fn now(now_us: u64, like: &ZonedDateTime) -> ZonedDateTime {
    let now =
        Timestamp::from_microsecond(i64::try_from(now_us).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX);
    now.to_zoned_datetime(Offset::to_time_zone(like.offset()))
}

/// Such as `2013-07-02T10:15:00-0700`: no colon in the offset, so it is not RFC 3339.
pub(super) fn written(at: &ZonedDateTime) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%z").to_string()
}

/// Such as `July 2, 2013`.
pub(super) fn day(at: &ZonedDateTime) -> String {
    at.strftime("%B %-d, %Y").to_string()
}

/// Such as `10:15am`.
pub(super) fn clock(at: &ZonedDateTime) -> String {
    at.strftime("%-I:%M%P").to_string()
}

/// Such as `2013-07-02`, and nothing else.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    let date: Date = text.parse().ok()?;
    (date.to_string() == text).then_some(date)
}
