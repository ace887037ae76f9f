//! The dispatcher's own reasons, and those of what is on record.

use conversion_core::reason::{Place, Reason, find};
use conversion_store::{DeliveryRecord, NoticeRecord, NoticeStatus, Status};

conversion_core::reasons! {
    pub(crate) const WAITING_FOR_EARLIER: "waiting_for_earlier" of [Pending] =
        "another delivery of the same conversion is not settled yet";
    Nobody: "nothing: it is looked at again every minute (reschedules = \"once\", retract_on)";
}

conversion_core::reasons! {
    pub(crate) const RETRY_PERIOD_OVER: "retry_period_over" of [Failed, NoticeFailed] =
        "it was tried for [delivery] retry_for in vain";
    Operator: "mend what the message says, then retry: the time begins anew";

    pub(crate) const EVENT_TOO_OLD: "event_too_old" of [Failed] =
        "it passed the sink's max_event_age while it was tried";
    Operator: "raise max_event_age, if the platform takes older events, then retry";

    pub(crate) const DEDUP_WINDOW_OVER: "dedup_window_over" of [Failed] =
        "perhaps received, and the platform no longer recognises a repetition";
    Operator:
        "look whether the platform counted it: it is never sent again; if it was not, report it anew under other ids";

    pub(crate) const MAPPING_CHANGED_AFTER_SEND: "mapping_changed_after_send" of [Failed] =
        "perhaps received under another event name, conversion action or account, and the settings have changed since: \
         sent under the new ones, it could count twice";
    Operator: "map it as before and retry, or look whether the platform counted it";

    pub(crate) const QUEUE_GAVE_UP: "queue_gave_up" of [Failed] =
        "QStash gave up; its last call was answered {how}";
    Operator: "mend what the message says, then retry";

    pub(crate) const UNREADABLE_EVENT: "unreadable_event" of [Failed] = "the stored event cannot be read";
    Operator: "report it as a bug";

    pub(crate) const INTERNAL_ERROR: "internal_error" of [Failed, NoticeFailed] =
        "the connector broke on this {thing}";
    Operator: "report it as a bug";
}

conversion_core::reasons! {
    pub(crate) const ALL_REFUSED: "all_refused" of [Held] =
        "every event was refused with the same code; a setting may be wrong. {answer}";
    Operator:
        "a setting is wrong, or the events are: mend and resume; if the next probe goes through, the events were \
         wrong, and those that are refused again fail";

    pub(crate) const NOT_CONFIGURED: "not_configured" of [Held] = "the sink is no longer in the configuration";
    Operator: "configure it again under its name, or leave it: its deliveries stay pending";
}

conversion_core::reasons! {
    pub(crate) const NO_CHANGE: "no_change" of [NoticeIgnored] = "nothing of interest has changed";
    Nobody: "nothing";

    pub(crate) const UNWANTED: "unwanted" of [NoticeIgnored] =
        "the settings want no event of it, such as of what staff booked (staff_bookings)";
    Operator: "nothing, or change the setting";

    pub(crate) const UNUSABLE_EVENT: "unusable_event" of [NoticeFailed] =
        "the event that follows is no valid one; the message names the fields";
    Operator: "mend what the fields are filled from, then retry";

    pub(crate) const OTHER_SOURCE: "other_source" of [NoticeFailed] =
        "the source {source} tells of this appointment, and it alone";
    Operator:
        "give each account's appointments to one source, then retry; a source that was renamed takes over what its \
         former name told of";
}

/// The entry of what is said of a delivery; nothing where nothing is, or by a name that is no longer known.
pub fn of_delivery(record: &DeliveryRecord) -> Option<&'static Reason> {
    let place = match record.status {
        Status::Pending => Place::Pending,
        Status::Skipped => Place::Skipped,
        Status::Failed => Place::Failed,
        Status::Delivered => return None,
    };
    find(place, record.reason.as_deref()?)
}

/// The entry of what is said of a notice, likewise.
pub fn of_notice(record: &NoticeRecord) -> Option<&'static Reason> {
    let place = match record.status {
        NoticeStatus::Pending => Place::NoticePending,
        NoticeStatus::Ignored => Place::NoticeIgnored,
        NoticeStatus::Failed => Place::NoticeFailed,
        NoticeStatus::Done => return None,
    };
    find(place, record.reason.as_deref()?)
}

/// The entry of a hold's reason.
pub fn of_hold(name: &str) -> Option<&'static Reason> {
    find(Place::Held, name)
}
