//! Google Ads API, `uploadClickConversions` and `uploadConversionAdjustments`, and the OAuth token endpoint in front of it.

use hyper::StatusCode;

use crate::Platform;
use crate::exchange::Desk;
use crate::reply::Reply;

mod access;
mod adjustment;
mod answer;
mod conversion;
mod date_time;
mod duplicates;
mod error;
mod failure;
mod field;
mod identifiers;
mod oauth;
mod path;
mod request;
mod row;
mod settle;
mod upload;
mod wire;

pub(crate) use access::AccessTokens;
pub(crate) use failure::failure;
pub(crate) use oauth::token;
pub(crate) use path::is_upload;

use error::{ApiError, Refusal};
use path::Target;
use upload::{Row, Service};
use wire::{ClickConversion, ConversionAdjustment};

/// `POST /v{N}/customers/{id}:uploadClickConversions` and `…:uploadConversionAdjustments`.
pub(crate) fn upload(desk: &Desk<'_>) -> Reply {
    let Some(target) = Target::of(desk.call.path()) else {
        return Reply::html(StatusCode::NOT_FOUND);
    };
    let answer = match target.service {
        Service::Conversions => receive::<ClickConversion>(desk, &target),
        Service::Adjustments => receive::<ConversionAdjustment>(desk, &target),
    };
    answer.unwrap_or_else(|refusal| answer::refusal(&refusal, target.version, desk.state))
}

fn receive<R: Row>(desk: &Desk<'_>, target: &Target<'_>) -> Result<Reply, Refusal> {
    target.version.check()?;
    access::check(desk)?;
    target.check_customer()?;
    request::check_headers(desk.call)?;
    let request = request::read::<R>(&desk.call.body).inspect_err(|_| reject(desk))?;
    let rows = request.rows.len();
    desk.state.of(Platform::GoogleAds).tally().batch(rows);
    request::check(&request).inspect_err(|_| desk.state.of(Platform::GoogleAds).tally().reject(rows))?;
    let mut errors: Vec<Vec<ApiError>> = request.rows.iter().map(|row| row.check(desk.settings)).collect();
    R::mark_duplicates(&request.rows, &mut errors);
    if !request.validate_only {
        settle::settle(desk, target, &request.rows, &mut errors);
    }
    Ok(answer::rows(desk.state, target.version, &request, &errors))
}

/// A body that cannot be read as a request still refuses however many rows it holds.
fn reject(desk: &Desk<'_>) {
    let rows = request::count(&desk.call.body);
    if rows > 0 {
        let mut tally = desk.state.of(Platform::GoogleAds).tally();
        tally.batch(rows);
        tally.reject(rows);
    }
}
