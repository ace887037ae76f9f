//! The rules that every sink keeps, one test each.

use std::time::Duration;

use conformance_kit::{Profile, Recorded, Reply, TestMode, Told};
use conversion_core::failure::FailureClass::{
    self, NotYet, RateLimited, Rejected, TooLarge, Unauthorized, Unavailable,
};
use conversion_core::failure::HoldScope;
use serde_json::{Value, json};
use sink_google_ads as _;

conformance_kit::conformance!(GoogleAds);

struct GoogleAds;

const SETTINGS: &str = "
    client_id = 'kit-client'
    client_secret = 'kit-client-secret'
    refresh_token = '1//kit-refresh-token'
    developer_token = 'kit-developer-token'
    customer_id = '123-456-7890'
    login_customer_id = '999-888-7776'
    base_url = '{url}/prefix'
    token_url = '{token_url}'
    timeout_seconds = 60
    events = { TRIAL_BOOKED = '987654321', TRIAL_RESCHEDULED = 987654321, APPOINTMENT_UPDATED = 55, ORDER_PAID = 66 }
    retract_on = ['TRIAL_CANCELED']
";

const SINK: FailureClass = Unauthorized { scope: HoldScope::Sink };
const EVENT_NAME: FailureClass = Unauthorized { scope: HoldScope::EventName };
const LATER: FailureClass = NotYet { wait: Duration::from_secs(6 * 3600) };
const RETRY: FailureClass = Unavailable { retry_after: None };
const THROTTLED: FailureClass = RateLimited { retry_after: None };

/// Section 3.7, row by row; what has no class is there already.
#[rustfmt::skip]
const CODES: [(&str, &str, Option<FailureClass>); 56] = [
    ("conversionUploadError", "CLICK_CONVERSION_ALREADY_EXISTS", None),
    ("conversionUploadError", "ORDER_ID_ALREADY_IN_USE", None),
    ("internalError", "INTERNAL_ERROR", Some(RETRY)),
    ("internalError", "TRANSIENT_ERROR", Some(RETRY)),
    ("internalError", "DEADLINE_EXCEEDED", Some(RETRY)),
    ("databaseError", "CONCURRENT_MODIFICATION", Some(RETRY)),
    ("quotaError", "RESOURCE_TEMPORARILY_EXHAUSTED", Some(THROTTLED)),
    ("quotaError", "RESOURCE_EXHAUSTED", Some(THROTTLED)),
    ("conversionUploadError", "TOO_RECENT_EVENT", Some(LATER)),
    ("conversionUploadError", "TOO_RECENT_CONVERSION_ACTION", Some(LATER)),
    ("conversionUploadError", "UNPARSEABLE_GCLID", Some(Rejected)),
    ("conversionUploadError", "UNPARSEABLE_GBRAID", Some(Rejected)),
    ("conversionUploadError", "UNPARSEABLE_WBRAID", Some(Rejected)),
    ("conversionUploadError", "CONVERSION_PRECEDES_EVENT", Some(Rejected)),
    ("conversionUploadError", "EXPIRED_EVENT", Some(Rejected)),
    ("conversionUploadError", "UNAUTHORIZED_CUSTOMER", Some(Rejected)),
    ("conversionUploadError", "INVALID_CUSTOMER_FOR_CLICK", Some(Rejected)),
    ("conversionUploadError", "CONVERSION_TRACKING_NOT_ENABLED_AT_IMPRESSION_TIME", Some(Rejected)),
    ("conversionUploadError", "INVALID_USER_IDENTIFIER", Some(Rejected)),
    ("conversionUploadError", "UNSUPPORTED_USER_IDENTIFIER", Some(Rejected)),
    ("conversionUploadError", "GBRAID_WBRAID_BOTH_SET", Some(Rejected)),
    ("conversionUploadError", "ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID", Some(Rejected)),
    ("conversionUploadError", "ORDER_ID_CONTAINS_PII", Some(Rejected)),
    ("conversionUploadError", "CUSTOM_VARIABLE_NOT_ENABLED", Some(Rejected)),
    ("conversionUploadError", "CUSTOM_VARIABLE_VALUE_CONTAINS_PII", Some(Rejected)),
    ("conversionUploadError", "CONVERSION_NOT_COMPLIANT_WITH_ATT_POLICY", Some(Rejected)),
    ("conversionUploadError", "EXTERNAL_ATTRIBUTION_DATA_SET_FOR_NON_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION", Some(Rejected)),
    ("conversionUploadError", "DUPLICATE_CLICK_CONVERSION_IN_REQUEST", Some(Rejected)),
    ("conversionUploadError", "DUPLICATE_ORDER_ID", Some(Rejected)),
    ("fieldError", "VALUE_MUST_BE_UNSET", Some(Rejected)),
    ("dateError", "INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET", Some(Rejected)),
    ("stringLengthError", "TOO_LONG", Some(Rejected)),
    ("currencyCodeError", "UNSUPPORTED", Some(Rejected)),
    ("conversionUploadError", "CLICK_NOT_FOUND", Some(Rejected)),
    ("conversionUploadError", "EVENT_NOT_FOUND", Some(Rejected)),
    ("conversionUploadError", "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE", Some(SINK)),
    ("conversionUploadError", "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS", Some(EVENT_NAME)),
    ("conversionUploadError", "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS", Some(EVENT_NAME)),
    ("conversionUploadError", "CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS", Some(EVENT_NAME)),
    ("conversionUploadError", "NO_CONVERSION_ACTION_FOUND", Some(EVENT_NAME)),
    ("conversionUploadError", "INVALID_CONVERSION_ACTION_TYPE", Some(EVENT_NAME)),
    ("requestError", "UNSUPPORTED_VERSION", Some(SINK)),
    ("authenticationError", "OAUTH_TOKEN_EXPIRED", Some(SINK)),
    ("authenticationError", "SOMETHING_NEW", Some(SINK)),
    ("authorizationError", "USER_PERMISSION_DENIED", Some(SINK)),
    ("authorizationError", "CUSTOMER_NOT_ENABLED", Some(SINK)),
    ("authorizationError", "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION", Some(SINK)),
    ("authorizationError", "SOMETHING_NEW", Some(SINK)),
    ("headerError", "INVALID_LOGIN_CUSTOMER_ID", Some(SINK)),
    ("databaseError", "REQUEST_TOO_LARGE", Some(TooLarge)),
    ("conversionUploadError", "TOO_MANY_CONVERSIONS_IN_REQUEST", Some(TooLarge)),
    ("internalError", "ERROR_CODE_NOT_PUBLISHED", Some(Rejected)),
    ("conversionUploadError", "SOMETHING_NEW", Some(Rejected)),
    ("someNewError", "SOMETHING_NEW", Some(Rejected)),
    ("conversionUploadError", "ONE_PER_CLICK_WITHOUT_BRAIDS", Some(Rejected)),
    ("conversionUploadError", "UNSPECIFIED", Some(Rejected)),
];

/// Codes of refused requests (section 3.6): HTTP status, family and code.
const REFUSALS: [(u16, &str, &str, FailureClass); 8] = [
    (400, "requestError", "UNSUPPORTED_VERSION", SINK),
    (400, "databaseError", "REQUEST_TOO_LARGE", TooLarge),
    (400, "fieldError", "REQUIRED", Rejected),
    (401, "authenticationError", "OAUTH_TOKEN_EXPIRED", SINK),
    (403, "authorizationError", "USER_PERMISSION_DENIED", SINK),
    (429, "quotaError", "RESOURCE_EXHAUSTED", THROTTLED),
    (500, "internalError", "INTERNAL_ERROR", RETRY),
    (503, "internalError", "TRANSIENT_ERROR", RETRY),
];

/// Google's status of refused rows.
fn status(row: usize, family: &str, code: &str) -> Value {
    let path = json!([{"fieldName": "conversions", "index": row}, {"fieldName": "conversion_action"}]);
    let error =
        json!({"errorCode": {family: code}, "message": "said", "location": {"fieldPathElements": path}});
    let kind = "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure";
    json!({"code": 3, "message": "first error", "details": [{"@type": kind, "errors": [error]}]})
}

/// HTTP 200 with results for all rows but one.
fn partial(rows: usize, row: usize, family: &str, code: &str) -> Reply {
    let mut results = vec![json!({"gclid": "g"}); rows];
    results[row] = json!({});
    Reply::json(200, &json!({"partialFailureError": status(row, family, code), "results": results}))
}

impl Profile for GoogleAds {
    fn kind(&self) -> &'static str {
        "google-ads"
    }

    fn folder(&self) -> &str {
        env!("CARGO_MANIFEST_DIR")
    }

    fn settings(&self) -> &str {
        SETTINGS
    }

    fn credentials(&self) -> &[&str] {
        &["client_id", "client_secret", "refresh_token", "customer_id"]
    }

    fn secrets(&self) -> &[&str] {
        &["client_secret", "refresh_token", "developer_token"]
    }

    fn variations(&self) -> &[&str] {
        &["send_ip = true", "retract_on = []"]
    }

    fn conversion_id(&self) -> &str {
        "/orderId"
    }

    fn test_mode(&self) -> TestMode {
        TestMode::InBody { value: "true", at: "/validateOnly", shows: json!(true) }
    }

    fn skipped(&self) -> &[(&str, &str)] {
        &[("booking_by_nobody", "no_identifiers"), ("booking_canceled", "original_not_delivered")]
    }

    fn taken(&self, items: usize) -> Reply {
        Reply::json(200, &json!({"results": vec![json!({"gclid": "g"}); items]}))
    }

    fn refusing(&self, items: usize, position: usize) -> Reply {
        partial(items, position, "conversionUploadError", "UNPARSEABLE_GCLID")
    }

    fn unauthorized(&self) -> Reply {
        Reply::json(401, &json!({"error": status(0, "authenticationError", "OAUTH_TOKEN_EXPIRED")}))
    }

    fn codes(&self) -> Vec<Recorded> {
        let told = |class: Option<FailureClass>| class.map_or(Told::Delivered, Told::Failed);
        let rows = CODES.iter().map(|(family, code, class)| Recorded {
            code: format!("{family}.{code}"),
            reply: partial(1, 0, family, code),
            told: told(*class),
        });
        let refusals = REFUSALS.iter().map(|(http, family, code, class)| Recorded {
            code: format!("{family}.{code}"),
            reply: Reply::json(*http, &json!({"error": status(0, family, code)})),
            told: Told::Failed(*class),
        });
        rows.chain(refusals).collect()
    }

    fn grant(&self, token: &str) -> Option<Reply> {
        let granted = json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"});
        Some(Reply::json(200, &granted))
    }
}
