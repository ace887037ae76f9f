//! What Google's codes mean: the tables of sections 3.7 and 4.

use std::time::Duration;

use conversion_core::failure::FailureClass::{
    self, NotYet, RateLimited, Rejected, TooLarge, Unauthorized, Unavailable,
};
use conversion_core::failure::HoldScope;

use Fact::{AlreadyThere, Failed};

/// What an error says about its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// Google has them already.
    AlreadyThere,
    /// Google has them not, or has them perhaps.
    Failed(FailureClass),
}

impl Fact {
    /// Of several errors of one row the strongest counts: the smallest number here (section 3.6, rule 4).
    pub(super) fn strength(self) -> u8 {
        match self {
            Failed(Unauthorized { scope: HoldScope::Sink }) => 0,
            Failed(Unauthorized { scope: HoldScope::EventName }) => 1,
            Failed(Rejected) => 2,
            Failed(TooLarge) => 3,
            Failed(NotYet { .. }) => 4,
            Failed(RateLimited { .. }) => 5,
            Failed(Unavailable { .. } | FailureClass::Unreachable | FailureClass::Interrupted) => 6,
            AlreadyThere => 7,
        }
    }
}

const ACCOUNT: Fact = Failed(Unauthorized { scope: HoldScope::Sink });
const ACTION: Fact = Failed(Unauthorized { scope: HoldScope::EventName });
const LATER: Fact = Failed(NotYet { wait: Duration::from_secs(6 * 3600) });
const THROTTLED: Fact = Failed(RateLimited { retry_after: None });
const RETRY: Fact = Failed(Unavailable { retry_after: None });
const REJECTED: Fact = Failed(Rejected);

/// Families whose every code means the same.
const FAMILIES: [(Fact, &[&str]); 2] = [
    (ACCOUNT, &["authenticationError", "authorizationError", "headerError"]),
    (REJECTED, &["fieldError", "dateError", "stringLengthError", "currencyCodeError"]),
];

/// Codes of whatever family. A `*` stands for any text.
const CODES: [(Fact, &[&str]); 10] = [
    (AlreadyThere, &["CLICK_CONVERSION_ALREADY_EXISTS", "ORDER_ID_ALREADY_IN_USE"]),
    (RETRY, &["INTERNAL_ERROR", "TRANSIENT_ERROR", "DEADLINE_EXCEEDED", "CONCURRENT_MODIFICATION"]),
    (THROTTLED, &["RESOURCE_TEMPORARILY_EXHAUSTED", "RESOURCE_EXHAUSTED"]),
    (LATER, &["TOO_RECENT_EVENT", "TOO_RECENT_CONVERSION_ACTION"]),
    (
        REJECTED,
        &[
            "UNPARSEABLE_GCLID",
            "UNPARSEABLE_GBRAID",
            "UNPARSEABLE_WBRAID",
            "CONVERSION_PRECEDES_EVENT",
            "EXPIRED_EVENT",
            "UNAUTHORIZED_CUSTOMER",
            "INVALID_CUSTOMER_FOR_CLICK",
            "CONVERSION_TRACKING_NOT_ENABLED_AT_IMPRESSION_TIME",
            "INVALID_USER_IDENTIFIER",
            "UNSUPPORTED_USER_IDENTIFIER",
            "GBRAID_WBRAID_BOTH_SET",
            "ONE_PER_CLICK_*_WITH_BRAID",
            "ORDER_ID_CONTAINS_PII",
            "CUSTOM_VARIABLE_NOT_ENABLED",
            "CUSTOM_VARIABLE_VALUE_CONTAINS_PII",
            "CONVERSION_NOT_COMPLIANT_WITH_ATT_POLICY",
            "EXTERNAL_ATTRIBUTION_*",
            "DUPLICATE_*_IN_REQUEST",
            "DUPLICATE_ORDER_ID",
        ],
    ),
    // Unmatched: the identifiers led to no click. Final, and no alarm; Google calls it safe to ignore.
    (REJECTED, &["CLICK_NOT_FOUND", "EVENT_NOT_FOUND"]),
    (ACCOUNT, &["CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE", "UNSUPPORTED_VERSION"]),
    (ACTION, &["NO_CONVERSION_ACTION_FOUND", "INVALID_CONVERSION_ACTION_TYPE"]),
    // The account may not send user identifiers. Rows with a click id alone may go on, so not the whole sink is held:
    // what happens under one name mostly carries the same fields, and the name is what can be held.
    (
        ACTION,
        &[
            "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS",
            "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS",
            "CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS",
        ],
    ),
    (Failed(TooLarge), &["REQUEST_TOO_LARGE", "TOO_MANY_CONVERSIONS_IN_REQUEST"]),
];

/// The family of adjustments.
const ADJUSTMENT: &str = "conversionAdjustmentUploadError";

/// Codes of that family, where it has its own or means something of its own.
const ADJUSTMENT_CODES: [(Fact, &[&str]); 5] = [
    (
        AlreadyThere,
        &[
            "CONVERSION_ALREADY_RETRACTED",
            "RESTATEMENT_ALREADY_EXISTS",
            "CONVERSION_ALREADY_ENHANCED",
            "MORE_RECENT_RESTATEMENT_FOUND",
        ],
    ),
    // That a conversion is not found is final a day after it was accepted: the payload says when that is.
    (LATER, &["CONVERSION_NOT_FOUND", "TOO_RECENT_CONVERSION"]),
    (
        REJECTED,
        &[
            "CONVERSION_EXPIRED",
            "TOO_MANY_ADJUSTMENTS",
            "ADJUSTMENT_PRECEDES_CONVERSION",
            "GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET",
            "MISSING_ORDER_ID_FOR_WEBPAGE",
            "CANNOT_RESTATE_*_DEFAULT_CONVERSION_VALUE",
            "CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT",
        ],
    ),
    (ACTION, &["CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCEMENT"]),
    (Failed(TooLarge), &["TOO_MANY_ADJUSTMENTS_IN_REQUEST"]),
];

/// What a human can do about a code.
const MENDS: [(&str, &str); 12] = [
    ("UNSUPPORTED_VERSION", "raise the sink's api_version"),
    (
        "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE",
        "Google closed this upload on 2026-06-15 to developers who had not used it before: use a sink of kind \
         google-data-manager in its place (docs/google-data-manager.md)",
    ),
    ("USER_PERMISSION_DENIED", "set login_customer_id where access runs through a manager account"),
    ("NO_CONVERSION_ACTION_FOUND", "mend the conversion action's id under events"),
    (
        "INVALID_CONVERSION_ACTION_TYPE",
        "the conversion action must be one that imports clicks (UPLOAD_CLICKS)",
    ),
    ("CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS", "accept the customer data terms in Google Ads"),
    (
        "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS",
        "turn on enhanced conversions for leads in Google Ads",
    ),
    ("CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS", "send this account no e-mail or phone"),
    ("CLICK_NOT_FOUND", "no ad click of this person is known, which is safe to ignore"),
    ("EVENT_NOT_FOUND", "no such ad click is known, which is safe to ignore"),
    (
        "CONVERSION_NOT_FOUND",
        "Google has no such conversion of this conversion action, or has not processed it yet",
    ),
    ("CONVERSION_EXPIRED", "Google takes back what is at most 54 days old"),
];

/// What the code of that family means; nothing where the table does not list it.
pub(super) fn fact(family: &str, code: &str) -> Option<Fact> {
    let is_listed = |(_, codes): &&(Fact, &[&str])| codes.iter().any(|pattern| matches(pattern, code));
    let of_family = FAMILIES.iter().find(|(_, families)| families.contains(&family));
    let of_adjustment = || ADJUSTMENT_CODES.iter().filter(|_| family == ADJUSTMENT).find(is_listed);
    let of_any = || CODES.iter().find(is_listed);
    of_family.or_else(of_adjustment).or_else(of_any).map(|(fact, _)| *fact)
}

/// How to mend what the code complains of.
pub(super) fn mend(code: &str) -> Option<&'static str> {
    MENDS.iter().find(|(known, _)| *known == code).map(|(_, mend)| *mend)
}

fn matches(pattern: &str, code: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => code.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
        None => pattern == code,
    }
}

/// What an unlisted error means inside a partial failure, by its status' `google.rpc` code: a failure of the server's
/// is tried again, a refusal is final.
pub(super) fn unlisted(rpc_code: i64) -> Fact {
    match rpc_code {
        8 => THROTTLED,                    // RESOURCE_EXHAUSTED
        7 | 16 => ACCOUNT,                 // PERMISSION_DENIED, UNAUTHENTICATED
        1 | 2 | 4 | 10 | 13 | 14 => RETRY, // CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, ABORTED, INTERNAL, UNAVAILABLE
        _ => REJECTED,
    }
}
