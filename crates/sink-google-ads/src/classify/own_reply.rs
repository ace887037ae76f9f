//! A recorded answer with everything about neighbouring rows taken out.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::wire::{GoogleAdsError, ROWS};

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Reply<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    error: Option<Status<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    partial_failure_error: Option<Status<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    results: Option<Vec<&'a RawValue>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    job_id: Option<&'a RawValue>,
}

#[derive(Deserialize, Serialize)]
struct Status<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    code: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    message: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    status: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    details: Vec<Detail<'a>>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    #[serde(borrow, rename = "@type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    errors: Vec<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a RawValue>,
}

/// The answer with the result and the errors of the row at `position` alone, and the errors that concern no row in
/// particular. Nothing where the answer is not Google's JSON, or was cut.
pub(crate) fn own_reply(body: &str, position: usize) -> Option<String> {
    // Serde would read an array, too, which is none of Google's answers.
    if !body.trim_ascii_start().starts_with('{') {
        return None;
    }
    let mut reply: Reply<'_> = serde_json::from_str(body).ok()?;
    reply.results = reply.results.map(|results| results.into_iter().skip(position).take(1).collect());
    reply.partial_failure_error =
        reply.partial_failure_error.map(|status| status.of_row(position)).filter(Status::has_errors);
    reply.error = reply.error.map(|status| status.of_row(position));
    serde_json::to_string(&reply).ok()
}

impl Status<'_> {
    fn of_row(mut self, position: usize) -> Self {
        let first = self.details.iter().flat_map(|detail| &detail.errors).next().copied();
        for detail in &mut self.details {
            detail.errors.retain(|error| is_of_row(error, position));
        }
        // The message repeats the first error of all, which may be a neighbour's.
        self.message = self.message.filter(|message| {
            // Read, and not searched as it came: an escape may stand for any letter.
            let text = serde_json::from_str::<String>(message.get());
            first.is_none_or(|error| is_of_row(error, position))
                && text.is_ok_and(|text| !names_another_row(&text, position))
        });
        self.details.retain(|detail| !detail.errors.is_empty());
        self
    }

    fn has_errors(&self) -> bool {
        !self.details.is_empty()
    }
}

/// An error that cannot be read may be about anyone.
fn is_of_row(error: &RawValue, position: usize) -> bool {
    serde_json::from_str::<GoogleAdsError>(error.get())
        .is_ok_and(|error| error.row().is_none_or(|row| row == position))
}

/// Whether a text names `conversions[n]`, or the like of adjustments, with another `n`.
fn names_another_row(text: &str, position: usize) -> bool {
    let own = position.to_string();
    let is_another = |rest: &str| rest.split_once(']').is_none_or(|(row, _)| row != own);
    ROWS.iter().any(|rows| text.split(&format!("{rows}[")).skip(1).any(is_another))
}
