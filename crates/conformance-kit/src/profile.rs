//! What the author of a sink tells the kit: his sink's settings, and what the platform answers.

use conversion_core::failure::FailureClass;
use conversion_core::registry::{self, SinkPlugin};

/// A sink and its platform, as far as the rules need to know them.
pub trait Profile {
    /// The kind that the crate's plugin is announced under.
    fn kind(&self) -> &'static str;

    /// The linked connector.
    fn plugin(&self) -> Option<&'static SinkPlugin> {
        registry::find(self.kind())
    }

    /// The crate's folder, `env!("CARGO_MANIFEST_DIR")`: README.md and `tests/snapshots` are looked for there.
    fn folder(&self) -> &str;

    /// Settings in TOML that lack nothing and map `TRIAL_BOOKED`. `{url}` stands for where the platform is played,
    /// `{token_url}` for where tokens are granted. The time limit is a long one, so that a slow machine is not taken for
    /// a silent platform.
    fn settings(&self) -> &str;

    /// The settings without which nothing can be sent, in the order in which a skip names them.
    fn credentials(&self) -> &[&str];

    /// The settings whose values are never shown. [`Self::settings`] gives each a value of its own.
    fn secrets(&self) -> &[&str];

    /// Settings to lay over the usual ones, each of which takes another way through `prepare`.
    fn variations(&self) -> &[&str] {
        &[]
    }

    /// Settings to lay over the usual ones that make the sink give up a silent platform after a second.
    fn impatience(&self) -> &str {
        "timeout_seconds = 1"
    }

    /// Where the conversion id stands in an item: a JSON pointer.
    fn conversion_id(&self) -> &str;

    /// What the sink puts before every conversion id, where the platform does not take ids as they are.
    fn conversion_id_prefix(&self) -> &str {
        ""
    }

    /// How the descriptor's test mode shows.
    fn test_mode(&self) -> TestMode;

    /// The events of [`crate::fixture::ALL`] that are skipped, by name, and the reason of each.
    fn skipped(&self) -> &[(&str, &str)];

    /// The answer that takes so many items.
    fn taken(&self, items: usize) -> Reply;

    /// The answer to so many items that refuses the one at `position` for good: that one alone, or with it the whole
    /// request of an atomic platform.
    fn refusing(&self, items: usize, position: usize) -> Reply;

    /// The platform's answer to refused credentials.
    fn unauthorized(&self) -> Reply;

    /// Answers to a request of one item, recorded or documented, and what each means.
    fn codes(&self) -> Vec<Recorded>;

    /// The answer that grants this access token; nothing where the platform has no such tokens.
    fn grant(&self, _token: &str) -> Option<Reply> {
        None
    }
}

/// An answer of a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers beside those that HTTP needs.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: String,
}

impl Reply {
    /// An answer of this status with this body.
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// An answer of this status with this JSON.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, body.to_string())
    }

    /// The same, with a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An answer to one item with a code of the platform's, and what it means.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The code, as the sink gives it with a failure.
    pub code: String,
    /// The answer.
    pub reply: Reply,
    /// What became of the item.
    pub told: Told,
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The platform has it.
    Delivered,
    /// It has it not, or it is not known whether it has.
    Failed(FailureClass),
    /// It was refused for the sake of others in its request.
    RefusedWithOthers,
}

/// How a sink's test mode shows.
#[derive(Clone, Debug)]
pub enum TestMode {
    /// In the request's body.
    InBody {
        /// The setting's value, in TOML.
        value: &'static str,
        /// Where it shows: a JSON pointer.
        at: &'static str,
        /// What stands there.
        shows: serde_json::Value,
    },
    /// In the request's address.
    InUrl {
        /// The setting's value, in TOML.
        value: &'static str,
        /// The part of the address.
        shows: &'static str,
    },
    /// The platform has none, and the setting is refused.
    Refused {
        /// The setting's value, in TOML.
        value: &'static str,
    },
}
