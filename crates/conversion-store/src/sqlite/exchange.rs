//! Exchanges as they are kept.

use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::exchange::{Body, Exchange, Reply};
use rusqlite::{Connection, Row, params};

use super::code::{At, Time, micros};
use super::pack::{damaged, pack, pack_ranges, unpack, unpack_ranges};
use crate::record::RecordedExchange;

/// An exchange, ready to be written.
pub(super) struct PackedExchange {
    head: String,
    sent_at: At,
    duration: i64,
    body: Vec<u8>,
    items: Vec<u8>,
    status: Option<u16>,
    response: Option<Vec<u8>>,
    truncated: bool,
}

impl PackedExchange {
    /// Packs exchanges that followed each other, the first of them sent at this time.
    pub(super) fn sequence(exchanges: &[Exchange], sent_at: Timestamp) -> Vec<Self> {
        let mut sent_at = sent_at;
        let pack = |exchange: &Exchange| {
            let packed = Self::new(exchange, sent_at);
            sent_at = sent_at.checked_add(exchange.duration).unwrap_or(sent_at);
            packed
        };
        exchanges.iter().map(pack).collect()
    }

    fn new(exchange: &Exchange, sent_at: Timestamp) -> Self {
        let Exchange { request, reply, duration } = exchange;
        let headers: Vec<_> =
            request.headers.iter().map(|header| (header.name, header.recorded_value())).collect();
        Self {
            // Strings in a list: serialising cannot fail.
            head: serde_json::to_string(&(&request.url, headers)).unwrap_or_default(),
            sent_at: sent_at.into(),
            duration: micros(*duration),
            body: pack(request.body.json()),
            items: pack_ranges(request.body.items()),
            status: reply.as_ref().map(|reply| reply.status),
            response: reply.as_ref().map(|reply| pack(&reply.body)),
            truncated: reply.as_ref().is_some_and(|reply| reply.truncated),
        }
    }

    /// Address and headers, as they are interned.
    pub(super) fn head(&self) -> &str {
        &self.head
    }

    /// Writes it and returns its number.
    pub(super) fn insert(&self, connection: &Connection, endpoint: i64) -> rusqlite::Result<i64> {
        let sql =
            "INSERT INTO exchange (sent_at, duration, endpoint, body, items, status, response, truncated)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let Self { sent_at, duration, body, items, status, response, truncated, .. } = self;
        let row = params![sent_at, duration, endpoint, body, items, status, response, truncated];
        connection.prepare_cached(sql)?.insert(row)
    }
}

/// Selects exchanges as [`recorded`] reads them; the first column is their number.
pub(super) const SELECT: &str =
    "SELECT x.seq, p.head, x.sent_at, x.duration, x.body, x.items, x.status, x.response, x.truncated
    FROM exchange x JOIN endpoint p ON p.id = x.endpoint";

/// Reads an exchange.
pub(super) fn recorded(row: &Row<'_>) -> rusqlite::Result<RecordedExchange> {
    let head = row.get_ref(1)?.as_str()?;
    let (url, headers) = serde_json::from_str(head).map_err(damaged)?;
    let body = unpack(row.get_ref(4)?.as_blob()?)?;
    let items = unpack_ranges(row.get_ref(5)?.as_blob()?);
    let status: Option<u16> = row.get(6)?;
    let response = row.get_ref(7)?.as_blob_or_null()?.map(unpack).transpose()?;
    let truncated = row.get(8)?;
    let reply = |(status, body)| Reply { status, body, truncated };
    Ok(RecordedExchange {
        url,
        headers,
        body: Body::from_recorded(body, items),
        reply: status.zip(response).map(reply),
        sent_at: row.get::<_, Time>(2)?.0,
        duration: Duration::from_micros(u64::try_from(row.get::<_, i64>(3)?).unwrap_or_default()),
    })
}
