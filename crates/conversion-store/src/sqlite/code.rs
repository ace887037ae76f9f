//! How times, words and lists are written in columns and parameters.

use std::num::NonZeroU32;
use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::consent::ConsentVerdict;
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;

use crate::admission::Origin;
use crate::booking::NoticeStatus;
use crate::confirmation::Confirmation;
use crate::lease::LEASE_SPAN;
use crate::queue::Driver;
use crate::settlement::Status;

/// A time as a column holds it: microseconds, rounded towards 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At(i64);

impl At {
    /// When a lease that begins now lapses.
    pub(super) fn lease_end(self) -> Self {
        Self(self.0.saturating_add(lease_micros()))
    }

    /// The whole second that it lies in.
    pub(super) fn whole_second(self) -> Self {
        Self(self.0 - self.0.rem_euclid(SECOND))
    }

    /// The time behind so many parts of seconds, `rate` to a second, rounded up.
    pub(super) fn after_share_of_seconds(self, parts: u32, rate: NonZeroU32) -> Self {
        let micros = (u64::from(parts) * SECOND.unsigned_abs()).div_ceil(u64::from(rate.get()));
        Self(self.0.saturating_add_unsigned(micros))
    }

    /// When a lease that lapses now began.
    pub(super) fn lease_start(self) -> Self {
        Self(self.0.saturating_sub(lease_micros()))
    }
}

/// A second in microseconds.
const SECOND: i64 = 1_000_000;

/// [`LEASE_SPAN`] in microseconds.
pub(super) fn lease_micros() -> i64 {
    micros(LEASE_SPAN)
}

/// A duration as a column holds it.
pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// How many rows at most, as a parameter.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// A count or an index, as [`limit`] writes it.
pub(super) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
    let number: i64 = row.get(column)?;
    usize::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// A list of strings or numbers as one parameter, for `json_each`: any number of them is one statement.
pub(super) fn list<T: Serialize>(items: &[T]) -> String {
    // Neither has a value that cannot be serialised.
    serde_json::to_string(items).unwrap_or_default()
}

impl From<Timestamp> for At {
    fn from(time: Timestamp) -> Self {
        Self(time.as_microsecond())
    }
}

impl TryFrom<At> for Timestamp {
    type Error = FromSqlError;

    fn try_from(at: At) -> Result<Self, FromSqlError> {
        Self::from_microsecond(at.0).map_err(|_| FromSqlError::OutOfRange(at.0))
    }
}

impl ToSql for At {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for At {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

/// A time read from a column.
pub(super) struct Time(pub(super) Timestamp);

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        At::column_result(value)?.try_into().map(Self)
    }
}

/// A word that a column holds as a small number. The numbers are part of the schema.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// Word and number.
    const CODES: &'static [(Self, i64)];
}

impl Word for Status {
    // The statements and the partial indexes say 0, 1 and 3.
    const CODES: &'static [(Self, i64)] =
        &[(Self::Pending, 0), (Self::Delivered, 1), (Self::Skipped, 2), (Self::Failed, 3)];
}

impl Word for Origin {
    const CODES: &'static [(Self, i64)] = &[(Self::Live, 0), (Self::Test, 1)];
}

impl Word for Driver {
    // The statements say 0 and 1.
    const CODES: &'static [(Self, i64)] = &[(Self::Builtin, 0), (Self::Queue, 1)];
}

impl Word for NoticeStatus {
    // The statements and the partial indexes say 0 and 3.
    const CODES: &'static [(Self, i64)] =
        &[(Self::Pending, 0), (Self::Done, 1), (Self::Ignored, 2), (Self::Failed, 3)];
}

impl Word for Confirmation {
    const CODES: &'static [(Self, i64)] = &[
        (Self::None, 0),
        (Self::Awaited, 1),
        (Self::Confirmed, 2),
        (Self::Refused, 3),
        (Self::Unconfirmed, 4),
    ];
}

impl Word for ConsentVerdict {
    const CODES: &'static [(Self, i64)] = &[(Self::Full, 0), (Self::Stripped, 1), (Self::Nothing, 2)];
}

/// A word in a column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coded<T>(pub(super) T);

impl<T: Word> ToSql for Coded<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let code = T::CODES.iter().find(|(word, _)| *word == self.0).map(|(_, code)| *code);
        Ok(code.unwrap_or(-1).into())
    }
}

impl<T: Word> FromSql for Coded<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let found = i64::column_result(value)?;
        let word = T::CODES.iter().find(|(_, code)| *code == found);
        word.map(|(word, _)| Self(*word)).ok_or(FromSqlError::OutOfRange(found))
    }
}
