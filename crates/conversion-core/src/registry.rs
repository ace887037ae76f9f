//! The connectors that are linked into the program: platforms and booking systems.

use std::sync::Arc;

use crate::descriptor::SinkDescriptor;
use crate::event::Vocabulary;
use crate::identity::CallingCode;
use crate::reason;
use crate::settings::SettingsError;
use crate::sink::ConversionSink;
use crate::source::{BookingSource, SourceDescriptor};

/// How a sink crate announces itself: one `inventory::submit!` of this.
#[derive(Debug)]
pub struct SinkPlugin {
    /// What it connects to.
    pub descriptor: &'static SinkDescriptor,
    /// Makes a sink of its settings.
    pub build: fn(toml::Table, &SinkContext) -> BuiltSink,
    /// The part of a recorded answer that concerns the item at a position, without its neighbours; nothing where the
    /// answer cannot be taken apart.
    pub own_reply: fn(&str, usize) -> Option<String>,
}

/// A sink, or what is wrong with its settings.
pub type BuiltSink = Result<Arc<dyn ConversionSink>, SettingsError>;

inventory::collect!(SinkPlugin);

/// What a sink is told beside its own settings.
#[derive(Clone, Debug)]
pub struct SinkContext {
    /// The sink's configured name.
    pub name: String,
    /// Default country of phone numbers (`[defaults] phone_country`); the sink's own setting wins.
    pub phone_country: CallingCode,
}

impl SinkContext {
    /// The sentence that says which settings are missing: by variable where the environment speaks to this sink, else
    /// by setting.
    pub fn missing(&self, descriptor: &SinkDescriptor, settings: &[&str]) -> String {
        if self.name != descriptor.kind {
            return reason::MISSING_CREDENTIALS.tell(&["settings", &settings.join(", ")]);
        }
        let variables: Vec<&str> =
            settings.iter().map(|setting| descriptor.variable(setting).unwrap_or(setting)).collect();
        reason::MISSING_CREDENTIALS.tell(&["env", &variables.join(", ")])
    }
}

/// How a source crate announces itself: one `inventory::submit!` of this.
#[derive(Debug)]
pub struct SourcePlugin {
    /// What it connects to.
    pub descriptor: &'static SourceDescriptor,
    /// Makes a source of its settings.
    pub build: fn(toml::Table) -> BuiltSource,
}

/// A source, or what is wrong with its settings.
pub type BuiltSource = Result<Arc<dyn BookingSource>, SettingsError>;

inventory::collect!(SourcePlugin);

/// Every linked booking system, by kind.
pub fn sources() -> Vec<&'static SourcePlugin> {
    let mut sources: Vec<&SourcePlugin> = inventory::iter::<SourcePlugin>.into_iter().collect();
    sources.sort_by_key(|plugin| plugin.descriptor.kind);
    sources
}

/// Every linked connector, by kind.
pub fn plugins() -> Vec<&'static SinkPlugin> {
    let mut plugins: Vec<&SinkPlugin> = inventory::iter::<SinkPlugin>.into_iter().collect();
    plugins.sort_by_key(|plugin| plugin.descriptor.kind);
    plugins
}

/// The connector of that kind.
pub fn find(kind: &str) -> Option<&'static SinkPlugin> {
    inventory::iter::<SinkPlugin>.into_iter().find(|plugin| plugin.descriptor.kind == kind)
}

/// The event fields, with the click ids that linked connectors declare.
pub fn vocabulary() -> Vocabulary {
    let mut click_ids: Vec<&'static str> =
        plugins().iter().flat_map(|plugin| plugin.descriptor.click_ids).copied().collect();
    click_ids.sort_unstable();
    click_ids.dedup();
    Vocabulary::new(click_ids)
}
