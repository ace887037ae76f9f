//! The reasons that are no single platform's, and those of failure classes.

crate::reasons! {
    pub(crate) const MOCK_MODE: "mock_mode" of [Skipped] = "{platform} mock mode";
    Operator: "set OUTBOUND_MODE=live (or [outbound] mode) to send; retry what was skipped";

    pub const MISSING_CREDENTIALS: "missing_credentials" of [Skipped, Pending, Held] = "Missing {kind}: {names}";
    Operator:
        "set them in the environment or in the sink's section of the configuration and restart; then retry what \
         was skipped, while what was held goes on by itself";

    pub(crate) const NO_EVENT_MAPPING: "no_event_mapping" of [Skipped] = "No {platform} event mapping for: {event}";
    Operator: "map the event's name in [sinks.events], if it should be sent";

    pub(crate) const CONSENT_DENIED: "consent_denied" of [Skipped] = "Consent to ad user data was not given";
    Sender: "nothing, if the person refused; else send consent.adUserData, or see [consent] when_unknown";

    pub(crate) const EVENT_TOO_OLD: "event_too_old" of [Skipped] = "The event is older than {age}";
    Sender: "report events sooner, or raise the sink's max_event_age";

    pub(crate) const NO_IDENTIFIERS: "no_identifiers" of [Skipped] = "Missing {identifiers}";
    Sender: "send one of those that the message names with the event";

    pub(crate) const ALREADY_COUNTED: "already_counted" of [Skipped] =
        "The conversion was already delivered as {event}";
    Nobody: "nothing; reschedules = \"resend\" would send it again";

    pub(crate) const UNSERIALISABLE: "unserialisable" of [Skipped] =
        "The event cannot be written as JSON: {error}";
    Operator: "report it as a bug";

    pub const HELD: "held" of [Pending] =
        "its event name is held at this sink, or it was refused together with all others";
    Operator: "mend what holds it, then resume the sink; it goes on by itself when that hold ends";
}

crate::reasons! {
    pub(crate) const NOT_YET: "not_yet" of [Pending, NoticePending] = "right, but too early";
    Nobody: "nothing: it is tried again after the time that the platform wants";

    pub(crate) const RATE_LIMITED: "rate_limited" of [Pending, Held, NoticePending] =
        "the platform or booking system asked to slow down";
    Platform:
        "nothing: it goes on when the time that was named is over; set the sink's requests_per_second if it comes \
         often";

    pub(crate) const UNAUTHORIZED: "unauthorized" of [Pending, Held, NoticePending] =
        "token, permission, account or a setting of every request was refused";
    Operator: "mend what the message says; then restart with the mended settings, or resume what is held";

    pub(crate) const UNAVAILABLE: "unavailable" of [Pending, Held, NoticePending] =
        "the platform or booking system answered that it cannot work now";
    Platform: "nothing: it is tried again, by backoff";

    pub(crate) const UNREACHABLE: "unreachable" of [Pending, Held, NoticePending] =
        "it could not be connected to; nothing was sent";
    Operator: "nothing if it passes: it is tried again, by backoff; else look at the network and base_url";

    pub(crate) const INTERRUPTED: "interrupted" of [Pending, Held, NoticePending] =
        "there was no readable answer: what was sent is perhaps received";
    Platform:
        "nothing: it is tried again, by backoff, while the platform recognises the repetition; raise \
         timeout_seconds if answers are slow";
}

crate::reasons! {
    pub(crate) const REJECTED_FINALLY: "rejected" of [Failed, NoticeFailed] =
        "read, and refused for good; the message has the code and the words";
    Operator: "mend what the message says; if the mend is a setting or in the account, retry";

    pub(crate) const TOO_LARGE_FINALLY: "too_large" of [Failed, NoticeFailed] = "too big for the platform, though alone in its request";
    Sender: "send less with the event, and report it anew under other ids";

    pub(crate) const NOT_YET_FINALLY: "not_yet" of [Failed] = "right, but still too early when its time was over";
    Operator:
        "see whether what it is about is at the platform: a conversion that is to be taken back may stand under \
         another name, or was only checked (a test mode)";

    pub(crate) const RATE_LIMITED_FINALLY: "rate_limited" of [Failed] =
        "the platform asked to slow down, and a test is not tried again";
    Platform: "test again later";

    pub(crate) const UNAUTHORIZED_FINALLY: "unauthorized" of [Failed] =
        "token, permission, account or a setting of every request was refused, and a test is not tried again";
    Operator: "mend what the message says, restart and test again";

    pub(crate) const UNAVAILABLE_FINALLY: "unavailable" of [Failed] =
        "the platform answered that it cannot work, perhaps has it all the same, and would not recognise a \
         repetition";
    Operator: "look whether the platform counted it: it is never sent again; if it was a test, test again later";

    pub(crate) const UNREACHABLE_FINALLY: "unreachable" of [Failed] =
        "the platform could not be connected to, and a test is not tried again";
    Operator: "look at the network and base_url, then test again";

    pub(crate) const INTERRUPTED_FINALLY: "interrupted" of [Failed] =
        "perhaps received, and not sent again, since it could count twice or is no longer wanted";
    Operator: "look whether the platform counted it; if not, report it anew under other ids";
}
