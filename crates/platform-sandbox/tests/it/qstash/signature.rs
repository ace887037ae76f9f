//! The signature, read with a decoder of the test's own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use platform_sandbox::{QstashSettings, SigningKeys};
use serde_json::{Value, json};
use sha2::Sha256;

use super::receiver::{Delivery, Receiver};
use super::{TOKEN, fast, get, publish, published, start};
use crate::harness::read;

/// SHA-256 of `{"a":1}` in Base64 for URLs.
const VECTOR: &str = "AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX-GI";

/// The claims of a delivery that is signed with this key.
fn claims(delivery: &Delivery, key: &str) -> Option<Value> {
    let parts: Vec<&str> = delivery.header("upstash-signature").split('.').collect();
    let [head, claims, signature] = parts.as_slice() else { panic!("{parts:?}") };
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let json = |text: &str| serde_json::from_slice::<Value>(&part(text)).unwrap();
    assert_eq!(json(head), json!({"alg": "HS256", "typ": "JWT"}));
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    let mac = mac.chain_update(head).chain_update(".").chain_update(claims);
    mac.verify_slice(&part(signature)).is_ok().then(|| json(claims))
}

#[tokio::test]
async fn the_documented_claims() {
    let (running, receiver) = (start(fast()).await, Receiver::always(500).await);
    let url = receiver.url("/deliver?b=2&a=1");
    let request = publish(&running, &url).header("Upstash-Retries", "1").header("Upstash-Delay", "15m");
    let id = published(request.body(r#"{"a":1}"#)).await;
    let (_, message) = read(get(&running, &format!("/v2/messages/{id}"))).await;
    let created_s = message["createdAt"].as_u64().unwrap() / 1000;
    let mut ids = Vec::new();
    for delivery in receiver.wait_for(2).await {
        let claims = claims(&delivery, "sig_current_sandbox").unwrap();
        let at_s = claims["iat"].as_u64().unwrap();
        // The time is the real one, whatever the scale of waits.
        assert!((created_s..created_s + 20).contains(&at_s), "{at_s} {created_s}");
        let expected = json!({
            "iss": "Upstash", "sub": url, "exp": at_s + 300, "nbf": at_s, "iat": at_s,
            "jti": claims["jti"], "body": VECTOR,
        });
        assert_eq!(claims, expected);
        ids.push(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn keys_rotate() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    let first = running.sandbox.qstash().keys();
    let default = SigningKeys { current: "sig_current_sandbox".into(), next: "sig_next_sandbox".into() };
    assert_eq!(first, default);
    let (status, keys) = read(get(&running, "/v2/keys")).await;
    assert_eq!((status, keys), (200, json!({"current": first.current, "next": first.next})));

    let (status, keys) = read(running.post("/v2/keys/rotate").bearer_auth(TOKEN)).await;
    assert_eq!((status, &keys["current"]), (200, &json!("sig_next_sandbox")));
    assert_eq!(keys, serde_json::to_value(running.sandbox.qstash().keys()).unwrap());
    assert!(keys["next"] != keys["current"] && keys["next"].as_str().unwrap().starts_with("sig_"));

    published(publish(&running, &receiver.url("/"))).await;
    let delivery = &receiver.wait_for(1).await[0];
    assert!(claims(delivery, "sig_current_sandbox").is_none());
    assert!(claims(delivery, "sig_next_sandbox").is_some());

    // A message that is on its way is signed with the key of the attempt.
    let given = QstashSettings { current_signing_key: Some("sig_mine".to_owned()), ..fast() };
    running.sandbox.qstash().configure(given);
    published(publish(&running, &receiver.url("/"))).await;
    assert!(claims(&receiver.wait_for(2).await[1], "sig_mine").is_some());
    assert_eq!(json!(running.sandbox.qstash().keys().next), keys["next"]);
    // Settings that name no key leave the keys alone.
    running.sandbox.qstash().configure(fast());
    assert_eq!(running.sandbox.qstash().keys().current, "sig_mine");
}

#[tokio::test]
async fn the_digest_may_be_padded_and_the_clock_moved() {
    let settings = QstashSettings { padded_digest: true, clock_offset_s: -1000, ..fast() };
    let (running, receiver) = (start(settings).await, Receiver::good().await);
    published(publish(&running, &receiver.url("/")).body(r#"{"a":1}"#)).await;
    receiver.wait_for(1).await;
    running.sandbox.qstash().configure(fast());
    published(publish(&running, &receiver.url("/")).body(r#"{"a":1}"#)).await;
    let deliveries = receiver.wait_for(2).await;
    let all: Vec<Value> =
        deliveries.iter().map(|delivery| claims(delivery, "sig_current_sandbox").unwrap()).collect();
    assert_eq!(all[0]["body"], format!("{VECTOR}="));
    assert_eq!(all[1]["body"], VECTOR);
    let behind = all[1]["iat"].as_u64().unwrap() - all[0]["exp"].as_u64().unwrap();
    assert!((700..720).contains(&behind), "{behind}");
}
