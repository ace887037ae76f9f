//! Whether a call is QStash's: its signature, checked. Pure.
//!
//! The signature is a JSON Web Token in its compact form. No library reads it: one algorithm is believed, and what is
//! asked of the claims (the hash of the body above all) none asks by itself. Nothing of a token is read before its code
//! of authentication has been found right.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use conversion_core::Timestamp;
use conversion_core::secret::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::clock::after;

/// A token of QStash's has about 500 bytes.
const LONGEST_TOKEN: usize = 4096;

/// What signatures are checked against.
#[derive(Clone, Debug)]
pub struct Verifier {
    /// The key in use, and the one that follows it.
    pub keys: [Secret; 2],
    /// How far QStash's clock and ours may differ.
    pub tolerance: Duration,
}

/// What is wrong with a signature: for the log. Whoever calls is told none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Not a token, or one of another algorithm.
    #[error("it is not a JSON Web Token signed with HS256")]
    Form,
    /// Signed with another key.
    #[error("it was made with neither signing key")]
    Key,
    /// Claims are missing or of another type.
    #[error("its claims cannot be read")]
    Claims,
    /// Not from QStash.
    #[error("it is not issued by Upstash")]
    Issuer,
    /// For another address.
    #[error("it is for another address; is [server] public_url the one that QStash calls?")]
    Subject,
    /// Too old.
    #[error("it has expired")]
    Expired,
    /// Too early.
    #[error("it is not valid yet; is the clock right?")]
    NotYet,
    /// Of another body.
    #[error("it is for another body")]
    Body,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that must be understood: none is.
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    exp: i64,
    nbf: i64,
    body: String,
}

/// A call that QStash signed, whose body is yet to be seen.
#[derive(Debug)]
pub struct Signed {
    /// In base64, perhaps padded.
    body_hash: String,
}

impl Signed {
    /// Whether QStash signed it with this body.
    pub fn verify(&self, body: &[u8]) -> Result<(), Flaw> {
        let is_signed = self.body_hash.trim_end_matches('=') == URL_SAFE_NO_PAD.encode(Sha256::digest(body));
        if is_signed { Ok(()) } else { Err(Flaw::Body) }
    }
}

impl Verifier {
    /// Whether QStash signed `token` for a call of `url` at this time: all that can be known before the body is read.
    pub fn verify(&self, token: &str, url: &str, now: Timestamp) -> Result<Signed, Flaw> {
        let claims = self.authentic(token)?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| Flaw::Claims)?;
        let time = |seconds| Timestamp::from_second(seconds).map_err(|_| Flaw::Claims);
        if claims.iss != "Upstash" {
            return Err(Flaw::Issuer);
        }
        if claims.sub != url {
            return Err(Flaw::Subject);
        }
        if after(time(claims.exp)?, self.tolerance) <= now {
            return Err(Flaw::Expired);
        }
        if after(now, self.tolerance) < time(claims.nbf)? {
            return Err(Flaw::NotYet);
        }
        Ok(Signed { body_hash: claims.body })
    }

    /// The claims of a token that one of the keys has signed.
    fn authentic(&self, token: &str) -> Result<Vec<u8>, Flaw> {
        if token.len() > LONGEST_TOKEN {
            return Err(Flaw::Form);
        }
        let (signed, code) = token.rsplit_once('.').ok_or(Flaw::Form)?;
        let (header, claims) = signed.split_once('.').ok_or(Flaw::Form)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Flaw::Form);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Flaw::Form)?;
        if header.alg != "HS256" || header.crit.is_some() {
            return Err(Flaw::Form);
        }
        let code = decode(code)?;
        if !self.keys.iter().any(|key| is_code_of(&code, signed, key)) {
            return Err(Flaw::Key);
        }
        decode(claims)
    }
}

/// Compares in a time that does not depend on where the codes differ.
fn is_code_of(code: &[u8], signed: &str, key: &Secret) -> bool {
    Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
        .is_ok_and(|hmac| hmac.chain_update(signed).verify_slice(code).is_ok())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const URL: &str = "https://signalbox.example/api/qstash/deliver";
    const BODY: &str = r#"{"a":1}"#;
    /// Of the body above, as the official client computes it.
    const BODY_HASH: &str = "AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX-GI";
    const NOW: i64 = 1_795_435_200;

    fn sign(header: &Value, claims: &Value, key: &str) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let hmac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap().chain_update(&signed);
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac.finalize().into_bytes()))
    }

    fn claims() -> Value {
        json!({
            "iss": "Upstash", "sub": URL, "exp": NOW + 300, "nbf": NOW, "iat": NOW,
            "jti": "jwt_1", "body": BODY_HASH,
        })
    }

    fn with(name: &str, value: impl Into<Value>) -> Value {
        let mut claims = claims();
        claims[name] = value.into();
        claims
    }

    fn hs256() -> Value {
        json!({ "alg": "HS256", "typ": "JWT" })
    }

    fn verify(token: &str, body: &str, tolerance: u64) -> Result<(), Flaw> {
        let keys = [Secret::new("current"), Secret::new("next")];
        let verifier = Verifier { keys, tolerance: Duration::from_secs(tolerance) };
        verifier.verify(token, URL, Timestamp::from_second(NOW).unwrap())?.verify(body.as_bytes())
    }

    #[test]
    fn only_what_qstash_signs_for_this_call_is_believed() {
        let without = |name: &str| {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            claims
        };
        for (case, claims, key, body, expected) in [
            ("current key", claims(), "current", BODY, Ok(())),
            ("next key", claims(), "next", BODY, Ok(())),
            ("padded body claim", with("body", format!("{BODY_HASH}=")), "current", BODY, Ok(())),
            ("another key", claims(), "another", BODY, Err(Flaw::Key)),
            ("no key", claims(), "", BODY, Err(Flaw::Key)),
            ("expired", with("exp", NOW - 1), "current", BODY, Err(Flaw::Expired)),
            ("expires now", with("exp", NOW), "current", BODY, Err(Flaw::Expired)),
            ("not yet valid", with("nbf", NOW + 1), "current", BODY, Err(Flaw::NotYet)),
            ("another issuer", with("iss", "upstash"), "current", BODY, Err(Flaw::Issuer)),
            ("another body", claims(), "current", r#"{"a":2}"#, Err(Flaw::Body)),
            (
                "another path",
                with("sub", URL.replace("deliver", "failed")),
                "current",
                BODY,
                Err(Flaw::Subject),
            ),
            ("a slash more", with("sub", format!("{URL}/")), "current", BODY, Err(Flaw::Subject)),
            (
                "another scheme",
                with("sub", URL.replace("https", "http")),
                "current",
                BODY,
                Err(Flaw::Subject),
            ),
            ("no expiry", without("exp"), "current", BODY, Err(Flaw::Claims)),
            ("no beginning", without("nbf"), "current", BODY, Err(Flaw::Claims)),
            ("no address", without("sub"), "current", BODY, Err(Flaw::Claims)),
            ("no body hash", without("body"), "current", BODY, Err(Flaw::Claims)),
            ("expiry as text", with("exp", "2099"), "current", BODY, Err(Flaw::Claims)),
            ("expiry beyond time", with("exp", i64::MAX), "current", BODY, Err(Flaw::Claims)),
        ] {
            assert_eq!(verify(&sign(&hs256(), &claims, key), body, 0), expected, "{case}");
        }
    }

    #[test]
    fn clocks_may_differ_by_the_tolerance() {
        for (claims, expected) in [
            (with("exp", NOW - 29), Ok(())),
            (with("exp", NOW - 30), Err(Flaw::Expired)),
            (with("nbf", NOW + 30), Ok(())),
            (with("nbf", NOW + 31), Err(Flaw::NotYet)),
        ] {
            assert_eq!(verify(&sign(&hs256(), &claims, "current"), BODY, 30), expected, "{claims}");
        }
    }

    #[test]
    fn what_is_no_token_of_that_algorithm_is_refused() {
        let good = sign(&hs256(), &claims(), "current");
        let (signed, _) = good.rsplit_once('.').unwrap();
        for token in [
            sign(&json!({ "alg": "none" }), &claims(), "current"),
            sign(&json!({ "alg": "HS512" }), &claims(), "current"),
            sign(&json!({ "alg": "hs256" }), &claims(), "current"),
            sign(&json!({ "typ": "JWT" }), &claims(), "current"),
            sign(&json!({ "alg": "HS256", "crit": ["b64"] }), &claims(), "current"),
            format!("{good}=="),
            format!("x{good}"),
            signed.to_owned(),
            "..".to_owned(),
            String::new(),
            format!("{good}{}", "A".repeat(LONGEST_TOKEN)),
        ] {
            assert_eq!(verify(&token, BODY, 0), Err(Flaw::Form), "{token}");
        }
        for token in [format!("{signed}."), format!("{good}."), good.replace(signed, &format!("{signed}A"))] {
            assert_eq!(verify(&token, BODY, 0), Err(Flaw::Key), "{token}");
        }
    }
}
