//! What is true of a platform whatever its settings: constant data, each field read by dispatcher, docs or tests.

use std::time::Duration;

use crate::confirmation::ConfirmationSchedule;

/// A platform connector in facts.
#[derive(Clone, Copy, Debug)]
pub struct SinkDescriptor {
    /// The kind in settings, such as `tiktok`. A sink of that name takes the variables of [`Self::environment`].
    pub kind: &'static str,
    /// The platform's name in the API, such as `TIKTOK`.
    pub platform: &'static str,
    /// The platform's name for humans and in the spec's sentences.
    pub title: &'static str,
    /// The platform's own documentation.
    pub docs: &'static str,
    /// The API version that is spoken unless settings name another.
    pub api_version: &'static str,
    /// API versions that have ended or whose end is known, oldest first.
    pub sunsets: &'static [Sunset],
    /// How much one request may hold.
    pub batch: BatchLimits,
    /// The oldest event that the platform takes, where it says so.
    pub max_event_age: Option<Duration>,
    /// How the platform recognises what it has already.
    pub dedup: Option<Dedup>,
    /// Whether one bad item refuses the whole request.
    pub atomic: bool,
    /// When the platform is asked what became of what it accepted, where it says so later.
    pub confirmation: Option<ConfirmationSchedule>,
    /// The setting that keeps what is sent out of the platform's production data.
    pub test_mode: &'static str,
    /// Whether the platform has a field for a person's refusal.
    pub takes_consent: bool,
    /// What the platform finds a person or a click by, in its own words, the best first.
    pub match_keys: &'static [&'static str],
    /// Click ids that the platform understands, by the names of `clickIds`.
    pub click_ids: &'static [&'static str],
    /// First-party cookies of the platform's own script on the site, and the click id that each holds.
    pub cookies: &'static [Cookie],
    /// Environment variables and the settings that they give.
    pub environment: &'static [Variable],
    /// A complete example of the sink's settings, in TOML.
    pub example: &'static str,
}

/// When an API version stops answering.
#[derive(Clone, Copy, Debug)]
pub struct Sunset {
    /// The version, such as `v22`.
    pub version: &'static str,
    /// The date, as in RFC 3339.
    pub date: &'static str,
}

/// A cookie that holds a click id.
#[derive(Clone, Copy, Debug)]
pub struct Cookie {
    /// Its name.
    pub name: &'static str,
    /// The click id, by the names of `clickIds`.
    pub click_id: &'static str,
}

/// Bounds of one request.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Items by default.
    pub items: usize,
    /// Items at most, whatever is configured.
    pub max_items: usize,
    /// Bytes of items at most.
    pub max_bytes: usize,
}

/// How a platform recognises a repeated conversion.
#[derive(Clone, Copy, Debug)]
pub struct Dedup {
    /// The fields that make its key, in the platform's words.
    pub key: &'static str,
    /// For how long it remembers; nothing means for ever.
    pub window: Option<Duration>,
}

/// An environment variable that gives a setting of a sink or source.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The setting.
    pub setting: &'static str,
    /// How its text is read.
    pub kind: VariableKind,
}

/// How an environment variable's text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableKind {
    /// As it is.
    Text,
    /// `true`, `1`, `false` or `0`.
    Flag,
    /// `A=B,C=D`, merged over the same map in the file.
    Map,
    /// `A,B`, in place of the file's list.
    List,
}

impl SinkDescriptor {
    /// When this version of the platform's API stops answering, where that is known.
    pub fn sunset(&self, version: &str) -> Option<&'static str> {
        self.sunsets.iter().find(|sunset| sunset.version == version).map(|sunset| sunset.date)
    }

    /// The variable that gives `setting`.
    pub fn variable(&self, setting: &str) -> Option<&'static str> {
        self.environment.iter().find(|variable| variable.setting == setting).map(|variable| variable.name)
    }
}
