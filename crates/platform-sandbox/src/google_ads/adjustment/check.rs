//! What Google checks about one adjustment: each type has fields of its own.

use super::super::error::{ApiError, Code};
use super::super::field::{check_action, check_currency, check_order_id, check_time, missing, must_be_unset};
use super::super::identifiers;
use super::super::upload::{Row as _, Service};
use super::super::wire::{AdjustmentType, ConversionAdjustment, GclidDateTimePair, RestatementValue};
use crate::settings::Settings;

pub(super) fn check(row: &ConversionAdjustment, settings: &Settings) -> Vec<ApiError> {
    let mut errors = Vec::new();
    errors.extend(check_action(row.conversion_action.as_deref(), Service::Adjustments, settings));
    errors.extend(check_order_id(row.order_id(), Service::Adjustments));
    errors.extend(row.gclid_date_time_pair.as_ref().into_iter().flat_map(check_pair));
    errors.extend(row.restatement_value.as_ref().into_iter().flat_map(check_value));
    identifiers::check(&row.user_identifiers, Service::Adjustments, &mut errors);
    match row.adjustment_type {
        None => errors.push(missing("adjustment_type")),
        Some(AdjustmentType::Unspecified | AdjustmentType::Unknown) => {
            errors.push(Code::ENUM_VALUE.at("adjustment_type", "Enum value is not permitted."));
        }
        Some(AdjustmentType::Retraction) => check_retraction(row, &mut errors),
        Some(AdjustmentType::Restatement) => check_restatement(row, &mut errors),
        Some(AdjustmentType::Enhancement) => check_enhancement(row, &mut errors),
    }
    errors
}

fn check_retraction(row: &ConversionAdjustment, errors: &mut Vec<ApiError>) {
    check_of_upload(row, errors);
    if row.restatement_value.is_some() {
        errors.push(must_be_unset("restatement_value"));
    }
}

fn check_restatement(row: &ConversionAdjustment, errors: &mut Vec<ApiError>) {
    check_of_upload(row, errors);
    if row.restatement_value.is_none() {
        errors.push(missing("restatement_value"));
    }
}

/// What retractions and restatements share: one way of naming the conversion, a time, and nothing about a person.
fn check_of_upload(row: &ConversionAdjustment, errors: &mut Vec<ApiError>) {
    errors.extend(check_time("adjustment_date_time", row.adjustment_date_time.as_deref()));
    match (&row.order_id, &row.gclid_date_time_pair) {
        (Some(_), Some(_)) => {
            let message = "Order ID and GCLID with date time are both set; at most one may be.";
            let code = Code::adjustment("GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET");
            errors.push(code.at("gclid_date_time_pair", message));
        }
        (None, None) => errors.push(missing("order_id")),
        (Some(_), None) | (None, Some(_)) => {}
    }
    if !row.user_identifiers.is_empty() {
        errors.push(must_be_unset("user_identifiers"));
    }
    if row.user_agent.is_some() {
        errors.push(must_be_unset("user_agent"));
    }
}

fn check_enhancement(row: &ConversionAdjustment, errors: &mut Vec<ApiError>) {
    if row.adjustment_date_time.is_some() {
        errors.extend(check_time("adjustment_date_time", row.adjustment_date_time.as_deref()));
    }
    if row.order_id.is_none() {
        errors.push(missing("order_id"));
    }
    if row.user_identifiers.is_empty() {
        errors.push(missing("user_identifiers"));
    }
    if row.restatement_value.is_some() {
        errors.push(must_be_unset("restatement_value"));
    }
    if errors.is_empty() {
        // Only tag conversions can be enhanced, and the conversions here were all uploaded.
        let message = "The conversion action is not eligible for enhancement.";
        let code = Code::adjustment("CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT");
        errors.push(code.at("conversion_action", message));
    }
}

fn check_pair(pair: &GclidDateTimePair) -> Vec<ApiError> {
    let gclid = pair.gclid.as_ref().is_none_or(|gclid| gclid.trim().is_empty()).then(|| missing("gclid"));
    let time = check_time("conversion_date_time", pair.conversion_date_time.as_deref());
    let errors = gclid.into_iter().chain(time);
    errors.map(|error| error.within("gclid_date_time_pair", None)).collect()
}

fn check_value(value: &RestatementValue) -> Vec<ApiError> {
    let adjusted = value.adjusted_value.is_none().then(|| missing("adjusted_value"));
    let errors = adjusted.into_iter().chain(check_currency(value.currency_code.as_deref()));
    errors.map(|error| error.within("restatement_value", None)).collect()
}
