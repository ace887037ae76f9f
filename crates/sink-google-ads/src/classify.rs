//! What an answer means, row by row (section 3.6). Both services answer alike.

mod codes;
mod own_reply;

use conversion_core::failure::{Blame, Failure, FailureClass, HoldScope};
use conversion_core::report::Outcome;
use http_exchange::{FullReply, by_status};

use self::codes::Fact;
use crate::wire::{ErrorReply, GoogleAdsError, UploadReply};

pub(crate) use self::own_reply::own_reply;

/// Longest message of Google's that is passed on, in characters.
const MAX_MESSAGE: usize = 500;

/// One outcome per row of an upload of so many `rows`, or the failure of all.
pub(crate) fn verdict(reply: &FullReply, rows: usize, validate_only: bool) -> Result<Vec<Outcome>, Failure> {
    if !(200..300).contains(&reply.status) {
        return refused(reply, rows);
    }
    match reply.object::<UploadReply<'_>>() {
        Some(upload) => taken(&upload, reply, rows, validate_only),
        None => Err(unreadable(reply, rows)),
    }
}

/// One error, understood.
struct Finding {
    row: Option<usize>,
    fact: Fact,
    code: String,
    message: String,
}

impl Finding {
    fn new(error: &GoogleAdsError, reply: &FullReply, unlisted: Fact) -> Self {
        let (family, name) = error.code();
        let fact = match codes::fact(family, name).unwrap_or(unlisted) {
            Fact::Failed(FailureClass::RateLimited { .. }) => {
                let retry_after = error.retry_delay().or(reply.retry_after);
                Fact::Failed(FailureClass::RateLimited { retry_after })
            }
            Fact::Failed(FailureClass::Unavailable { .. }) => {
                Fact::Failed(FailureClass::Unavailable { retry_after: reply.retry_after })
            }
            fact => fact,
        };
        let code = format!("{family}.{name}");
        let mut message = format!("Google Ads {code}: {}", short(&error.message));
        if let Some(field) = error.field() {
            message.push_str(&format!(" (at {field})"));
        }
        if let Some(mend) = codes::mend(name) {
            message.push_str(&format!(" [{mend}]"));
        }
        Self { row: error.row(), fact, code, message }
    }

    fn outcome(&self) -> Outcome {
        match self.fact {
            Fact::AlreadyThere => Outcome::Delivered { note: Some(format!("already_there: {}", self.code)) },
            Fact::Failed(class) => Outcome::Failed(self.failure(class)),
        }
    }

    fn failure(&self, class: FailureClass) -> Failure {
        Failure::new(class, &self.message).with_code(&self.code)
    }
}

/// HTTP 2xx: each row has its own verdict.
fn taken(
    upload: &UploadReply<'_>,
    reply: &FullReply,
    rows: usize,
    validate_only: bool,
) -> Result<Vec<Outcome>, Failure> {
    // Code 0 is "no error", and so is a status without a code.
    let status = upload.partial_failure_error.as_ref().filter(|status| status.code != 0);
    let findings: Vec<Finding> = status.map_or_else(Vec::new, |status| {
        let unlisted = codes::unlisted(status.code);
        status.errors().map(|error| Finding::new(error, reply, unlisted)).collect()
    });
    let Findings { own, whole } = Findings::by_row(&findings, rows);
    // A checked upload has no results: what no error names is valid, unless the errors themselves were not understood.
    let all_valid = validate_only && (status.is_none() || !findings.is_empty());
    let outcome = |(own, has_result): (Option<&Finding>, bool)| match (own, has_result, whole) {
        (Some(finding), _, _) => finding.outcome(),
        (None, true, _) => Outcome::DELIVERED,
        (None, false, Some(finding)) => finding.outcome(),
        (None, false, None) if all_valid => Outcome::Delivered { note: Some("validate_only".to_owned()) },
        (None, false, None) => unknown(),
    };
    let outcomes: Vec<Outcome> = own.into_iter().zip(upload.has_result(rows)).map(outcome).collect();
    match too_large(whole, &outcomes) {
        Some(failure) => Err(failure),
        None => Ok(outcomes),
    }
}

/// The strongest error of each row, and of those that concern no row in particular.
struct Findings<'a> {
    own: Vec<Option<&'a Finding>>,
    whole: Option<&'a Finding>,
}

impl<'a> Findings<'a> {
    fn by_row(findings: &'a [Finding], rows: usize) -> Self {
        let mut sorted = Self { own: vec![None; rows], whole: None };
        for finding in findings {
            let slot = finding.row.and_then(|row| sorted.own.get_mut(row)).unwrap_or(&mut sorted.whole);
            if slot.is_none_or(|known| finding.fact.strength() < known.fact.strength()) {
                *slot = Some(finding);
            }
        }
        sorted
    }
}

/// Only a whole request is too large: it is halved, not its rows.
fn too_large(whole: Option<&Finding>, outcomes: &[Outcome]) -> Option<Failure> {
    let whole = whole.filter(|finding| finding.fact == Fact::Failed(FailureClass::TooLarge))?;
    let none_taken = !outcomes.iter().any(|outcome| matches!(outcome, Outcome::Delivered { .. }));
    none_taken.then(|| whole.failure(FailureClass::TooLarge))
}

fn unknown() -> Outcome {
    let message = "Google Ads gave neither a result nor an error for this row";
    Outcome::Failed(Failure::new(FailureClass::Interrupted, message))
}

/// HTTP 3xx to 5xx: nothing was processed.
fn refused(reply: &FullReply, rows: usize) -> Result<Vec<Outcome>, Failure> {
    let Some(ErrorReply { error: status }) = reply.object() else {
        return Err(unreadable(reply, rows));
    };
    let by_status = Fact::Failed(by_status(reply));
    let findings: Vec<Finding> = status.errors().map(|error| Finding::new(error, reply, by_status)).collect();
    let Some(strongest) = findings.iter().min_by_key(|finding| finding.fact.strength()) else {
        let name = status.status.as_deref().unwrap_or("error");
        let message = format!("Google Ads {name}: {}", short(&status.message));
        return Err(by_status_alone(reply, rows, message).with_code(name));
    };
    // 401, 403 and 404 concern the account whatever the codes say.
    let fact = if by_status.strength() == 0 { by_status } else { strongest.fact };
    match fact {
        Fact::AlreadyThere if rows == 1 => Ok(vec![strongest.outcome()]),
        // Of several rows, which of them is there already shows when they are taken apart.
        Fact::AlreadyThere => {
            let class = FailureClass::Rejected;
            Err(strongest.failure(class).blaming(blame(class, rows)))
        }
        Fact::Failed(class) => {
            let failure = strongest.failure(class);
            let blame = blame(class, rows);
            match strongest.row.filter(|row| *row < rows && blame == Blame::Unknown) {
                Some(row) => Ok(Outcome::refused_for(row, &failure, rows)),
                None => Err(failure.blaming(blame)),
            }
        }
    }
}

/// An answer that is not Google's JSON: a proxy's page, or a body that broke off.
fn unreadable(reply: &FullReply, rows: usize) -> Failure {
    let message = format!("Google Ads answered HTTP {} with a body that cannot be read", reply.status);
    by_status_alone(reply, rows, message)
}

fn by_status_alone(reply: &FullReply, rows: usize, message: String) -> Failure {
    let class = by_status(reply);
    let mend =
        if reply.status == 404 { " [the address is not known: raise the sink's api_version]" } else { "" };
    Failure::new(class, message + mend).blaming(blame(class, rows))
}

/// Whether a refused request was refused for some rows, where none is named.
fn blame(class: FailureClass, rows: usize) -> Blame {
    let is_a_rows = matches!(
        class,
        FailureClass::Rejected
            | FailureClass::NotYet { .. }
            | FailureClass::Unauthorized { scope: HoldScope::EventName }
    );
    if rows > 1 && is_a_rows { Blame::Unknown } else { Blame::Batch }
}

fn short(message: &str) -> String {
    message.chars().take(MAX_MESSAGE).collect()
}
