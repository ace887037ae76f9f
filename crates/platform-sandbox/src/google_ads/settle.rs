//! Takes the rows that passed every check, unless a verdict is set for them.

use super::error::ApiError;
use super::path::Target;
use super::upload::{Row, Service};
use crate::Platform;
use crate::exchange::Desk;
use crate::settings::Verdict;
use crate::tally::Tally;

/// Settles each good row; one that is known already, or has a verdict set for it, gets an error.
pub(super) fn settle<R: Row>(desk: &Desk<'_>, target: &Target<'_>, rows: &[R], errors: &mut [Vec<ApiError>]) {
    let mut tally = desk.state.of(Platform::GoogleAds).tally();
    for (row, errors) in rows.iter().zip(errors) {
        if errors.is_empty() {
            errors.extend(verdict(&mut tally, desk, row));
        }
        if errors.is_empty() {
            errors.extend(row.settle(&mut tally, desk, target));
        } else {
            tally.reject(1);
        }
    }
}

fn verdict<R: Row>(tally: &mut Tally, desk: &Desk<'_>, row: &R) -> Option<ApiError> {
    let id = row.order_id()?;
    if let Some(Verdict::GoogleAds { family, .. }) = desk.settings.verdicts.get(id)
        && Service::ALL.iter().any(|other| *other != R::SERVICE && other.family() == family)
    {
        // An error that only the other service knows is meant for that one.
        return None;
    }
    let Verdict::GoogleAds { family, code, message, .. } = tally.verdict(desk.settings, id)? else {
        return None;
    };
    let message = message.as_deref().unwrap_or("The sandbox was told to answer with this error.");
    Some(ApiError::new(family.clone(), code.clone(), message.to_owned()))
}
