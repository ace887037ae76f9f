//! Notices of booking systems.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::accept::{Arrival, accept};
use super::appointment;
use crate::booking::{
    NewNotice, NoticeChange, NoticeId, NoticeOutcome, NoticeRetry, NoticeSettlement, NoticeStatus,
};
use crate::sqlite::code::{At, Coded, list};
use crate::sqlite::details::Details;
use crate::sqlite::writer::Work;

/// A pending notice says the same and is not under way: it stands for the new one.
pub(in crate::sqlite) const MERGE: &str =
    "UPDATE notice INDEXED BY notice_waiting SET due_at = min(due_at, ?4), waiting_since = ?4
    WHERE status = 0 AND appointment = ?3 AND source = ?1 AND action = ?2
        AND id NOT IN (SELECT value FROM json_each(?5))";

/// Keeps notices, due at once unless they lead to nothing.
pub(in crate::sqlite) fn keep(
    work: &Work<'_>,
    notices: &[NewNotice],
    under_way: &[NoticeId],
    now: At,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO notice
            (source, action, appointment, status, reason, message, received_at, waiting_since, due_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?7)";
    let mut insert = work.transaction.prepare_cached(sql)?;
    let mut merge = work.transaction.prepare_cached(MERGE)?;
    let under_way = numbers(under_way);
    for NewNotice { source, action, appointment, ignored } in notices {
        let (status, reason, message) = match ignored {
            Some((reason, message)) => (NoticeStatus::Ignored, Some(reason), Some(message)),
            None => (NoticeStatus::Pending, None, None),
        };
        if ignored.is_none() && merge.execute(params![source, action, appointment, now, under_way])? > 0 {
            continue;
        }
        insert.execute(params![source, action, appointment, Coded(status), reason, message, now])?;
    }
    Ok(())
}

/// What became of notices, ready to be written.
pub(in crate::sqlite) struct Told {
    settlement: NoticeSettlement,
    details: Details,
    event: Option<Arrival>,
}

impl Told {
    /// Does what need not be done on the writer thread.
    pub(in crate::sqlite) fn new(settlement: &NoticeSettlement) -> Self {
        let appointment = settlement.appointment.as_ref();
        Self {
            settlement: settlement.clone(),
            details: appointment.map(|write| Details::of(&write.details)).unwrap_or_default(),
            event: appointment.and_then(|write| write.event.as_ref()).map(Arrival::new),
        }
    }
}

/// Writes what became of notices: one outcome each, in order.
pub(in crate::sqlite) fn settle(
    work: &mut Work<'_>,
    told: &[Told],
    now: At,
) -> rusqlite::Result<Vec<NoticeOutcome>> {
    told.iter().map(|told| settle_one(work, told, now)).collect()
}

fn settle_one(work: &mut Work<'_>, told: &Told, now: At) -> rusqlite::Result<NoticeOutcome> {
    if let Some(write) = &told.settlement.appointment
        && !appointment::tell(&work.transaction, write, &told.details, now)?
    {
        return Ok(NoticeOutcome::Stale);
    }
    accept(work, told.event.as_slice(), now)?;
    change(&work.transaction, &told.settlement)?;
    Ok(NoticeOutcome::Applied)
}

fn change(connection: &Connection, settlement: &NoticeSettlement) -> rusqlite::Result<()> {
    let (status, reason, message) = match &settlement.change {
        NoticeChange::Done => (NoticeStatus::Done, None, None),
        NoticeChange::Ignored { reason, message } => (NoticeStatus::Ignored, Some(reason), Some(message)),
        NoticeChange::Failed { reason, message } => (NoticeStatus::Failed, Some(reason), Some(message)),
        NoticeChange::Later { reason, message, .. } => (NoticeStatus::Pending, Some(reason), Some(message)),
    };
    let (due_at, tries) = match settlement.change {
        NoticeChange::Later { due_at, tries, .. } => (Some(At::from(due_at)), Some(tries)),
        NoticeChange::Done | NoticeChange::Ignored { .. } | NoticeChange::Failed { .. } => (None, None),
    };
    let event = settlement.appointment.as_ref().and_then(|write| write.event.as_ref());
    let event = event.filter(|_| status == NoticeStatus::Done).map(|event| (&*event.name, &*event.id));
    let (name, id) = event.unzip();
    let sql = "UPDATE notice SET status = ?2, reason = ?3, message = ?4, due_at = ifnull(?5, due_at),
            tries = ifnull(?6, tries), event_name = ?7, event_id = ?8
        WHERE id IN (SELECT value FROM json_each(?1)) AND status = 0";
    let row = params![numbers(&settlement.notices), Coded(status), reason, message, due_at, tries, name, id];
    connection.prepare_cached(sql)?.execute(row).map(drop)
}

fn numbers(notices: &[NoticeId]) -> String {
    list(&notices.iter().map(|notice| notice.0).collect::<Vec<_>>())
}

/// Makes a notice pending and due, unless an event was made of it.
pub(in crate::sqlite) fn retry(work: &Work<'_>, id: NoticeId, now: At) -> rusqlite::Result<NoticeRetry> {
    let sql = "SELECT status FROM notice WHERE id = ?1 AND appointment IS NOT NULL";
    let found = work.transaction.prepare_cached(sql)?.query_row([id.0], |row| row.get(0)).optional()?;
    match found {
        None => return Ok(NoticeRetry::Unknown),
        Some(Coded(NoticeStatus::Done)) => return Ok(NoticeRetry::EventMade),
        Some(Coded(NoticeStatus::Pending | NoticeStatus::Ignored | NoticeStatus::Failed)) => {}
    }
    let sql = "UPDATE notice SET status = 0, due_at = ?2, waiting_since = ?2, tries = 0, reason = NULL,
            message = NULL
        WHERE id = ?1";
    work.transaction.prepare_cached(sql)?.execute(params![id.0, now])?;
    Ok(NoticeRetry::Due)
}
