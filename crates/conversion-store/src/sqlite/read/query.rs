//! Statements of lists.

use std::ops::ControlFlow;
use std::time::Duration;

use conversion_core::Timestamp;
use rusqlite::{Connection, Row, ToSql, params_from_iter};

use crate::sqlite::code::{self, At};

/// Later accepted, higher number, but for clocks that were set back, and calls that overtook each other: no further
/// than this.
pub(super) const SET_BACK: Duration = Duration::from_secs(60);
/// The first number of an event that was accepted at a time or later, by halving.
const FIRST_SINCE: &str = "(
    WITH RECURSIVE span (low, high, since) AS (
        SELECT 0, ifnull(max(seq), 0) + 1, ? FROM event
        UNION ALL
        SELECT iif(m.accepted_at < since, m.seq + 1, low),
            iif(m.accepted_at < since, high, (low + high) / 2), since
        FROM span CROSS JOIN event m ON m.seq = (SELECT min(seq) FROM event WHERE seq >= (low + high) / 2)
        WHERE low < high
    )
    SELECT max(low) FROM span)";

/// The first number of an event that was accepted at this time or later, but for [`SET_BACK`].
pub(super) fn first_since(connection: &Connection, since: Timestamp) -> rusqlite::Result<i64> {
    let sql = format!("SELECT {FIRST_SINCE}");
    connection.prepare_cached(&sql)?.query_row([At::from(since)], |row| row.get(0))
}

/// A list's statement: fixed clauses, and a value for each question mark.
pub(super) struct Query {
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Query {
    /// Begins with what is selected and a first condition.
    pub(super) fn new(select: &str, condition: &str) -> Self {
        Self { sql: format!("{select} WHERE {condition}"), values: Vec::new() }
    }

    /// One condition more, with its value.
    pub(super) fn and(&mut self, condition: &'static str, value: impl ToSql + 'static) {
        self.sql.push_str(" AND ");
        self.push(condition, value);
    }

    /// One condition more: only events accepted at this time or later. `event` is the column with an event's number by
    /// which the list is walked from its end, so that the walk stops there.
    pub(super) fn since(&mut self, event: &'static str, since: Timestamp) {
        self.and("e.accepted_at >= ?", At::from(since));
        self.sql.push_str(" AND ");
        self.sql.push_str(event);
        self.sql.push_str(" >= ");
        self.push(FIRST_SINCE, At::from(since.checked_sub(SET_BACK).unwrap_or(since)));
    }

    /// A condition goes on, with one value more.
    pub(super) fn push(&mut self, rest: &'static str, value: impl ToSql + 'static) {
        self.sql.push_str(rest);
        self.values.push(Box::new(value));
    }

    /// The first rows in this order, and whether there are more.
    pub(super) fn first<T>(
        mut self,
        connection: &Connection,
        limit: usize,
        order: &'static str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<(Vec<T>, bool)> {
        // One more is looked up, to see whether there is one.
        self.end(order, code::limit(limit).saturating_add(1));
        let mut statement = connection.prepare_cached(&self.sql)?;
        let rows = statement.query_map(params_from_iter(self.values), read)?;
        let mut items: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
        let more = items.len() > limit;
        items.truncate(limit);
        Ok((items, more))
    }

    /// Reads the rows in this order, until `each` has enough.
    pub(super) fn walk(
        mut self,
        connection: &Connection,
        order: &'static str,
        mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<ControlFlow<()>>,
    ) -> rusqlite::Result<ControlFlow<()>> {
        self.order(order);
        let mut statement = connection.prepare_cached(&self.sql)?;
        let mut rows = statement.query(params_from_iter(self.values))?;
        while let Some(row) = rows.next()? {
            if each(row)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn order(&mut self, order: &'static str) {
        self.sql.push_str(" ORDER BY ");
        self.sql.push_str(order);
    }

    fn end(&mut self, order: &'static str, limit: i64) {
        self.order(order);
        self.push(" LIMIT ?", limit);
    }

    /// How it is carried out: a line for each step.
    #[cfg(test)]
    pub(super) fn plan(mut self, connection: &Connection, order: &'static str) -> Vec<String> {
        self.end(order, 10);
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", self.sql)).unwrap();
        let steps = statement.query_map(params_from_iter(self.values), |row| row.get(3)).unwrap();
        steps.collect::<rusqlite::Result<_>>().unwrap()
    }
}
