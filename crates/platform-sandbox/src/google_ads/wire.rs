//! The request bodies. Unknown fields are refused, as Google's JSON reader refuses them. What nobody looks at is
//! here for its JSON type.
//!
//! Only `lowerCamelCase` is read, although Google reads `snake_case` too: it is not the documented form.

use serde::{Deserialize, Serialize};

use super::upload::Upload;

/// `UploadClickConversionsRequest`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ConversionUpload {
    conversions: Vec<ClickConversion>,
    partial_failure: bool,
    validate_only: bool,
    job_id: Option<i64>,
}

impl From<ConversionUpload> for Upload<ClickConversion> {
    fn from(body: ConversionUpload) -> Self {
        let ConversionUpload { conversions: rows, partial_failure, validate_only, job_id } = body;
        Self { rows, partial_failure, validate_only, job_id }
    }
}

/// `UploadConversionAdjustmentsRequest`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AdjustmentUpload {
    conversion_adjustments: Vec<ConversionAdjustment>,
    partial_failure: bool,
    validate_only: bool,
    job_id: Option<i64>,
}

impl From<AdjustmentUpload> for Upload<ConversionAdjustment> {
    fn from(body: AdjustmentUpload) -> Self {
        let AdjustmentUpload { conversion_adjustments: rows, partial_failure, validate_only, job_id } = body;
        Self { rows, partial_failure, validate_only, job_id }
    }
}

/// One row.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ClickConversion {
    pub(super) gclid: Option<String>,
    pub(super) gbraid: Option<String>,
    pub(super) wbraid: Option<String>,
    pub(super) conversion_action: Option<String>,
    pub(super) conversion_date_time: Option<String>,
    conversion_value: Option<f64>,
    pub(super) currency_code: Option<String>,
    pub(super) order_id: Option<String>,
    pub(super) user_identifiers: Vec<UserIdentifier>,
    pub(super) consent: Option<Consent>,
    pub(super) custom_variables: Vec<CustomVariable>,
    cart_data: Option<CartData>,
    pub(super) conversion_environment: Option<ConversionEnvironment>,
    pub(super) customer_type: Option<CustomerType>,
    pub(super) external_attribution_data: Option<ExternalAttributionData>,
    pub(super) user_ip_address: Option<String>,
    pub(super) session_attributes_encoded: Option<String>,
    pub(super) session_attributes_key_value_pairs: Option<serde_json::Map<String, serde_json::Value>>,
}

impl ClickConversion {
    /// The click that carries the row.
    pub(super) fn click(&self) -> Option<&str> {
        self.gclid.as_deref().or(self.gbraid.as_deref()).or(self.wbraid.as_deref())
    }
}

/// One adjustment.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ConversionAdjustment {
    pub(super) adjustment_type: Option<AdjustmentType>,
    pub(super) conversion_action: Option<String>,
    pub(super) adjustment_date_time: Option<String>,
    pub(super) order_id: Option<String>,
    pub(super) gclid_date_time_pair: Option<GclidDateTimePair>,
    pub(super) restatement_value: Option<RestatementValue>,
    pub(super) user_identifiers: Vec<UserIdentifier>,
    pub(super) user_agent: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum AdjustmentType {
    Unspecified,
    Unknown,
    Retraction,
    Restatement,
    Enhancement,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GclidDateTimePair {
    pub(super) gclid: Option<String>,
    pub(super) conversion_date_time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RestatementValue {
    pub(super) adjusted_value: Option<f64>,
    pub(super) currency_code: Option<String>,
}

/// `UserIdentifier`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UserIdentifier {
    pub(super) user_identifier_source: Option<UserIdentifierSource>,
    pub(super) hashed_email: Option<String>,
    pub(super) hashed_phone_number: Option<String>,
    pub(super) mobile_id: Option<String>,
    pub(super) third_party_user_id: Option<String>,
    pub(super) address_info: Option<AddressInfo>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AddressInfo {
    hashed_first_name: Option<String>,
    hashed_last_name: Option<String>,
    country_code: Option<String>,
    postal_code: Option<String>,
    hashed_street_address: Option<String>,
    city: Option<String>,
    state: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Consent {
    pub(super) ad_user_data: Option<ConsentStatus>,
    pub(super) ad_personalization: Option<ConsentStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CustomVariable {
    pub(super) conversion_custom_variable: Option<String>,
    pub(super) value: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct CartData {
    merchant_id: Option<Int64>,
    feed_country_code: Option<String>,
    feed_language_code: Option<String>,
    local_transaction_cost: Option<f64>,
    items: Vec<CartItem>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct CartItem {
    product_id: Option<String>,
    quantity: Option<i32>,
    unit_price: Option<f64>,
}

/// 64-bit integers may be strings in Google's JSON.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "an integer")]
#[expect(dead_code, reason = "read for its JSON type alone")]
enum Int64 {
    Number(i64),
    Text(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ExternalAttributionData {
    external_attribution_credit: Option<f64>,
    external_attribution_model: Option<String>,
}

/// Declares an enum as the JSON reader knows it: with the two values that are never to be sent.
macro_rules! proto_enum {
    ($($name:ident { $($value:ident),+ })+) => {$(
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub(super) enum $name { Unspecified, Unknown, $($value),+ }

        impl $name {
            /// Whether it is one of the values that say something.
            pub(super) fn is_meant(self) -> bool {
                !matches!(self, Self::Unspecified | Self::Unknown)
            }
        }
    )+};
}

proto_enum! {
    ConsentStatus { Granted, Denied }
    ConversionEnvironment { App, Web }
    CustomerType { New, Returning }
    UserIdentifierSource { FirstParty, ThirdParty }
}
