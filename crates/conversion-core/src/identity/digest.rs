//! SHA-256 as lower-case hex.

use std::fmt;

use serde::{Serialize, Serializer};
use sha2::Digest as _;

const LENGTH: usize = 64;

/// A SHA-256 digest as the 64 lower-case hex digits that platforms take.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; LENGTH]);

impl Digest {
    /// The digest of `text` in UTF-8.
    pub fn of(text: &str) -> Self {
        let mut digits = [0; LENGTH];
        let digest: [u8; 32] = sha2::Sha256::digest(text.as_bytes()).into();
        for (pair, byte) in digits.chunks_exact_mut(2).zip(digest) {
            pair.copy_from_slice(&HEX_PAIRS[usize::from(byte)]);
        }
        Self(digits)
    }

    /// `text` itself, lower-cased, if it already is a digest: 64 hex digits. That the caller hashed the right thing is
    /// the caller's responsibility.
    pub fn already(text: &str) -> Option<Self> {
        let digits: [u8; LENGTH] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_hexdigit).then(|| Self(digits.map(|digit| digit.to_ascii_lowercase())))
    }

    /// The 64 hex digits.
    pub fn as_str(&self) -> &str {
        // Hex digits are ASCII: the text is always there.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Both digits of each byte: `hex::encode` allocates and costs more than the digest itself.
static HEX_PAIRS: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_hex_crate() {
        for text in ["", "a", "user@example.com", "\u{1f980}"] {
            let digits = hex::encode(sha2::Sha256::digest(text));
            assert_eq!(Digest::of(text).as_str(), digits);
            assert_eq!(format!("{0} {0:?}", Digest::of(text)), format!("{digits} {digits}"));
        }
    }

    #[test]
    fn a_digest_is_passed_through_in_lower_case() {
        let digest = Digest::of("x").to_string();
        assert_eq!(Digest::already(&digest.to_uppercase()), Some(Digest::of("x")));
        assert_eq!(Digest::already(&format!("{digest}0")), None);
        assert_eq!(Digest::already(&digest.replace('a', "g")), None);
    }
}
