//! Appointments.

use std::collections::HashMap;

use conversion_core::booking::Known;
use conversion_core::money::Amount;
use rusqlite::{Connection, Row};

use super::query::Query;
use crate::booking::{AppointmentFilter, AppointmentRecord, OwnedAppointment};
use crate::sqlite::code::{Time, list as listed};
use crate::sqlite::details::Details;
use crate::sqlite::pack::damaged;

/// What is known of these appointments from their booking system, in the order of `ids`.
pub(in crate::sqlite) fn known(
    connection: &Connection,
    ids: &[String],
) -> rusqlite::Result<Vec<Option<OwnedAppointment>>> {
    let sql = "SELECT source, revision, service, starts_at, is_canceled, value, is_trial, id FROM appointment
        WHERE id IN (SELECT value FROM json_each(?1))";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([listed(ids)], |row| Ok((row.get(7)?, owned(row)?)))?;
    let found: HashMap<String, _> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(ids.iter().map(|id| found.get(id).cloned().flatten()).collect())
}

/// What a row tells whose first columns are source, revision, service, `starts_at`, `is_canceled`, value and `is_trial`.
pub(in crate::sqlite) fn owned(row: &Row<'_>) -> rusqlite::Result<Option<OwnedAppointment>> {
    let Some(source) = row.get(0)? else { return Ok(None) };
    let value: Option<String> = row.get(5)?;
    let known = Known {
        revision: row.get(1)?,
        is_trial: row.get(6)?,
        service: row.get(2)?,
        starts_at: row.get::<_, Option<Time>>(3)?.map(|time| time.0),
        is_canceled: row.get(4)?,
        value: value.as_deref().map(Amount::parse).transpose().map_err(damaged)?,
    };
    Ok(Some(OwnedAppointment { source, known }))
}

/// Appointments, the latest made first, and where the next part begins.
pub(in crate::sqlite) fn list(
    connection: &Connection,
    filter: &AppointmentFilter,
) -> rusqlite::Result<(Vec<AppointmentRecord>, Option<i64>)> {
    let select =
        "SELECT source, revision, service, starts_at, is_canceled, value, is_trial, seq, id, booked_at,
        details, created_at, updated_at FROM appointment";
    let mut query = Query::new(select, "TRUE");
    if let Some(id) = &filter.id {
        query.and("id = ?", id.clone());
    }
    if let Some(after) = filter.after {
        query.and("seq < ?", after);
    }
    let (records, more) = query.first(connection, filter.limit, "seq DESC", record)?;
    let next = records.last().filter(|_| more).map(|last| last.seq);
    Ok((records, next))
}

fn record(row: &Row<'_>) -> rusqlite::Result<AppointmentRecord> {
    let (source, known) = owned(row)?.map(|owned| (owned.source, owned.known)).unzip();
    Ok(AppointmentRecord {
        seq: row.get(7)?,
        id: row.get(8)?,
        source,
        known,
        booked_at: row.get::<_, Option<Time>>(9)?.map(|time| time.0),
        details: Some(Details::unpack(row.get_ref(10)?.as_blob()?).json()),
        created_at: row.get::<_, Time>(11)?.0,
        updated_at: row.get::<_, Time>(12)?.0,
    })
}
