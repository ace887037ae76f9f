//! What Google checks about a request as a whole.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{Code, Refusal};
use super::field;
use super::path::is_digits;
use super::upload::{Row, Upload};
use crate::exchange::Call;

const MAX_ROWS: usize = 2000;

pub(super) fn check_headers(call: &Call) -> Result<(), Refusal> {
    if !call.is_of_type("application/json") {
        let message = "Content-Type must be application/json.".to_owned();
        return Err(Refusal::Json { message, field: None });
    }
    match call.header("login-customer-id") {
        Some(manager) if !is_digits(manager) => {
            let error = Code("headerError", "INVALID_LOGIN_CUSTOMER_ID")
                .error("The login customer ID in the header is not valid: digits only.");
            Err(Refusal::invalid(error))
        }
        _ => Ok(()),
    }
}

pub(super) fn read<R: Row>(body: &[u8]) -> Result<Upload<R>, Refusal> {
    let read: Result<R::Body, _> = serde_json::from_slice(body);
    read.map(Into::into).map_err(|error| refusal::<R>(body, &error))
}

/// How many rows a body holds that could not be read as a request.
pub(super) fn count(body: &[u8]) -> usize {
    #[derive(Deserialize)]
    struct Counted {
        #[serde(alias = "conversionAdjustments")]
        conversions: Vec<IgnoredAny>,
    }
    serde_json::from_slice::<Counted>(body).map_or(0, |counted| counted.conversions.len())
}

/// Reads a body that is known to be wrong once more, with its path tracked. Tracking is too slow for every request.
fn refusal<R: Row>(body: &[u8], error: &serde_json::Error) -> Refusal {
    let json = &mut serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, R::Body>(json) {
        Err(error) => {
            let path = error.path().to_string();
            let message = format!("Invalid JSON payload received. At '{path}': {}", error.inner());
            Refusal::Json { message, field: Some(path) }
        }
        Ok(_) => Refusal::Json { message: format!("Invalid JSON payload received. {error}"), field: None },
    }
}

/// Checks what concerns all rows.
pub(super) fn check<R: Row>(request: &Upload<R>) -> Result<(), Refusal> {
    let field = R::SERVICE.rows();
    let error = match request.rows.len() {
        0 => field::missing(field),
        1..=MAX_ROWS => return check_modes(request),
        rows => R::SERVICE
            .too_many_rows()
            .at(field, format!("The request holds {rows} rows; at most {MAX_ROWS} are allowed.")),
    };
    Err(Refusal::invalid(error))
}

fn check_modes<R: Row>(request: &Upload<R>) -> Result<(), Refusal> {
    if !request.partial_failure {
        let error = R::SERVICE
            .partial_failure_required()
            .at("partial_failure", "The partial failure mode must be enabled.");
        return Err(Refusal::invalid(error));
    }
    match request.job_id {
        Some(job_id) if !(1..=i64::from(i32::MAX)).contains(&job_id) => {
            let error = Code::INVALID_VALUE.at("job_id", "The job ID must lie between 1 and 2^31-1.");
            Err(Refusal::invalid(error))
        }
        _ => Ok(()),
    }
}
