//! What Google checks about one conversion.

use super::error::{ApiError, Code};
use super::field::{
    check_action, check_currency, check_order_id, check_time, is_resource, missing, must_be_unset,
};
use super::identifiers;
use super::upload::Service;
use super::wire::{ClickConversion, Consent, CustomVariable};
use crate::settings::Settings;

/// Everything that is wrong with a row.
pub(super) fn check(row: &ClickConversion, settings: &Settings) -> Vec<ApiError> {
    let mut errors = Vec::new();
    check_clicks(row, &mut errors);
    errors.extend(check_action(row.conversion_action.as_deref(), Service::Conversions, settings));
    errors.extend(check_time("conversion_date_time", row.conversion_date_time.as_deref()));
    errors.extend(check_currency(row.currency_code.as_deref()));
    errors.extend(check_order_id(row.order_id.as_deref(), Service::Conversions));
    identifiers::check(&row.user_identifiers, Service::Conversions, &mut errors);
    errors.extend(row.consent.as_ref().and_then(check_consent));
    check_custom_variables(&row.custom_variables, &mut errors);
    check_gated(row, settings, &mut errors);
    errors
}

fn check_clicks(row: &ClickConversion, errors: &mut Vec<ApiError>) {
    if row.click().is_none() && row.user_identifiers.is_empty() {
        errors.push(missing("gclid"));
    }
    let clicks = [
        ("gclid", &row.gclid, "UNPARSEABLE_GCLID"),
        ("gbraid", &row.gbraid, "UNPARSEABLE_GBRAID"),
        ("wbraid", &row.wbraid, "UNPARSEABLE_WBRAID"),
    ];
    for (field, value, code) in clicks {
        if value.as_ref().is_some_and(|value| value.trim().is_empty()) {
            errors.push(Code::upload(code).at(field, "The click ID could not be decoded."));
        }
    }
    if row.gbraid.is_some() && row.wbraid.is_some() {
        let message = "GBRAID and WBRAID are both set; at most one may be.";
        errors.push(Code::upload("GBRAID_WBRAID_BOTH_SET").at("gbraid", message));
    }
    check_alone(row, errors);
}

/// What may not stand beside a GBRAID or WBRAID.
fn check_alone(row: &ClickConversion, errors: &mut Vec<ApiError>) {
    let braid = if row.gbraid.is_some() { "gbraid" } else { "wbraid" };
    if row.gbraid.is_none() && row.wbraid.is_none() {
        return;
    }
    if row.gclid.is_some() {
        errors.push(must_be_unset(braid));
    }
    if !row.user_identifiers.is_empty() {
        errors.push(must_be_unset("user_identifiers"));
    }
    if !row.custom_variables.is_empty() {
        errors.push(must_be_unset("custom_variables"));
    }
}

fn check_consent(consent: &Consent) -> Option<ApiError> {
    let error = if consent.ad_personalization.is_some() {
        let message = "Ad personalization cannot be set on conversion uploads.";
        Code::MUST_BE_UNSET.at("ad_personalization", message)
    } else if consent.ad_user_data.is_some_and(|status| !status.is_meant()) {
        Code::ENUM_VALUE.at("ad_user_data", "Enum value is not permitted.")
    } else {
        return None;
    };
    Some(error.within("consent", None))
}

fn check_custom_variables(variables: &[CustomVariable], errors: &mut Vec<ApiError>) {
    for (index, variable) in variables.iter().enumerate() {
        let name = variable.conversion_custom_variable.as_deref().unwrap_or_default();
        let error = if !is_resource(name, "conversionCustomVariables") {
            let message = "Resource name is malformed.";
            Code::MALFORMED_NAME.at("conversion_custom_variable", message).triggered_by(name)
        } else if variable.value.as_ref().is_some_and(|value| value.contains('@')) {
            let message = "The custom variable's value contains personal data.";
            Code::upload("CUSTOM_VARIABLE_VALUE_CONTAINS_PII").at("value", message)
        } else {
            continue;
        };
        errors.push(error.within("custom_variables", Some(index)));
    }
}

/// What only some accounts or some conversion actions may send, and values that mean nothing.
fn check_gated(row: &ClickConversion, settings: &Settings, errors: &mut Vec<ApiError>) {
    let gated = [
        ("user_ip_address", row.user_ip_address.is_some()),
        ("session_attributes_encoded", row.session_attributes_encoded.is_some()),
        ("session_attributes_key_value_pairs", row.session_attributes_key_value_pairs.is_some()),
        ("conversion_environment", row.conversion_environment.is_some()),
    ];
    for (field, _) in gated.into_iter().filter(|(_, set)| *set && !settings.allowlisted) {
        let message = "The customer is not allowlisted for this feature.";
        errors.push(Code::upload("CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE").at(field, message));
    }
    if row.external_attribution_data.is_some() {
        let code = "EXTERNAL_ATTRIBUTION_DATA_SET_FOR_NON_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION";
        let message = "The conversion action is not externally attributed.";
        errors.push(Code::upload(code).at("external_attribution_data", message));
    }
    let meaningless = [
        ("conversion_environment", row.conversion_environment.is_some_and(|value| !value.is_meant())),
        ("customer_type", row.customer_type.is_some_and(|value| !value.is_meant())),
    ];
    for (field, _) in meaningless.into_iter().filter(|(_, meaningless)| *meaningless) {
        errors.push(Code::ENUM_VALUE.at(field, "Enum value is not permitted."));
    }
}
