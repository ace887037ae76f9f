//! Acuity's own SDK (npm `acuityscheduling`): it signs what we accept, and accepts what our reading of its signature says.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use conversion_core::source::BookingSource as _;
use serde_json::{Value, json};

use crate::support::{KEY, sign, source};

/// Reads `[{key, body, signature}]` and answers `[{signature, accepted}]`. The SDK has a routine that verifies and none
/// that signs: what it computes on the way is caught where it asks Node for the digest.
const SCRIPT: &str = r#"
const crypto = require('crypto');
const createHmac = crypto.createHmac;
let computed;
crypto.createHmac = (...given) => {
  const hmac = createHmac(...given);
  const digest = hmac.digest.bind(hmac);
  hmac.digest = (encoding) => (computed = digest(encoding));
  return hmac;
};
const acuity = require('acuityscheduling');
const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(cases.map(({ key, body, signature }) => {
  const request = { headers: { 'x-acuity-signature': signature } };
  try {
    acuity.bodyParserVerify(key)(request, null, Buffer.from(body), 'utf8');
    return { signature: computed, accepted: true };
  } catch (error) {
    return { signature: computed, accepted: false };
  }
})));
"#;

/// What the SDK says to each case.
fn ask(cases: &Value) -> Vec<Value> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers");
    assert!(peers.join("node_modules/acuityscheduling").exists(), "run `cargo xtask peers`");
    let mut node = Command::new("node")
        .args(["--input-type=commonjs", "-e", SCRIPT])
        .current_dir(peers)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(cases.to_string().as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_sdk_and_we_agree_on_signatures() {
    let bodies = [
        "action=scheduled&id=12345&calendarID=77&appointmentTypeID=88",
        "action=appointment.changed&id=1&calendarID=2&appointmentTypeID=3",
        "action=canceled&id=9007199254740993&calendarID=&appointmentTypeID=&new=%E2%9C%93+x",
        "action=order.completed&id=4",
        "id=1&action=✓",
        "",
    ];
    let keys = [KEY, "0123456789abcdef0123456789abcdef", "k", &"long".repeat(50)];
    let all = || keys.iter().flat_map(|key| bodies.iter().map(move |body| (*key, *body)));
    let case = |(key, body): (&str, &str)| json!({"key": key, "body": body, "signature": sign(key, body.as_bytes())});
    let answers = ask(&all().map(case).collect());
    assert_eq!(answers.len(), keys.len() * bodies.len());
    for ((key, body), answer) in all().zip(answers) {
        assert_eq!(answer["accepted"], json!(true), "{key} {body}");
        let signature = answer["signature"].as_str().unwrap();
        let ours = source(&format!("webhook_keys = ['{key}']"));
        assert!(ours.receive(Some(signature.as_bytes()), body.as_bytes()).is_ok(), "{key} {body}");
    }
}

#[test]
fn the_sdk_and_we_refuse_the_same() {
    let body = "action=scheduled&id=12345&calendarID=77&appointmentTypeID=88";
    let signature = sign(KEY, body.as_bytes());
    let forged = [
        (body.replace("12345", "12346"), signature.clone()),
        (body.to_owned(), sign("other-key", body.as_bytes())),
        (body.to_owned(), signature.trim_end_matches('=').to_owned()),
        (body.to_owned(), signature.to_lowercase()),
        (body.to_owned(), String::new()),
    ];
    let case =
        |(body, signature): &(String, String)| json!({"key": KEY, "body": body, "signature": signature});
    for ((body, signature), answer) in forged.iter().zip(ask(&forged.iter().map(case).collect())) {
        assert_eq!(answer["accepted"], json!(false), "{body} {signature}");
        assert!(
            source("").receive(Some(signature.as_bytes()), body.as_bytes()).is_err(),
            "{body} {signature}"
        );
    }
}
