//! Notices of booking systems, and the appointments that they are about.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use conversion_core::Timestamp;
use conversion_core::booking::Known;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admission::Admission;
use crate::error::StoreError;

/// What a store does for booking systems.
#[async_trait]
pub trait BookingStore {
    /// Keeps notices, in one transaction. A notice is due at once. A pending one of the same source, action and
    /// appointment stands for it, and is due at once, unless it is one of `under_way`: its appointment may have been
    /// fetched before this notice came.
    async fn keep_notices(
        &self,
        notices: &[NewNotice],
        under_way: &[NoticeId],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Pending notices of one source that are due, the longest due first.
    async fn due_notices(
        &self,
        source: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Notice>, StoreError>;

    /// When the source's next pending notice is due, if it has one.
    async fn next_notice_due(&self, source: &str) -> Result<Option<Timestamp>, StoreError>;

    /// Writes what became of notices, in one transaction: the appointment, its event with deliveries, the notices.
    /// One outcome each, in order. Where the appointment has changed since it was read, nothing of that item is
    /// written.
    async fn settle_notices(
        &self,
        settlements: &[NoticeSettlement],
        now: Timestamp,
    ) -> Result<Vec<NoticeOutcome>, StoreError>;

    /// Makes a failed or ignored notice pending and due; makes a pending one due. One that is about no appointment is
    /// as good as unknown: nothing can be made of it.
    async fn retry_notice(&self, notice: NoticeId, now: Timestamp) -> Result<NoticeRetry, StoreError>;

    /// Notices, the latest received first.
    async fn notices(
        &self,
        filter: &NoticeFilter,
    ) -> Result<(Vec<NoticeRecord>, Option<NoticeId>), StoreError>;

    /// How many notices of a source stand how.
    async fn notice_counts(&self, source: &str) -> Result<NoticeCounts, StoreError>;

    /// What is known of these appointments from their booking system, in the order of `ids`: nothing for those that no
    /// booking system has told of.
    async fn known(&self, ids: &[String]) -> Result<Vec<Option<OwnedAppointment>>, StoreError>;

    /// Appointments, the latest made first: those of `filter`.
    async fn appointments(
        &self,
        filter: &AppointmentFilter,
    ) -> Result<(Vec<AppointmentRecord>, Option<i64>), StoreError>;
}

/// A notice, as the store numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoticeId(pub i64);

/// A genuine webhook, before anything is made of it.
#[derive(Clone, Debug)]
pub struct NewNotice {
    /// Name of the source.
    pub source: String,
    /// What happened, in the booking system's word.
    pub action: String,
    /// The appointment, where it is about one. A notice about none is never due.
    pub appointment: Option<String>,
    /// Stable name and sentence, where it leads to nothing from the start.
    pub ignored: Option<(String, String)>,
}

/// A notice to be worked on.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Which.
    pub id: NoticeId,
    /// What happened, in the booking system's word.
    pub action: String,
    /// The appointment.
    pub appointment: String,
    /// When it was received.
    pub received_at: Timestamp,
    /// Since when it waits: its receipt, or a later time at which the same was told again or a human retried it.
    pub waiting_since: Timestamp,
    /// Fetches that failed.
    pub tries: u32,
}

/// What became of notices of one appointment.
#[derive(Clone, Debug)]
pub struct NoticeSettlement {
    /// The notices.
    pub notices: Vec<NoticeId>,
    /// Their next state.
    pub change: NoticeChange,
    /// The appointment as it is now, where it could be had.
    pub appointment: Option<AppointmentWrite>,
}

/// The next state of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeChange {
    /// An event was made of it: the one of the settlement.
    Done,
    /// It leads to no event.
    Ignored {
        /// Stable name.
        reason: String,
        /// One sentence.
        message: String,
    },
    /// Given up, until a human retries it.
    Failed {
        /// Stable name.
        reason: String,
        /// One sentence.
        message: String,
    },
    /// Again later.
    Later {
        /// When.
        due_at: Timestamp,
        /// Fetches that failed.
        tries: u32,
        /// Stable name.
        reason: String,
        /// One sentence.
        message: String,
    },
}

/// An appointment to be written.
#[derive(Clone)]
pub struct AppointmentWrite {
    /// Its id.
    pub id: String,
    /// Name of the source that tells of it.
    pub source: String,
    /// What was known when it was read, and from which source; the write is refused where either has changed. Another
    /// source's appointment is taken over.
    pub before: Option<OwnedAppointment>,
    /// What is known from now on.
    pub known: Known,
    /// When it was booked.
    pub booked_at: Option<Timestamp>,
    /// The details of its event ([`conversion_core::booking::Appointment::details`]), serialised.
    pub details: Arc<str>,
    /// The event that follows, with its deliveries. Its identity may be known already: then the first stands.
    pub event: Option<Admission>,
}

impl fmt::Debug for AppointmentWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("AppointmentWrite");
        debug.field("id", &self.id).field("source", &self.source).field("known", &self.known);
        debug.finish_non_exhaustive()
    }
}

/// What is known of an appointment, and from which source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedAppointment {
    /// Name of the source.
    pub source: String,
    /// What is known.
    pub known: Known,
}

/// Whether a settlement was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeOutcome {
    /// Written.
    Applied,
    /// Not written: the appointment has changed since it was read. Its event has to be derived anew.
    Stale,
}

/// What became of a retry of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeRetry {
    /// Pending and due.
    Due,
    /// An event was made of it: nothing more can be.
    EventMade,
    /// No such notice, or one that is about no appointment.
    Unknown,
}

/// State of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum NoticeStatus {
    /// To be worked on.
    Pending,
    /// An event was made of it.
    Done,
    /// It led to no event, for a reason that is no error.
    Ignored,
    /// Given up.
    Failed,
}

impl NoticeStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Done, Self::Ignored, Self::Failed];

    /// As it is written everywhere.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Done => "DONE",
            Self::Ignored => "IGNORED",
            Self::Failed => "FAILED",
        }
    }
}

impl FromStr for NoticeStatus {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(text));
        known.ok_or("must be PENDING, DONE, IGNORED or FAILED")
    }
}

/// Which notices to list.
#[derive(Clone, Debug, Default)]
pub struct NoticeFilter {
    /// Only with this status.
    pub status: Option<NoticeStatus>,
    /// Only of the source of this name.
    pub source: Option<String>,
    /// Only of this appointment.
    pub appointment: Option<String>,
    /// How many at most.
    pub limit: usize,
    /// Continue after this one.
    pub after: Option<NoticeId>,
}

/// A notice as it stands.
#[derive(Clone, Debug)]
pub struct NoticeRecord {
    /// Which.
    pub id: NoticeId,
    /// Name of its source.
    pub source: String,
    /// What happened, in the booking system's word.
    pub action: String,
    /// Its appointment.
    pub appointment: Option<String>,
    /// State.
    pub status: NoticeStatus,
    /// Stable name of the reason.
    pub reason: Option<String>,
    /// The reason in a sentence.
    pub message: Option<String>,
    /// Name and id of the event that was made of it.
    pub event: Option<(String, String)>,
    /// When it was received.
    pub received_at: Timestamp,
    /// When it is due, while pending.
    pub due_at: Option<Timestamp>,
    /// Fetches that failed.
    pub tries: u32,
}

/// How many notices of a source stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoticeCounts {
    /// To be worked on.
    pub pending: u64,
    /// An event was made of them.
    pub done: u64,
    /// They led to no event.
    pub ignored: u64,
    /// Given up.
    pub failed: u64,
}

/// Which appointments to list.
#[derive(Clone, Debug, Default)]
pub struct AppointmentFilter {
    /// Only this one.
    pub id: Option<String>,
    /// How many at most.
    pub limit: usize,
    /// Continue after this number.
    pub after: Option<i64>,
}

/// An appointment as it stands, from its booking system or from events that name it.
#[derive(Clone)]
pub struct AppointmentRecord {
    /// Its number: later made, higher.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// Name of the source that tells of it; nothing where only events name it.
    pub source: Option<String>,
    /// What the source tells.
    pub known: Option<Known>,
    /// When it was booked, as the source tells.
    pub booked_at: Option<Timestamp>,
    /// Details of its events, as JSON of the event's form: what several say, merged.
    pub details: Option<String>,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

impl fmt::Debug for AppointmentRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("AppointmentRecord");
        debug.field("seq", &self.seq).field("id", &self.id).field("source", &self.source);
        debug.field("known", &self.known).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_as_it_is_written_in_any_case() {
        for status in NoticeStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
            for text in [status.name().to_owned(), status.name().to_lowercase()] {
                assert_eq!(text.parse(), Ok(status));
            }
        }
        for text in ["", "0", "ALL", "IGNORED "] {
            assert!(text.parse::<NoticeStatus>().is_err_and(|error| error.contains("IGNORED")), "{text}");
        }
    }
}
