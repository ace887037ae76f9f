//! API keys and what each may do.

use conversion_core::settings::SettingsError;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use super::{ConfigError, Environment};

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Report events.
    Ingest,
    /// Read deliveries, events, sinks and the audit.
    Read,
    /// Retry, resume, and read whole exchanges. Includes the others.
    Admin,
}

impl Scope {
    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

/// One key, known by its digest alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// For humans and logs.
    pub name: String,
    /// SHA-256 of the key, as 64 hex digits.
    #[serde(deserialize_with = "digest")]
    sha256: [u8; 32],
    /// What it allows.
    pub scopes: Vec<Scope>,
}

/// All keys.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<ApiKey>);

impl Keys {
    /// Whether there is none: then everyone who reaches the address may do everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that was presented. Takes the same time whichever it is.
    pub fn find(&self, presented: &str) -> Option<&ApiKey> {
        let digest: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        self.0.iter().fold(None, |found, key| {
            let same: Choice = key.sha256.ct_eq(&digest);
            if same.into() { Some(key) } else { found }
        })
    }
}

impl ApiKey {
    /// Whether the key allows it.
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }
}

/// `[[keys]]` and the one from the environment, which may do everything.
pub(super) fn read(section: Option<toml::Value>, environment: &Environment) -> Result<Keys, ConfigError> {
    let refuse = |index: usize, message: String| {
        ConfigError::setting(format!("keys[{index}]"), SettingsError::new(message))
    };
    let entries = match section {
        None => Vec::new(),
        Some(toml::Value::Array(entries)) => entries,
        Some(_) => return Err(refuse(0, "must be a list: write [[keys]]".to_owned())),
    };
    let mut keys = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let toml::Value::Table(table) = entry else {
            return Err(refuse(index, "must be a table: write [[keys]]".to_owned()));
        };
        let key: ApiKey = super::read(table, &format!("keys[{index}]"))?;
        if key.scopes.is_empty() {
            return Err(refuse(index, "scopes is empty; name some of ingest, read, admin".to_owned()));
        }
        keys.push(key);
    }
    if let Some(key) = environment.get("SIGNALBOX_API_KEY") {
        let sha256 = Sha256::digest(key.as_bytes()).into();
        keys.push(ApiKey { name: "SIGNALBOX_API_KEY".to_owned(), sha256, scopes: vec![Scope::Admin] });
    }
    Ok(Keys(keys))
}

fn digest<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let mut digest = [0; 32];
    hex::decode_to_slice(String::deserialize(deserializer)?.trim(), &mut digest)
        .map_err(|_| serde::de::Error::custom("must be 64 hex digits: printf %s KEY | sha256sum"))?;
    Ok(digest)
}
