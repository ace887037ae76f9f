//! Accepts the rows that passed every check, or finds them known already.

use super::error::{ApiError, Code};
use super::path::Target;
use super::wire::ClickConversion;
use crate::Platform;
use crate::exchange::Desk;
use crate::memory::{Arrival, Key};
use crate::settings::Verdict;
use crate::tally::{DedupKey, Tally};

/// Remembers each good row; a row that is known already, or has a verdict set for it, gets an error.
pub(super) fn settle(
    desk: &Desk<'_>,
    target: &Target<'_>,
    rows: &[ClickConversion],
    errors: &mut [Vec<ApiError>],
) {
    let mut tally = desk.state.of(Platform::GoogleAds).tally();
    for (row, errors) in rows.iter().zip(errors) {
        if errors.is_empty() {
            errors.extend(verdict(&mut tally, desk, row));
        }
        if errors.is_empty() {
            errors.extend(accept(&mut tally, desk, target, row));
        } else {
            tally.reject(1);
        }
    }
}

fn verdict(tally: &mut Tally, desk: &Desk<'_>, row: &ClickConversion) -> Option<ApiError> {
    let Verdict::GoogleAds { family, code, message, .. } =
        tally.verdict(desk.settings, row.order_id.as_deref()?)?
    else {
        return None;
    };
    let message = message.as_deref().unwrap_or("The sandbox was told to answer with this error.");
    Some(ApiError::new(family.clone(), code.clone(), message.to_owned()))
}

fn accept(
    tally: &mut Tally,
    desk: &Desk<'_>,
    target: &Target<'_>,
    row: &ClickConversion,
) -> Option<ApiError> {
    let window_us = desk.settings.dedup_window_s.map(|seconds| seconds.saturating_mul(1_000_000));
    let name = row.action_id().unwrap_or_default();
    let key = |id| Key { id, scope: target.customer, name };
    let click = row.click().zip(row.conversion_date_time.as_deref());
    let click = click.map(|(click, time)| format!("{time} {click}"));
    let dedup = match (row.order_id.as_deref(), click.as_deref()) {
        (Some(order_id), _) => DedupKey::Id(key(order_id)),
        (None, Some(click)) => DedupKey::Click(key(click)),
        (None, None) => DedupKey::None(name),
    };
    match tally.accept(dedup, desk.now_us, window_us) {
        Arrival::Counted | Arrival::CountedTwice => None,
        Arrival::Deduplicated if row.order_id.is_some() => {
            let message = "The order ID is already in use.";
            Some(Code::upload("ORDER_ID_ALREADY_IN_USE").at("order_id", message))
        }
        Arrival::Deduplicated => {
            let message = "A conversion of this click at this time already exists.";
            Some(Code::upload("CLICK_CONVERSION_ALREADY_EXISTS").error(message))
        }
    }
}
