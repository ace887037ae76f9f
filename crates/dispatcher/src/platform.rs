//! The platforms that this program can tell, in facts: one table, made of the descriptors of the linked sinks.

use std::time::Duration;

use conversion_core::descriptor::SinkDescriptor;
use conversion_core::registry;
use serde::Serialize;
use utoipa::ToSchema;

/// A platform as every table of platforms shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Platform)]
#[expect(missing_docs, reason = "docs/operations.md describes each field")]
pub struct PlatformView {
    pub kind: &'static str,
    pub platform: &'static str,
    pub title: &'static str,
    pub docs: &'static str,
    pub api_version: &'static str,
    pub api_version_ends: Option<&'static str>,
    pub match_keys: &'static [&'static str],
    pub batch: usize,
    pub max_batch: usize,
    pub max_event_age_seconds: Option<u64>,
    pub dedup_key: Option<&'static str>,
    /// Nothing where there is no key, or for ever.
    pub dedup_window_seconds: Option<u64>,
    pub atomic: bool,
    pub test_mode: &'static str,
    pub takes_consent: bool,
    /// When the platform is first asked for its later verdict; nothing where it judges at once.
    pub confirmed_after_seconds: Option<u64>,
    /// When it is asked for the last time.
    pub confirmed_until_seconds: Option<u64>,
}

/// The platforms of every linked sink, by kind.
pub fn all() -> Vec<PlatformView> {
    registry::plugins().into_iter().map(|plugin| PlatformView::of(plugin.descriptor)).collect()
}

impl PlatformView {
    /// The platform of a sink.
    pub fn of(descriptor: &SinkDescriptor) -> Self {
        let SinkDescriptor { kind, platform, title, docs, api_version, match_keys, .. } = *descriptor;
        let seconds = |span: Duration| span.as_secs();
        Self {
            kind,
            platform,
            title,
            docs,
            api_version,
            api_version_ends: descriptor.sunset(api_version),
            match_keys,
            batch: descriptor.batch.items,
            max_batch: descriptor.batch.max_items,
            max_event_age_seconds: descriptor.max_event_age.map(seconds),
            dedup_key: descriptor.dedup.map(|dedup| dedup.key),
            dedup_window_seconds: descriptor.dedup.and_then(|dedup| dedup.window).map(seconds),
            atomic: descriptor.atomic,
            test_mode: descriptor.test_mode,
            takes_consent: descriptor.takes_consent,
            confirmed_after_seconds: descriptor.confirmation.map(|schedule| seconds(schedule.first)),
            confirmed_until_seconds: descriptor.confirmation.map(|schedule| seconds(schedule.last)),
        }
    }

    /// The facts in words, each with its head.
    pub fn facts(&self) -> [(&'static str, String); 10] {
        let or = |known: Option<String>, unknown: &str| known.unwrap_or_else(|| unknown.to_owned());
        let ends = self.api_version_ends.map(|date| format!(", ends {date}")).unwrap_or_default();
        let verdict = self.confirmed_after_seconds.zip(self.confirmed_until_seconds);
        [
            ("API version", format!("{}{ends}", self.api_version)),
            ("finds people by", self.match_keys.join(", ")),
            ("events in a request", format!("{}, at most {}", self.batch, self.max_batch)),
            ("one bad event", if self.atomic { "refuses the request" } else { "fails alone" }.to_owned()),
            ("oldest event", or(self.max_event_age_seconds.map(span), "no limit known")),
            ("recognises a repetition by", or(self.dedup_key.map(str::to_owned), "nothing")),
            (
                "for",
                match (self.dedup_key, self.dedup_window_seconds) {
                    (None, _) => "–".to_owned(),
                    (Some(_), Some(window)) => span(window),
                    (Some(_), None) => "ever".to_owned(),
                },
            ),
            ("test mode", self.test_mode.to_owned()),
            (
                "a person's refusal",
                match self.takes_consent {
                    true => "has a field: nothing is sent, or the click alone with send_denied",
                    false => "has no field: nothing is sent",
                }
                .to_owned(),
            ),
            (
                "verdict",
                or(
                    verdict.map(|(first, last)| {
                        format!("later: asked for after {}, until {}", span(first), span(last))
                    }),
                    "at once",
                ),
            ),
        ]
    }
}

/// A span in the largest unit that it has a whole number of, but no weeks.
fn span(seconds: u64) -> String {
    let units = [(86_400, "day", 3), (3600, "hour", 1), (60, "minute", 1)];
    let unit =
        units.into_iter().find(|(size, _, least)| seconds.is_multiple_of(*size) && seconds / size >= *least);
    let (count, name) = unit.map_or((seconds, "second"), |(size, name, _)| (seconds / size, name));
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_whole_units() {
        for (seconds, told) in [
            (1, "1 second"),
            (90, "90 seconds"),
            (1800, "30 minutes"),
            (3600, "1 hour"),
            (24 * 3600, "24 hours"),
            (48 * 3600, "48 hours"),
            (7 * 86_400, "7 days"),
        ] {
            assert_eq!(span(seconds), told);
        }
    }
}
