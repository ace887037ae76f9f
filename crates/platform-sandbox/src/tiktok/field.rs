//! A field that may be absent, but not null.

use serde::{Deserialize, Deserializer};

/// A value that is there or not. Unlike an option it does not take `null` for absent: TikTok checks JSON types.
#[derive(Debug)]
pub(super) struct Field<T>(Option<T>);

impl<T> Field<T> {
    pub(super) fn as_ref(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl Field<String> {
    /// The text, empty if absent.
    pub(super) fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

impl<T> Default for Field<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}
