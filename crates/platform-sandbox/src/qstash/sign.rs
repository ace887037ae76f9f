//! `Upstash-Signature`: a JWT in its compact form, by HMAC with SHA-256.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// A token lives five minutes.
const LIFE_S: u64 = 300;

#[derive(Serialize)]
struct Header {
    alg: &'static str,
    typ: &'static str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'static str,
    sub: &'a str,
    exp: u64,
    nbf: u64,
    iat: u64,
    jti: &'a str,
    body: String,
}

/// What a token vouches for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter<'a> {
    /// The destination as it was published.
    pub(super) to: &'a str,
    pub(super) body: &'a [u8],
    /// The token's own id.
    pub(super) jti: &'a str,
    /// Whether the digest keeps its `=`.
    pub(super) padded: bool,
}

/// Signs with the key's bytes as they are.
pub(super) fn token(key: &str, letter: Letter<'_>, now_s: u64) -> String {
    let digest = Sha256::digest(letter.body);
    let body = if letter.padded { URL_SAFE.encode(digest) } else { URL_SAFE_NO_PAD.encode(digest) };
    let claims = Claims {
        iss: "Upstash",
        sub: letter.to,
        exp: now_s.saturating_add(LIFE_S),
        nbf: now_s,
        iat: now_s,
        jti: letter.jti,
        body,
    };
    let signed = format!("{}.{}", part(&Header { alg: "HS256", typ: "JWT" }), part(&claims));
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map(|mac| mac.chain_update(&signed));
    // HMAC takes a key of any length, so there always is one.
    let mac = mac.map(|mac| URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())).unwrap_or_default();
    format!("{signed}.{mac}")
}

/// Neither part can fail to serialise: texts and numbers only.
fn part(value: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap_or_default())
}
