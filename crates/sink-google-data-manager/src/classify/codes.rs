//! Reasons that Google gives, and what each means (sections 7.3 and 7.4).

use std::time::Duration;

use conversion_core::confirmation::LateVerdict;
use conversion_core::failure::{Failure, FailureClass, HoldScope};

use super::action_scope;

/// What is too young is right six hours later (sections 7.3 and 7.4).
const TOO_YOUNG: FailureClass = FailureClass::NotYet { wait: Duration::from_secs(6 * 3600) };
const HOLD: FailureClass = FailureClass::Unauthorized { scope: HoldScope::Sink };

/// What Google's later reasons begin with; one of them has a prefix of its own (section 7.4).
const LATE_PREFIXES: [&str; 2] = ["PROCESSING_ERROR_REASON_", "PROCESSING_ERROR_"];

/// The fact behind a reason that concerns the whole request; nothing where it concerns events.
pub(super) fn of_request(reason: &str, has_other_actions: bool) -> Option<FailureClass> {
    Some(match reason {
        "INVALID_CONVERSION_ACTION_ID" | "INVALID_CONVERSION_ACTION_TYPE" => {
            FailureClass::Unauthorized { scope: action_scope(has_other_actions) }
        }
        "PERMISSION_DENIED"
        | "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
        | "SERVICE_DISABLED"
        | "NOT_ALLOWLISTED"
        | "TERMS_AND_CONDITIONS_NOT_SIGNED"
        | "INVALID_DESTINATION" => HOLD,
        _ if reason.starts_with("DESTINATION_ACCOUNT_") => HOLD,
        "CONVERSION_ACTION_TOO_RECENTLY_CREATED" => TOO_YOUNG,
        "TOO_MANY_EVENTS" | "TOO_MANY_DESTINATIONS" => FailureClass::TooLarge,
        _ => return None,
    })
}

/// The fact behind a reason that stands at the destination. Nothing else is wrong with its events.
pub(super) fn of_destination(reason: &str, has_other_actions: bool) -> FailureClass {
    let unlisted = FailureClass::Unauthorized { scope: action_scope(has_other_actions) };
    of_request(reason, has_other_actions).unwrap_or(unlisted)
}

/// What a human can do about a reason.
pub(super) fn mend(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT" => {
            "authorise again, with the scope https://www.googleapis.com/auth/datamanager, and set the new \
             refresh_token"
        }
        "SERVICE_DISABLED" => "enable the Data Manager API in the Cloud project of the OAuth client",
        "PERMISSION_DENIED" => {
            "whoever authorised needs access to operating_account, or to login_account above it; and the token needs the \
             scope https://www.googleapis.com/auth/datamanager"
        }
        "INVALID_CONVERSION_ACTION_ID" => {
            "set the id of a conversion action of operating_account, which must be the account that owns it"
        }
        "INVALID_CONVERSION_ACTION_TYPE" => "use a conversion action of the type \"import from clicks\"",
        "TERMS_AND_CONDITIONS_NOT_SIGNED" | "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED" => {
            "accept Google's customer data terms in the account's conversion settings"
        }
        "INVALID_OPERATING_ACCOUNT_FOR_CLICK" | "OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER" => {
            "the click belongs to another account than operating_account: name the account that owns the conversion \
             action"
        }
        _ => return None,
    })
}

/// What a reason that Google gives later says of an event (section 7.4). New ones refuse it.
pub(crate) fn late(reason: &str) -> LateVerdict {
    let name = LATE_PREFIXES.iter().find_map(|prefix| reason.strip_prefix(prefix)).unwrap_or(reason);
    let class = match name {
        "DUPLICATE_TRANSACTION_ID" | "DUPLICATE_GCLID" => {
            return LateVerdict::Confirmed { note: Some(format!("already_there: {name}")) };
        }
        "INTERNAL_ERROR" => FailureClass::Unavailable { retry_after: None },
        "TOO_RECENT_CLICK" => TOO_YOUNG,
        _ => FailureClass::Rejected,
    };
    let mut message = format!("Google Data Manager refused it later: {name}");
    if let Some(mend) = mend(name) {
        message.push_str(&format!(" [{mend}]"));
    }
    LateVerdict::Refused(Failure::new(class, message).with_code(name))
}
