//! Checks of fields that rows of both services have.

use super::date_time::{self, Wrong};
use super::error::{ApiError, Code};
use super::path::is_digits;
use super::upload::Service;
use crate::settings::Settings;

const MAX_ORDER_ID: usize = 64;

pub(super) fn missing(field: &'static str) -> ApiError {
    Code::REQUIRED.at(field, "The required field was not present.")
}

pub(super) fn must_be_unset(field: &'static str) -> ApiError {
    Code::MUST_BE_UNSET.at(field, "The value must be unset.")
}

/// The only part of a conversion action's name that is looked at.
pub(super) fn action_id(name: Option<&str>) -> Option<&str> {
    name?.rsplit('/').next()
}

pub(super) fn check_action(name: Option<&str>, service: Service, settings: &Settings) -> Option<ApiError> {
    let field = "conversion_action";
    let Some(name) = name else {
        return Some(missing(field));
    };
    if !is_resource(name, "conversionActions") {
        return Some(Code::MALFORMED_NAME.at(field, "Resource name is malformed.").triggered_by(name));
    }
    let known = |known: &String| known.rsplit('/').next() == action_id(Some(name));
    if !settings.conversion_actions.is_empty() && !settings.conversion_actions.iter().any(known) {
        let message = "The conversion action cannot be found, or no upload is allowed for it.";
        return Some(service.code("NO_CONVERSION_ACTION_FOUND").at(field, message).triggered_by(name));
    }
    None
}

/// `customers/{digits}/{collection}/{digits}`.
pub(super) fn is_resource(name: &str, collection: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    matches!(parts.as_slice(), ["customers", customer, kind, id]
        if is_digits(customer) && *kind == collection && is_digits(id))
}

pub(super) fn check_time(field: &'static str, time: Option<&str>) -> Option<ApiError> {
    let Some(time) = time else {
        return Some(missing(field));
    };
    let (name, message) = match date_time::parse(time) {
        Ok(_) => return None,
        Err(Wrong::Form) => (
            "INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET",
            "The date time must be in the format 'yyyy-MM-dd HH:mm:ss+HH:mm' or 'yyyy-MM-dd HH:mm:ss-HH:mm'.",
        ),
        Err(Wrong::Value) => ("INVALID_FIELD_VALUES_IN_DATE", "The date contains invalid values."),
    };
    Some(Code("dateError", name).at(field, message).triggered_by(time))
}

pub(super) fn check_currency(code: Option<&str>) -> Option<ApiError> {
    let code = code?;
    let shaped = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    let error = || {
        Code("currencyCodeError", "UNSUPPORTED")
            .at("currency_code", "The currency code is not supported.")
            .triggered_by(code)
    };
    (!shaped).then(error)
}

pub(super) fn check_order_id(order_id: Option<&str>, service: Service) -> Option<ApiError> {
    let order_id = order_id?;
    let (code, message) = if order_id.is_empty() {
        (Code("stringLengthError", "EMPTY"), "The specified field should have a least one character.")
    } else if order_id.chars().count() > MAX_ORDER_ID {
        (Code("stringLengthError", "TOO_LONG"), "Too long.")
    } else if order_id.contains('@') {
        (service.code("ORDER_ID_CONTAINS_PII"), "The order ID contains personal data.")
    } else {
        return None;
    };
    Some(code.at("order_id", message))
}
