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
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ingest, Self::Read, Self::Admin];

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
    /// Whether it is short enough to be guessed. Of a key that is known by its digest alone nobody can tell.
    #[serde(skip)]
    pub is_short: bool,
}

/// A key with fewer characters can be guessed: with them it has at least 100 bits if it is random.
const SHORT: usize = 20;

/// All keys.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<ApiKey>);

impl Keys {
    /// Whether there is none: then everyone who reaches the address may do everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a human should know about them.
    pub fn advice(&self) -> Option<String> {
        let short = self.0.iter().find(|key| key.is_short)?;
        Some(format!(
            "the API key {} has fewer than {SHORT} characters and can be guessed: `signalbox keys new` makes a better one",
            short.name
        ))
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
        let is_short = key.chars().count() < SHORT;
        keys.push(ApiKey {
            name: "SIGNALBOX_API_KEY".to_owned(),
            sha256,
            scopes: vec![Scope::Admin],
            is_short,
        });
    }
    Ok(Keys(keys))
}

fn digest<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let mut digest = [0; 32];
    hex::decode_to_slice(String::deserialize(deserializer)?.trim(), &mut digest).map_err(|_| {
        serde::de::Error::custom(
            "must be 64 hex digits, as `signalbox keys new` prints them: printf %s KEY | sha256sum",
        )
    })?;
    Ok(digest)
}
