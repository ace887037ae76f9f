//! `signalbox demo`: sandbox, service and a stream of sample events in one process.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use conversion_core::Timestamp;
use conversion_core::exchange::{Body, Header, Request};
use conversion_store::{Access, Audit, DeliveryFilter, DeliveryRecord, Status};
use http_exchange::{Client, ClientOptions};
use platform_sandbox::{Platform, Sandbox, Settings, Verdict as Answer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Verdict, account, table};
use crate::clock::after;
use crate::config::{Config, Environment, Log};
use crate::{Clock, Service, api, telemetry};

const SAMPLES: &str = include_str!("../../demo/events.ndjson");
/// Sample events are reported this fast.
const GAP: Duration = Duration::from_millis(80);
/// What is not settled this long after the last event waits for hours.
const SETTLING: Duration = Duration::from_secs(20);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How many events are reported.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u16).range(10..=200))]
    events: u16,
    /// Keep running afterwards, until interrupted.
    #[arg(long)]
    stay: bool,
}

/// The demo's parts, taken down in order.
struct Stage {
    service: Arc<Service>,
    sandbox: Sandbox,
    url: String,
    folder: PathBuf,
    curtain: CancellationToken,
    servers: tokio::task::JoinSet<io::Result<()>>,
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<Verdict> {
    telemetry::start(&Log { level: "off".to_owned(), ..Log::default() })?;
    let stage = Stage::set().await?;
    writeln!(
        io::stdout(),
        "Signalbox is listening on {}; TikTok and Google Ads are played by a sandbox that is strict about their rules.\n\
         {} sample events are reported to POST {0}/api/events, and travel the same code as in production.\n",
        stage.url,
        arguments.events
    )?;
    let shown = stage.play(usize::from(arguments.events)).await;
    let verdict = match shown {
        Ok(audit) => {
            stage.epilogue(&audit)?;
            Ok(Verdict::good_if(audit.balanced))
        }
        Err(error) => Err(error),
    };
    if arguments.stay {
        writeln!(io::stdout(), "\nStill listening on {}; interrupt to end.", stage.url)?;
        super::serve::stop_signal().await;
    }
    stage.strike().await;
    verdict
}

impl Stage {
    async fn set() -> anyhow::Result<Self> {
        let sandbox = Sandbox::new(1);
        let curtain = CancellationToken::new();
        let mut servers = tokio::task::JoinSet::new();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no free port")?;
        let platforms = format!("http://{}", listener.local_addr()?);
        let (plays, falls) = (sandbox.clone(), curtain.clone());
        servers.spawn(async move { plays.serve(listener, falls.cancelled_owned()).await });
        sandbox.configure(Platform::TikTok, tiktok_settings());
        sandbox.configure(Platform::GoogleAds, google_ads_settings());

        let folder = std::env::temp_dir().join(format!("signalbox-demo-{}", std::process::id()));
        // What an interrupted demo left behind must not make duplicates of this one's events.
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let environment = environment(&platforms, &folder.join("demo.db").display().to_string());
        let config = Config::load(None, &environment)?;
        let store = conversion_store::open(&config.store.url, Access::ReadWrite)?;
        let service = Arc::new(Service::start(config, store, Clock::running()).await?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no free port")?;
        let url = format!("http://{}", listener.local_addr()?);
        let serves = Arc::clone(&service);
        servers.spawn(api::serve(listener, serves, curtain.clone().cancelled_owned()));
        Ok(Self { service, sandbox, url, folder, curtain, servers })
    }

    /// Reports the events and shows what becomes of them.
    async fn play(&self, count: usize) -> anyhow::Result<Audit> {
        let client = Client::new(ClientOptions::default())?;
        let mut screen = Screen::new();
        let mut next_look = tokio::time::Instant::now();
        for (index, event) in sample_events(count, self.service.clock.now())?.into_iter().enumerate() {
            let body = Body::compose("", [&*event], "");
            let url = format!("{}/api/events", self.url);
            let answer =
                client.exchange(&Arc::new(Request { url, headers: vec![Header::json()], body }), None).await;
            let reply = answer
                .result
                .map_err(|failure| anyhow::anyhow!("cannot report an event: {}", failure.message))?;
            anyhow::ensure!(reply.status == 202, "an event was not accepted: {}", reply.body);
            tokio::time::sleep(GAP).await;
            if tokio::time::Instant::now() >= next_look {
                screen.show(&self.picture(index + 1, count).await?)?;
                next_look = tokio::time::Instant::now() + Duration::from_millis(400);
            }
        }
        self.settle().await?;
        screen.finish(&self.picture(count, count).await?)?;
        Ok(self.service.store.audit().await?)
    }

    /// Returns when nothing is under way: what still waits, waits for hours.
    async fn settle(&self) -> anyhow::Result<()> {
        let give_up = tokio::time::Instant::now() + SETTLING;
        while tokio::time::Instant::now() < give_up {
            self.service.flush().await;
            let soon = after(self.service.clock.now(), Duration::from_secs(600));
            let waits = |delivery: &DeliveryRecord| delivery.next_attempt_at.is_some_and(|at| at < soon);
            let pending =
                DeliveryFilter { status: Some(Status::Pending), limit: 500, ..DeliveryFilter::default() };
            if !self.service.store.deliveries(&pending).await?.items.iter().any(waits) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// What each platform got, and why the rest did not go.
    async fn picture(&self, reported: usize, count: usize) -> anyhow::Result<String> {
        let all = DeliveryFilter { limit: 500, ..DeliveryFilter::default() };
        let deliveries = self.service.store.deliveries(&all).await?.items;
        let report = self.sandbox.report();
        let received = [("tiktok", &report.sinks.tiktok), ("google-ads", &report.sinks.google_ads)];
        let mut rows = vec![
            ["platform", "received", "requests", "delivered", "skipped", "failed", "waiting"]
                .map(str::to_owned)
                .to_vec(),
        ];
        for (sink, platform) in received {
            let of = |status| {
                deliveries.iter().filter(|d| d.sink == sink && d.status == status).count().to_string()
            };
            rows.push(vec![
                sink.to_owned(),
                platform.received.to_string(),
                platform.requests.to_string(),
                of(Status::Delivered),
                of(Status::Skipped),
                of(Status::Failed),
                of(Status::Pending),
            ]);
        }
        let mut picture = Vec::new();
        table::write(&mut picture, &rows)?;
        writeln!(picture, "{reported} of {count} events reported\n")?;
        for ((sink, status, message), count) in reasons(&deliveries) {
            writeln!(picture, "{count:>4} × {status:<9} at {sink:<10}  {}", table::cut(&message, 100))?;
        }
        Ok(String::from_utf8_lossy(&picture).into_owned())
    }

    fn epilogue(&self, audit: &Audit) -> io::Result<()> {
        let out = &mut io::stdout().lock();
        writeln!(out, "\nThe account of all events:\n")?;
        account::write(out, audit)?;
        let report = self.sandbox.report();
        let twice = report.sinks.tiktok.counted_twice + report.sinks.google_ads.counted_twice;
        writeln!(out, "counted twice by a platform: {twice}")?;
        writeln!(
            out,
            "\nNext: signalbox sandbox, signalbox serve, signalbox explain EVENT.json; docs/events.md has every field."
        )
    }

    async fn strike(mut self) {
        self.curtain.cancel();
        while self.servers.join_next().await.is_some() {}
        self.service.stop().await;
        // A folder left in the system's temporary place harms nobody.
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// One TikTok event that a strict reader refuses; it is found among its batch and the others go through.
fn tiktok_settings() -> Settings {
    let refused =
        Answer::TikTok { code: 40002, message: Some("Invalid value for ttclid".to_owned()), times: None };
    Settings { latency_ms: 30, verdicts: [("demo-11".to_owned(), refused)].into(), ..Settings::default() }
}

/// A click that is too recent, a click id that Google cannot read, and a moment of trouble.
fn google_ads_settings() -> Settings {
    let row = |family: &str, code: &str, message: &str, times| Answer::GoogleAds {
        family: family.to_owned(),
        code: code.to_owned(),
        message: Some(message.to_owned()),
        times,
    };
    let verdicts = [
        (
            "demo-19",
            row("conversionUploadError", "TOO_RECENT_EVENT", "The click is less than 6 hours old.", None),
        ),
        (
            "demo-20",
            row("conversionUploadError", "UNPARSEABLE_GCLID", "The gclid could not be parsed.", None),
        ),
        ("demo-1", row("internalError", "TRANSIENT_ERROR", "Try again.", Some(1))),
    ];
    let verdicts = verdicts.map(|(id, verdict)| (id.to_owned(), verdict)).into();
    Settings { latency_ms: 60, verdicts, ..Settings::default() }
}

fn environment(platforms: &str, store: &str) -> Environment {
    let url = platforms.to_owned();
    [
        ("SIGNALBOX_STORE", format!("sqlite://{store}")),
        ("TIKTOK_BASE_URL", url.clone()),
        ("TIKTOK_PIXEL_ID", "DEMOPIXEL".to_owned()),
        ("TIKTOK_ACCESS_TOKEN", "demo-token".to_owned()),
        ("GOOGLE_ADS_TOKEN_URL", format!("{url}/token")),
        ("GOOGLE_ADS_BASE_URL", url),
        ("GOOGLE_ADS_CLIENT_ID", "demo-client".to_owned()),
        ("GOOGLE_ADS_CLIENT_SECRET", "demo-secret".to_owned()),
        ("GOOGLE_ADS_REFRESH_TOKEN", "demo-refresh".to_owned()),
        ("GOOGLE_ADS_CUSTOMER_ID", "1234567890".to_owned()),
        ("GOOGLE_ADS_CONVERSION_ACTIONS", "TRIAL_BOOKED=111,TRIAL_RESCHEDULED=111".to_owned()),
    ]
    .into_iter()
    .collect()
}

/// The samples, over and over, each with an id and a recent time of its own.
fn sample_events(count: usize, now: Timestamp) -> anyhow::Result<Vec<Box<RawValue>>> {
    let samples: Vec<Map<String, Value>> =
        SAMPLES.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    (0..count)
        .zip(samples.iter().cycle())
        .map(|(index, sample)| {
            let mut event = sample.clone();
            let ago = i64::try_from(count - index)? * 60;
            event.insert("eventId".to_owned(), format!("demo-{}", index + 1).into());
            event.insert("eventTime".to_owned(), (now.as_second() - ago).into());
            Ok(serde_json::value::to_raw_value(&event)?)
        })
        .collect()
}

/// Everything but plain delivery, by reason.
fn reasons(deliveries: &[DeliveryRecord]) -> BTreeMap<(String, String, String), usize> {
    let mut reasons = BTreeMap::new();
    for delivery in deliveries.iter().filter(|delivery| delivery.message.is_some()) {
        let status = match delivery.status {
            Status::Pending => "waiting",
            Status::Delivered => "delivered",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
        };
        let message = delivery.message.clone().unwrap_or_default();
        *reasons.entry((delivery.sink.clone(), status.to_owned(), message)).or_default() += 1;
    }
    reasons
}

/// Draws the picture over itself on a terminal; elsewhere, only the last one.
struct Screen {
    is_terminal: bool,
    lines: usize,
}

impl Screen {
    fn new() -> Self {
        Self { is_terminal: io::stdout().is_terminal(), lines: 0 }
    }

    fn show(&mut self, picture: &str) -> io::Result<()> {
        if !self.is_terminal {
            return Ok(());
        }
        let out = &mut io::stdout().lock();
        if self.lines > 0 {
            // Up to where the last picture began, and clear to the end.
            write!(out, "\x1b[{}A\x1b[J", self.lines)?;
        }
        out.write_all(picture.as_bytes())?;
        out.flush()?;
        self.lines = picture.lines().count();
        Ok(())
    }

    fn finish(&mut self, picture: &str) -> io::Result<()> {
        if self.is_terminal {
            return self.show(picture);
        }
        io::stdout().lock().write_all(picture.as_bytes())
    }
}
