//! What Google says about single rows.

use platform_sandbox::{Platform, Settings};
use serde_json::{Value, json};

use crate::harness::{ACTION, EMPTY_DIGEST, Running, failures, row, set, without};

const DIGEST: &str = "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a";

/// Each row is sent between two good ones; errors are expected at the second place.
async fn check(settings: Settings, cases: Vec<(Value, &[&str])>) {
    let running = Running::with(Platform::GoogleAds, settings).await;
    for (number, (bad, expected)) in cases.into_iter().enumerate() {
        let rows = [row(&format!("a{number}")), bad.clone(), row(&format!("b{number}"))];
        let (status, answer) = running.google(&rows).await;
        assert_eq!(status, 200, "{bad}: {answer}");
        let expected: Vec<String> = expected.iter().map(|error| format!("conversions[1]{error}")).collect();
        assert_eq!(failures(&answer), expected, "{bad}");
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results.len(), 3);
        assert_eq!(results[1] == json!({}), !expected.is_empty(), "{bad}");
        assert!(results[0]["gclid"].is_string() && results[2]["gclid"].is_string());
    }
}

fn with(changes: &[(&str, Value)]) -> Value {
    changes.iter().fold(row("order"), |row, (field, value)| set(&row, &format!("/{field}"), value.clone()))
}

fn braid(field: &str) -> Value {
    set(&without(&row("order"), "/gclid"), &format!("/{field}"), json!("braid"))
}

#[tokio::test]
async fn click_id_combinations() {
    let identifiers = json!([{ "hashedEmail": DIGEST }]);
    let variables =
        json!([{"conversionCustomVariable": "customers/1/conversionCustomVariables/2", "value": "x"}]);
    let nothing = without(&row("order"), "/gclid");
    check(
        Settings::default(),
        vec![
            (nothing.clone(), &[".gclid fieldError.REQUIRED"]),
            (set(&nothing, "/userIdentifiers", identifiers.clone()), &[]),
            (with(&[("orderId", json!("o2")), ("userIdentifiers", identifiers.clone())]), &[]),
            (with(&[("orderId", json!("o3")), ("customVariables", variables.clone())]), &[]),
            (set(&braid("gbraid"), "/orderId", json!("o4")), &[]),
            (set(&braid("wbraid"), "/orderId", json!("o5")), &[]),
            (
                set(&braid("gbraid"), "/wbraid", json!("braid")),
                &[".gbraid conversionUploadError.GBRAID_WBRAID_BOTH_SET"],
            ),
            (with(&[("gbraid", json!("braid"))]), &[".gbraid fieldError.VALUE_MUST_BE_UNSET"]),
            (with(&[("wbraid", json!("braid"))]), &[".wbraid fieldError.VALUE_MUST_BE_UNSET"]),
            (
                set(&braid("wbraid"), "/userIdentifiers", identifiers),
                &[".user_identifiers fieldError.VALUE_MUST_BE_UNSET"],
            ),
            (
                set(&braid("gbraid"), "/customVariables", variables),
                &[".custom_variables fieldError.VALUE_MUST_BE_UNSET"],
            ),
            (with(&[("gclid", json!(""))]), &[".gclid conversionUploadError.UNPARSEABLE_GCLID"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn fields() {
    let date = |text: &str| with(&[("conversionDateTime", json!(text))]);
    let form: &[&str] = &[".conversion_date_time dateError.INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET"];
    let variables =
        json!([{"conversionCustomVariable": "customers/1/conversionCustomVariables/2", "value": "a@b"}]);
    check(
        Settings::default(),
        vec![
            (without(&row("o"), "/conversionAction"), &[".conversion_action fieldError.REQUIRED"]),
            (
                with(&[("conversionAction", json!("987654321"))]),
                &[".conversion_action requestError.RESOURCE_NAME_MALFORMED"],
            ),
            (
                with(&[("conversionAction", json!("customers/1-2/conversionActions/3"))]),
                &[".conversion_action requestError.RESOURCE_NAME_MALFORMED"],
            ),
            (without(&row("o"), "/conversionDateTime"), &[".conversion_date_time fieldError.REQUIRED"]),
            (date("2026-01-10T12:00:00Z"), form),
            (date("2026-01-10 12:00:00"), form),
            (date("2026-01-10 12:00:00.000+00:00"), form),
            (
                date("2026-02-30 12:00:00+00:00"),
                &[".conversion_date_time dateError.INVALID_FIELD_VALUES_IN_DATE"],
            ),
            (with(&[("currencyCode", json!("eur"))]), &[".currency_code currencyCodeError.UNSUPPORTED"]),
            (with(&[("orderId", json!(""))]), &[".order_id stringLengthError.EMPTY"]),
            (with(&[("orderId", json!("x".repeat(65)))]), &[".order_id stringLengthError.TOO_LONG"]),
            (with(&[("orderId", json!("x".repeat(64)))]), &[]),
            (
                with(&[("orderId", json!("a@b.c"))]),
                &[".order_id conversionUploadError.ORDER_ID_CONTAINS_PII"],
            ),
            (
                with(&[("customVariables", variables)]),
                &[".custom_variables[0].value conversionUploadError.CUSTOM_VARIABLE_VALUE_CONTAINS_PII"],
            ),
            (
                with(&[("consent", json!({"adUserData": "UNSPECIFIED"}))]),
                &[".consent.ad_user_data enumError.ENUM_VALUE_NOT_PERMITTED"],
            ),
            (
                with(&[("consent", json!({"adPersonalization": "GRANTED"}))]),
                &[".consent.ad_personalization fieldError.VALUE_MUST_BE_UNSET"],
            ),
            (
                with(&[("customerType", json!("UNKNOWN"))]),
                &[".customer_type enumError.ENUM_VALUE_NOT_PERMITTED"],
            ),
            (with(&[("orderId", json!("o2")), ("conversionValue", json!(0))]), &[]),
            (with(&[("orderId", json!("o3")), ("consent", json!({"adUserData": "DENIED"}))]), &[]),
            (
                with(&[("orderId", json!("o4")), ("conversionDateTime", json!("2019-01-10 12:00:00-05:30"))]),
                &[],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn user_identifiers() {
    let identifiers = |list: Value| with(&[("userIdentifiers", list)]);
    let invalid = ".user_identifiers[0].hashed_email conversionUploadError.INVALID_USER_IDENTIFIER";
    check(
        Settings::default(),
        vec![
            (identifiers(json!([{"hashedEmail": "alice@example.com"}])), &[invalid]),
            (identifiers(json!([{"hashedEmail": DIGEST.to_uppercase()}])), &[invalid]),
            (identifiers(json!([{"hashedEmail": EMPTY_DIGEST}])), &[invalid]),
            (
                identifiers(json!([{"hashedEmail": DIGEST}, {"hashedPhoneNumber": "+49301234"}])),
                &[".user_identifiers[1].hashed_phone_number conversionUploadError.INVALID_USER_IDENTIFIER"],
            ),
            (
                identifiers(json!([{"hashedEmail": DIGEST, "hashedPhoneNumber": DIGEST}])),
                &[".user_identifiers[0] conversionUploadError.INVALID_USER_IDENTIFIER"],
            ),
            (
                identifiers(json!([{}])),
                &[".user_identifiers[0] conversionUploadError.INVALID_USER_IDENTIFIER"],
            ),
            (
                identifiers(json!([{"thirdPartyUserId": "x"}])),
                &[".user_identifiers[0] conversionUploadError.UNSUPPORTED_USER_IDENTIFIER"],
            ),
            (
                identifiers(json!(vec![json!({"hashedEmail": DIGEST}); 6])),
                &[".user_identifiers collectionSizeError.TOO_MANY"],
            ),
            (identifiers(json!([{"hashedEmail": DIGEST, "userIdentifierSource": "FIRST_PARTY"}])), &[]),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_needs_an_allowlist() {
    let cases: [(&str, &str, Value); 4] = [
        ("userIpAddress", "user_ip_address", json!("203.0.113.7")),
        ("sessionAttributesEncoded", "session_attributes_encoded", json!("YQ==")),
        ("sessionAttributesKeyValuePairs", "session_attributes_key_value_pairs", json!({})),
        ("conversionEnvironment", "conversion_environment", json!("WEB")),
    ];
    for (field, place, value) in cases {
        let error = format!(".{place} conversionUploadError.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE");
        let row = with(&[(field, value)]);
        check(Settings::default(), vec![(row.clone(), &[error.as_str()])]).await;
        check(Settings { allowlisted: true, ..Settings::default() }, vec![(row, &[])]).await;
    }
}

#[tokio::test]
async fn known_conversion_actions() {
    let conversion_actions = vec!["987654321".to_owned(), "customers/1/conversionActions/5".to_owned()];
    let action =
        |name: &str, order: &str| with(&[("conversionAction", json!(name)), ("orderId", json!(order))]);
    check(
        Settings { conversion_actions, ..Settings::default() },
        vec![
            (action(ACTION, "1"), &[]),
            (action("customers/1234567890/conversionActions/5", "2"), &[]),
            (
                action("customers/1234567890/conversionActions/6", "3"),
                &[".conversion_action conversionUploadError.NO_CONVERSION_ACTION_FOUND"],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn several_errors_and_their_status() {
    let running = Running::start().await;
    let (_, answer) =
        running.google(&[row("1"), with(&[("orderId", json!("")), ("currencyCode", json!("x"))])]).await;
    let status = &answer["partialFailureError"];
    assert_eq!(status["code"], 3);
    let message = status["message"].as_str().unwrap();
    assert!(message.starts_with("Multiple errors in ‘details’. First error: "), "{message}");
    assert!(message.ends_with(", at conversions[1].currency_code"), "{message}");
    let kind = "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure";
    assert_eq!(status["details"][0]["@type"], kind);
    let first = &status["details"][0]["errors"][0];
    assert_eq!(first["trigger"], json!({"stringValue": "x"}));
    let path = json!([{"fieldName": "conversions", "index": 1}, {"fieldName": "currency_code"}]);
    assert_eq!(first["location"]["fieldPathElements"], path);
    assert!(status["details"][0]["requestId"].is_string());
    let report = running.of(Platform::GoogleAds);
    assert_eq!((report.received, report.rejected), (1, 1));
    assert_eq!(report.by_outcome["200/partial"], 1);
}
