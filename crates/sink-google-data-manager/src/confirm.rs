//! What Google says later of a request that it took (section 7.4).

use conversion_core::confirmation::{Confirmation, LateVerdict};
use conversion_core::failure::{Failure, FailureClass};
use http_exchange::{FullReply, by_status};

use crate::classify::late;
use crate::wire::{DestinationStatus, ErrorReply, Status, StatusReply};

/// The verdict on a request of so many `items`, or why it cannot be had.
pub(crate) fn read(reply: &FullReply, items: usize) -> Result<Confirmation, Failure> {
    if !(200..300).contains(&reply.status) {
        return refused(reply, items);
    }
    let status = reply.object::<StatusReply>();
    match status.as_ref().map(|status| status.request_status_per_destination.as_slice()) {
        // One request has one destination.
        Some([status]) => Ok(judge(status, items)),
        _ => {
            let message =
                format!("Google Data Manager gave no status that can be read (HTTP {})", reply.status);
            Err(Failure::new(by_status(reply), message))
        }
    }
}

/// A request that Google does not know, or no longer, will never be judged.
fn refused(reply: &FullReply, items: usize) -> Result<Confirmation, Failure> {
    let error = reply.object::<ErrorReply>().map(|reply| reply.error);
    let reasons = |error: &Status| {
        let violations = error.violations().map(|violation| violation.reason.clone());
        violations.chain(error.reason().map(str::to_owned)).collect::<Vec<_>>()
    };
    let reasons = error.as_ref().map(reasons).unwrap_or_default();
    let is_over = |reason: &&String| matches!(reason.as_str(), "REQUEST_TOO_OLD" | "INVALID_REQUEST_ID");
    if let Some(reason) = reasons.iter().find(is_over) {
        return Ok(unknown(
            items,
            &format!("Google Data Manager does not know the request any more: {reason}"),
        ));
    }
    let name = error.map(|error| error.status).unwrap_or_default();
    let message = format!("Google Data Manager gave no status of a request: HTTP {} {name}", reply.status);
    Err(Failure::new(by_status(reply), message.trim_end().to_owned()))
}

fn judge(status: &DestinationStatus, items: usize) -> Confirmation {
    match status.request_status.as_str() {
        "SUCCESS" => Confirmation::Judged(vec![LateVerdict::Confirmed { note: None }; items]),
        "PARTIAL_SUCCESS" | "FAILED" => in_part(status, items),
        _ => Confirmation::Processing,
    }
}

/// By row where Google says which, else as far as the counts tell.
fn in_part(status: &DestinationStatus, items: usize) -> Confirmation {
    let all_failed = status.request_status == "FAILED";
    if let Some(verdicts) = by_row(status, items, all_failed) {
        return Confirmation::Judged(verdicts);
    }
    let verdicts: Vec<LateVerdict> = status.errors().iter().map(|error| late(&error.reason)).collect();
    let counted: usize = status.errors().iter().map(|error| error.record_count).sum();
    let covers_all = all_failed || counted == items;
    match verdicts.as_slice() {
        [only] if covers_all => Confirmation::Judged(vec![only.clone(); items]),
        // Google had those before, and has taken the others.
        [LateVerdict::Confirmed { .. }] => {
            Confirmation::Judged(vec![LateVerdict::Confirmed { note: None }; items])
        }
        // Sent again, the others are recognised by their ids.
        [LateVerdict::Refused(failure)] if is_passing(failure) => {
            Confirmation::Judged(vec![LateVerdict::Refused(failure.clone()); items])
        }
        _ => unknown(items, &counts(status, items)),
    }
}

fn is_passing(failure: &Failure) -> bool {
    matches!(failure.class, FailureClass::Unavailable { .. })
}

/// Nothing unless every count comes with as many rows, each of them a row of the request, and none twice; where all have
/// failed, with all rows.
fn by_row(status: &DestinationStatus, items: usize, all_failed: bool) -> Option<Vec<LateVerdict>> {
    let mut verdicts: Vec<Option<LateVerdict>> = vec![None; items];
    for error in status.errors() {
        if error.record_indices.is_empty() || error.record_indices.len() != error.record_count {
            return None;
        }
        for index in &error.record_indices {
            let slot = verdicts.get_mut(*index)?;
            if slot.replace(late(&error.reason)).is_some() {
                return None;
            }
        }
    }
    let is_told = !status.errors().is_empty() && (!all_failed || verdicts.iter().all(Option::is_some));
    let confirmed = || LateVerdict::Confirmed { note: None };
    is_told.then(|| verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(confirmed)).collect())
}

fn unknown(items: usize, message: &str) -> Confirmation {
    Confirmation::Judged(vec![LateVerdict::Unknown { message: message.to_owned() }; items])
}

/// `Google refused 19 of 500 and does not say which: 12 × CLICK_NOT_FOUND, 7 × NO_CONSENT`
fn counts(status: &DestinationStatus, items: usize) -> String {
    let errors = status.errors();
    let counted: usize = errors.iter().map(|error| error.record_count).sum();
    let name = |reason: &str| reason.trim_start_matches("PROCESSING_ERROR_REASON_").to_owned();
    let each: Vec<String> =
        errors.iter().map(|error| format!("{} × {}", error.record_count, name(&error.reason))).collect();
    format!("Google refused {counted} of {items} and does not say which: {}", each.join(", "))
}
