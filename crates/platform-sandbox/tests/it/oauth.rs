//! Google's token endpoint, and the life of an access token.

use platform_sandbox::{Platform, Settings};
use serde_json::{Value, json};

use crate::harness::{GOOGLE, Running, read, row};

#[tokio::test]
async fn a_token_as_documented() {
    let running = Running::start().await;
    let (status, answer) = running.grant("refresh").await;
    assert_eq!(status, 200);
    assert_eq!(answer["expires_in"], 3599);
    assert_eq!(answer["token_type"], "Bearer");
    let scopes = "https://www.googleapis.com/auth/adwords https://www.googleapis.com/auth/datamanager";
    assert_eq!(answer["scope"], scopes);
    assert_eq!(answer.get("refresh_token"), None);
    assert_ne!(answer["access_token"], running.grant("refresh").await.1["access_token"]);
    let other = running.post("/oauth2/v4/token").header("Content-Type", "application/x-www-form-urlencoded");
    let form = "grant_type=refresh_token&client_id=id&client_secret=s&refresh_token=r";
    assert_eq!(read(other.body(form)).await.0, 200);
    assert_eq!(running.report().token_requests, 3);
}

#[tokio::test]
async fn refusals() {
    let settings = Settings { refresh_tokens: vec!["1//right".to_owned()], ..Settings::default() };
    let running = Running::with(Platform::GoogleAds, settings).await;
    let cases = [
        ("grant_type=refresh_token&client_id=i&client_secret=s&refresh_token=1%2F%2Fright", 200, Value::Null),
        (
            "grant_type=refresh_token&client_id=i&client_secret=s&refresh_token=wrong",
            400,
            json!("invalid_grant"),
        ),
        ("grant_type=refresh_token&client_id=i&client_secret=s", 400, json!("invalid_request")),
        ("grant_type=refresh_token&client_secret=s&refresh_token=r", 401, json!("invalid_client")),
        ("grant_type=refresh_token&client_id=i&client_secret=&refresh_token=r", 401, json!("invalid_client")),
        (
            "grant_type=password&client_id=i&client_secret=s&refresh_token=r",
            400,
            json!("unsupported_grant_type"),
        ),
    ];
    for (form, status, error) in cases {
        let (got, answer) = read(running.form(form.to_owned())).await;
        assert_eq!((got, &answer["error"]), (status, &error), "{form}");
        assert_eq!(answer["error_description"].is_string(), status != 200, "{form}");
    }
    let json_body = running.post("/token").header("Content-Type", "application/json").body("{}");
    assert_eq!(read(json_body).await.1["error"], "invalid_request");
}

#[tokio::test]
async fn only_live_tokens_are_taken() {
    let settings = Settings { expires_in_s: 60, ..Settings::default() };
    let running = Running::with(Platform::GoogleAds, settings.clone()).await;
    let body = json!({"conversions": [row("1")], "partialFailure": true});
    let token = running.token().await;
    let code = async |token: &str| {
        let (status, answer) = read(running.google_request(GOOGLE, token, &body)).await;
        let error = &answer["error"]["details"][0]["errors"][0]["errorCode"]["authenticationError"];
        (status, error.as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(code(&token).await, (200, String::new()));
    assert_eq!(code("made-up").await, (401, "OAUTH_TOKEN_INVALID".to_owned()));

    running.sandbox.configure(Platform::GoogleAds, Settings { clock_offset_s: 61, ..settings.clone() });
    assert_eq!(code(&token).await, (401, "OAUTH_TOKEN_EXPIRED".to_owned()));
    let token = running.token().await;
    assert_eq!(code(&token).await, (200, String::new()));

    running.sandbox.configure(Platform::GoogleAds, Settings { revoke: true, clock_offset_s: 61, ..settings });
    assert_eq!(code(&token).await, (401, "OAUTH_TOKEN_INVALID".to_owned()));
    let token = running.token().await;
    assert_eq!(code(&token).await, (200, String::new()));
}

#[tokio::test]
async fn without_a_token() {
    let running = Running::start().await;
    let request = running.post(GOOGLE).header("Content-Type", "application/json").body("{}");
    let (status, answer) = read(request).await;
    assert_eq!((status, &answer["error"]["status"]), (401, &json!("UNAUTHENTICATED")));
}
