//! Statements of lists.

use rusqlite::{Connection, Row, ToSql, params_from_iter};

use crate::sqlite::code;

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
        self.sql.push_str(" ORDER BY ");
        // One more is looked up, to see whether there is one.
        self.sql.push_str(order);
        self.push(" LIMIT ?", code::limit(limit).saturating_add(1));
        let mut statement = connection.prepare_cached(&self.sql)?;
        let rows = statement.query_map(params_from_iter(self.values), read)?;
        let mut items: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
        let more = items.len() > limit;
        items.truncate(limit);
        Ok((items, more))
    }
}
