//! Values that must never be printed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// What stands where a secret stood, in Debug output and in recorded exchanges.
pub const REDACTED: &str = "[redacted]";

/// A credential: redacted in Debug, not serialisable, wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps `value`.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether nothing was given: an empty setting is an unset one.
    pub fn is_empty(&self) -> bool {
        self.expose().trim().is_empty()
    }

    /// Compares with `candidate` in a time that depends on neither value nor length.
    pub fn matches(&self, candidate: &str) -> bool {
        let digest = |text: &str| Sha256::digest(text.as_bytes());
        digest(self.expose()).ct_eq(&digest(candidate)).into()
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The complaint about a number would repeat it.
        SecretString::deserialize(deserializer)
            .map(Self)
            .map_err(|_| Error::custom("must be text, in quotes"))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_never_printed() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "[redacted] Some([redacted])");
    }

    #[test]
    fn is_not_repeated_where_it_was_given_as_a_number() {
        for json in ["72941", "[72941]", r#"{"a":72941}"#, "72941.5"] {
            let error = serde_json::from_str::<Secret>(json).unwrap_err().to_string();
            assert!(error.starts_with("must be text, in quotes") && !error.contains("72941"), "{error}");
        }
    }

    #[test]
    fn matches_only_itself() {
        let secret = Secret::new("hunter2");
        assert!(secret.matches("hunter2"));
        for other in ["", "hunter", "hunter22", "Hunter2"] {
            assert!(!secret.matches(other), "{other}");
        }
    }

    #[test]
    fn a_blank_one_is_none() {
        for (value, is_empty) in [("", true), (" \n", true), ("hunter2", false), (" x ", false)] {
            assert_eq!(Secret::new(value).is_empty(), is_empty, "{value:?}");
        }
    }
}
