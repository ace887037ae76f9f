//! Appointments, as events name them and as booking systems tell of them.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::booking::{AppointmentWrite, OwnedAppointment};
use crate::sqlite::code::At;
use crate::sqlite::details::Details;
use crate::sqlite::read::appointment::owned;

/// Makes the appointment that a new event names, or merges what the event says into it. What a booking system told of
/// it stays as it is.
pub(super) fn named(connection: &Connection, id: &str, details: &Details, now: At) -> rusqlite::Result<()> {
    let details = match find(connection, id)? {
        Some((Some(_), known)) => known,
        Some((None, known)) => known.merged_by(details),
        None => details.clone(),
    };
    let sql = "INSERT INTO appointment (id, details, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)
        ON CONFLICT (id) DO UPDATE SET details = excluded.details, updated_at = excluded.updated_at";
    connection.prepare_cached(sql)?.execute(params![id, details.pack(), now]).map(drop)
}

/// Writes what a booking system tells, unless the appointment has changed since it was read. Returns whether it was
/// written.
pub(super) fn tell(
    connection: &Connection,
    write: &AppointmentWrite,
    details: &Details,
    now: At,
) -> rusqlite::Result<bool> {
    let AppointmentWrite { id, source, before, known, booked_at, .. } = write;
    let (owner, details) = match find(connection, id)? {
        Some((owner, known)) => (owner, known.merged_by(details)),
        None => (None, details.clone()),
    };
    if owner != *before {
        return Ok(false);
    }
    let sql = "INSERT INTO appointment (id, source, revision, service, starts_at, is_canceled, value, booked_at,
            details, created_at, updated_at, is_trial)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11)
        ON CONFLICT (id) DO UPDATE SET source = ?2, revision = ?3, service = ?4, starts_at = ?5, is_canceled = ?6,
            value = ?7, booked_at = ifnull(?8, booked_at), details = ?9, updated_at = ?10,
            is_trial = ?11";
    connection.prepare_cached(sql)?.execute(params![
        id,
        source,
        known.revision,
        known.service,
        known.starts_at.map(At::from),
        known.is_canceled,
        known.value.map(|value| value.to_string()),
        booked_at.map(At::from),
        details.pack(),
        now,
        known.is_trial,
    ])?;
    Ok(true)
}

fn find(connection: &Connection, id: &str) -> rusqlite::Result<Option<(Option<OwnedAppointment>, Details)>> {
    let sql =
        "SELECT source, revision, service, starts_at, is_canceled, value, is_trial, details FROM appointment
        WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let found =
        statement.query_row([id], |row| Ok((owned(row)?, Details::unpack(row.get_ref(7)?.as_blob()?))));
    found.optional()
}
