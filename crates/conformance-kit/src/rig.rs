//! A sink under test: built of its profile's settings, with the platform beside it.

use std::sync::Arc;
use std::time::Duration;

use conversion_core::CanonicalEvent;
use conversion_core::descriptor::SinkDescriptor;
use conversion_core::failure::FailureClass;
use conversion_core::identity::CallingCode;
use conversion_core::registry::{BuiltSink, SinkContext, SinkPlugin};
use conversion_core::report::{Outcome, SendReport};
use conversion_core::sink::{ConversionSink, NotSent, Payload, Subject};

use crate::fixture::NOW;
use crate::platform::{Action, Nobody, Platform, token_url};
use crate::profile::{Profile, Told};
use crate::rule::{Broken, Verdict, broken};
use crate::{fixture, rule};

/// Longest that anything may take that is to end; far beyond what a slow machine needs.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) type Sink = Arc<dyn ConversionSink>;

/// A profile whose plugin is there.
#[derive(Clone, Copy)]
pub(crate) struct Rig<'a> {
    pub(crate) profile: &'a dyn Profile,
    pub(crate) plugin: &'static SinkPlugin,
}

impl<'a> Rig<'a> {
    pub(crate) fn new(profile: &'a dyn Profile) -> Verdict<Self> {
        let plugin = profile.plugin().ok_or(Broken::After("plugin_is_announced"))?;
        Ok(Self { profile, plugin })
    }

    pub(crate) fn descriptor(&self) -> &'static SinkDescriptor {
        self.plugin.descriptor
    }

    /// The profile's settings with `extra` over them, for a platform at `url`.
    pub(crate) fn table(&self, url: &str, extra: &str) -> Verdict<toml::Table> {
        self.table_at(url, &token_url(url), extra)
    }

    fn table_at(&self, url: &str, token_url: &str, extra: &str) -> Verdict<toml::Table> {
        let usual = self.profile.settings().replace("{token_url}", token_url).replace("{url}", url);
        let mut table: toml::Table = usual.parse().map_err(broken)?;
        table.extend(extra.parse::<toml::Table>().map_err(broken)?);
        Ok(table)
    }

    /// The context of the sink that has the kind's own name.
    pub(crate) fn context(&self) -> SinkContext {
        self.context_of(self.descriptor().kind)
    }

    pub(crate) fn context_of(&self, name: &str) -> SinkContext {
        SinkContext { name: name.to_owned(), phone_country: CallingCode::NANP }
    }

    pub(crate) fn build(&self, settings: toml::Table) -> BuiltSink {
        (self.plugin.build)(settings, &self.context())
    }

    /// A sink that is never to send.
    pub(crate) fn offline(&self, extra: &str) -> Verdict<Sink> {
        self.sink_at("http://127.0.0.1:9", extra)
    }

    pub(crate) fn sink_at(&self, url: &str, extra: &str) -> Verdict<Sink> {
        self.build(self.table(url, extra)?).map_err(|_| Broken::After("settings_are_taken"))
    }

    /// Sinks of the usual settings and of each variation.
    pub(crate) fn every_sink(&self) -> Verdict<Vec<Sink>> {
        [""].iter().chain(self.profile.variations()).map(|extra| self.offline(extra)).collect()
    }

    pub(crate) async fn online(&self) -> Verdict<Online> {
        self.online_with("").await
    }

    pub(crate) async fn online_with(&self, extra: &str) -> Verdict<Online> {
        let platform = Platform::start(self.profile).await?;
        let sink = self.sink_at(&platform.url(), extra)?;
        Ok(Online { platform, sink })
    }

    /// A sink whose platform nobody plays; tokens are granted all the same where there is a platform to grant them.
    pub(crate) fn deserted(&self, nobody: &Nobody, granted_by: Option<&Platform>) -> Verdict<Sink> {
        let grants = granted_by.map_or_else(|| nobody.url.clone(), Platform::url);
        let table = self.table_at(&nobody.url, &token_url(&grants), "")?;
        self.build(table).map_err(|_| Broken::After("settings_are_taken"))
    }
}

/// A sink and its platform.
pub(crate) struct Online {
    pub(crate) platform: Platform,
    pub(crate) sink: Sink,
}

impl Online {
    /// What becomes of one booking that the platform answers so.
    pub(crate) async fn told(&self, action: Action) -> Verdict<Told> {
        self.platform.answers([action]);
        let report = send(&self.sink, &bookings(1)).await?;
        tell(&report)
            .into_iter()
            .next()
            .ok_or_else(|| broken("the report has no outcome for the one item sent"))
    }
}

/// Bookings of which everything is known, each of another person's.
pub(crate) fn bookings(count: usize) -> Vec<CanonicalEvent> {
    let numbered = |number: usize| {
        let click = |text: &String| format!("{text}-{number}");
        let event = fixture::booking();
        CanonicalEvent {
            event_id: format!("kit-event-{number}"),
            conversion_id: Some(format!("kit-conversion-{number}")),
            click_ids: event.click_ids.iter().map(|(name, text)| (name.clone(), click(text))).collect(),
            ..event
        }
    };
    (0..count).map(numbered).collect()
}

pub(crate) fn prepare(sink: &Sink, event: &CanonicalEvent) -> Result<Payload, NotSent> {
    sink.prepare(&Subject::new(event), NOW)
}

/// The payload of an event that a sink must not skip.
pub(crate) fn payload(sink: &Sink, event: &CanonicalEvent) -> Verdict<Payload> {
    prepare(sink, event).map_err(|_| Broken::After("booking_is_prepared"))
}

/// Prepares, composes and sends, as one request.
pub(crate) async fn send(sink: &Sink, events: &[CanonicalEvent]) -> Verdict<SendReport> {
    let payloads: Vec<Payload> = events.iter().map(|event| payload(sink, event)).collect::<Verdict<_>>()?;
    let request = sink.compose(&payloads.iter().collect::<Vec<_>>());
    within(sink.send(Arc::new(request))).await
}

/// What became of each item.
pub(crate) fn tell(report: &SendReport) -> Vec<Told> {
    let told = |outcome: &Outcome| match outcome {
        Outcome::Delivered { .. } => Told::Delivered,
        Outcome::Failed(failure) => Told::Failed(failure.class),
        Outcome::RefusedWithOthers => Told::RefusedWithOthers,
    };
    let sent = report.exchanges().last().map_or(1, |exchange| exchange.request.body.len());
    match report.verdict() {
        Ok(outcomes) => outcomes.iter().map(told).collect(),
        Err(failure) => vec![Told::Failed(failure.class); sent],
    }
}

/// The end of what must end.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> Verdict<T> {
    let late = |_| broken(format!("nothing came of it within {} seconds", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, work).await.map_err(late)
}

/// Fails unless what was told is what is wanted.
pub(crate) fn expect(told: Told, wanted: FailureClass, what: &str) -> Verdict {
    rule::ensure!(told == Told::Failed(wanted), "{what}: {told:?}, and not {wanted:?}");
    Ok(())
}
