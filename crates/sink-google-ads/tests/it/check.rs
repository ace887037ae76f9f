//! The check: a token, and an upload that Google never counts.

use conversion_core::failure::FailureClass::{Rejected, Unauthorized, Unavailable};
use conversion_core::failure::HoldScope;
use conversion_core::sink::ConversionSink as _;
use serde_json::json;

use crate::support::{Server, build, reply, sink_at};

#[tokio::test]
async fn sends_one_made_up_conversion_that_is_never_counted() {
    let server = Server::google(|_| reply(200, "{}"));
    let summary = sink_at(&server, "").check().await.unwrap().summary;
    // The first mapped action, by name.
    assert_eq!(summary, "account 1234567890 takes uploads; conversion action 55: found");
    let uploads = server.uploads();
    let body: serde_json::Value = serde_json::from_str(&uploads[0].body).unwrap();
    assert_eq!(body["validateOnly"], true);
    assert_eq!(body["conversions"].as_array().unwrap().len(), 1);
    assert_eq!(body["conversions"][0]["conversionAction"], "customers/1234567890/conversionActions/55");
    assert_eq!(uploads[0].path, "/v26/customers/1234567890:uploadClickConversions");
}

#[tokio::test]
async fn tells_a_refused_trial_from_a_refused_account() {
    for (family, code, passes) in [
        ("conversionUploadError", "UNPARSEABLE_GCLID", true),
        ("conversionUploadError", "TOO_RECENT_CONVERSION_ACTION", true),
        ("conversionUploadError", "NO_CONVERSION_ACTION_FOUND", false),
        ("conversionUploadError", "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE", false),
        ("internalError", "INTERNAL_ERROR", false),
    ] {
        let path = json!([{"fieldName": "conversions", "index": 0}]);
        let error =
            json!({"errorCode": {family: code}, "message": "m", "location": {"fieldPathElements": path}});
        let details = json!([{"@type": "x.errors.GoogleAdsFailure", "errors": [error]}]);
        let body = json!({"partialFailureError": {"code": 3, "details": details}});
        let server = Server::google(move |_| reply(200, body.to_string()));
        let checked = sink_at(&server, "").check().await;
        assert_eq!(checked.is_ok(), passes, "{code}: {checked:?}");
        assert!(format!("{checked:?}").contains(code), "{checked:?}");
    }
}

#[tokio::test]
async fn failures_keep_their_class() {
    let unauthorized = Unauthorized { scope: HoldScope::Sink };
    for (status, class) in [(403, unauthorized), (503, Unavailable { retry_after: None }), (400, Rejected)] {
        let server = Server::google(move |_| reply(status, ""));
        assert_eq!(sink_at(&server, "").check().await.unwrap_err().class, class, "{status}");
    }
    let failure = build(toml::Table::new()).unwrap().check().await.unwrap_err();
    assert_eq!(failure.class, unauthorized);
    assert!(failure.message.starts_with("Missing env: GOOGLE_ADS_CLIENT_ID, "), "{}", failure.message);
}

#[tokio::test]
async fn without_a_mapping_only_the_token_is_tried() {
    let server = Server::google(|_| reply(500, ""));
    let summary = sink_at(&server, "events = {}").check().await.unwrap().summary;
    assert!(summary.starts_with("Google issued an access token"), "{summary}");
    assert_eq!((server.token_requests().len(), server.uploads().len()), (1, 0));
}
