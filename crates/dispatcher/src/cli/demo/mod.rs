//! `signalbox demo`: sandbox, service, visitors and their bookings in one process.

mod picture;
mod visitors;

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use conversion_store::{Access, Audit, DeliveryFilter, DeliveryRecord, Status};
use http_exchange::{Client, ClientOptions};
use platform_sandbox::{AcuitySettings, Platform, Sandbox, Settings, Twins, Verdict as Answer};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::picture::{Screen, draw};
use self::visitors::{ATTRIBUTION_FIELD, Visitor, visitors};
use super::serve::StopSignal;
use super::{Verdict, account};
use crate::clock::after;
use crate::config::{Config, Environment, Log};
use crate::{Clock, Service, api, telemetry};

/// Visitors book this fast.
const GAP: Duration = Duration::from_millis(80);
/// What is not settled this long after the last booking waits for hours.
const SETTLING: Duration = Duration::from_secs(20);
/// Most ads were clicked so long ago: Google takes no younger click.
const AGO: Duration = Duration::from_secs(7 * 3600);
/// So much later Google has judged what it took.
const UNTIL_VERDICTS: Duration = Duration::from_secs(2 * 3600);
/// How long a platform takes to answer.
const LATENCY_MS: u64 = 30;
/// How often the clock of the demo goes on.
const TICK: Duration = Duration::from_millis(20);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How many people book.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(10..=100))]
    bookings: u16,
    /// Keep running afterwards, until interrupted.
    #[arg(long)]
    stay: bool,
}

/// The demo's parts, taken down in order.
struct Stage {
    service: Arc<Service>,
    sandbox: Sandbox,
    clock: Clock,
    url: String,
    folder: PathBuf,
    curtain: CancellationToken,
    servers: tokio::task::JoinSet<io::Result<()>>,
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<Verdict> {
    telemetry::start(&Log { level: "off".to_owned(), ..Log::default() })?;
    let mut stage = Stage::set().await?;
    let bookings = arguments.bookings;
    writeln!(
        io::stdout(),
        "Signalbox is listening on {}; four ad platforms and Acuity are played by a sandbox that is strict about their rules.\n\
         {bookings} people book: their visits are reported as the script on the landing page does, and Acuity tells of the\n\
         bookings by webhooks: twice, out of order, and with `changed` besides. All of it travels the same code as in production.\n",
        stage.url,
    )?;
    let shown = stage.play(usize::from(bookings)).await;
    let verdict = match shown {
        Ok(audit) => {
            stage.epilogue(&audit)?;
            Ok(Verdict::good_if(audit.balanced))
        }
        Err(error) => Err(error),
    };
    if arguments.stay {
        writeln!(io::stdout(), "\nStill listening on {}; interrupt to end.", stage.url)?;
        StopSignal::listen()?.received().await;
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
        for platform in Platform::ALL {
            sandbox.configure(platform, mood(platform));
        }

        let folder = std::env::temp_dir().join(format!("signalbox-demo-{}", std::process::id()));
        // What an interrupted demo left behind must not make duplicates of this one's events.
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let environment = environment(&platforms, &folder.join("demo.db").display().to_string());
        let config = Config::from_table(settings()?, &environment)?;
        let store = conversion_store::open(&config.store.url, Access::ReadWrite)?;
        let clock = Clock::manual(before(Clock::running().now(), AGO));
        let service = Arc::new(Service::start(config, store, clock.clone()).await?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no free port")?;
        let url = format!("http://{}", listener.local_addr()?);
        let serves = Arc::clone(&service);
        servers.spawn(api::serve(listener, serves, curtain.clone().cancelled_owned()));
        sandbox.acuity().configure(acuity_settings(&url));
        Ok(Self { service, sandbox, clock, url, folder, curtain, servers })
    }

    /// Lets people visit, book and change their minds, and shows what becomes of it.
    async fn play(&mut self, count: usize) -> anyhow::Result<Audit> {
        let client = Client::new(ClientOptions::default())?;
        let visitors = visitors(count)?;
        for visitor in visitors.iter().filter(|visitor| !visitor.clicked_just_now) {
            visitor.visit(&client, &self.url).await?;
        }
        self.arrive_at_the_present();
        let mut screen = Screen::new();
        let mut booked = Vec::new();
        for visitor in &visitors {
            if visitor.clicked_just_now {
                visitor.visit(&client, &self.url).await?;
            }
            booked.push(self.book(visitor, booked.len() + 1)?);
            tokio::time::sleep(GAP).await;
            if booked.len() % 5 == 0 {
                screen.show(&self.picture(booked.len(), count).await?)?;
            }
        }
        // Seen late, a booking and its cancellation are one cancellation.
        self.settle().await?;
        for (visitor, appointment) in visitors.iter().zip(&booked) {
            visitor.go_on(&self.sandbox.acuity(), *appointment, self.clock.now())?;
        }
        self.settle().await?;
        self.clock.advance(UNTIL_VERDICTS);
        self.hear_later_verdicts().await?;
        screen.finish(&self.picture(count, count).await?)?;
        Ok(self.service.store.audit().await?)
    }

    /// Hours go by at once; from then on the clock goes on with the machine's.
    fn arrive_at_the_present(&mut self) {
        let clock = self.clock.clone();
        let curtain = self.curtain.clone();
        clock.advance(AGO);
        self.servers.spawn(async move {
            let mut since = Instant::now();
            while !curtain.is_cancelled() {
                tokio::time::sleep(TICK).await;
                let now = Instant::now();
                clock.advance(now - since);
                since = now;
            }
            Ok(())
        });
    }

    /// Books, and has a platform in a bad mood about some.
    fn book(&self, visitor: &Visitor, number: usize) -> anyhow::Result<u64> {
        let appointment = visitor.book(&self.sandbox.acuity(), self.clock.now())?;
        let order = format!("appt-{appointment}");
        match number {
            1 => self.answer(Platform::GoogleAds, order, google("internalError", "TRANSIENT_ERROR", Some(1))),
            // Taken, and refused when it is judged.
            2 => {
                let platform = Platform::GoogleDataManager;
                let refused = (format!("sb-{order}"), "CLICK_NOT_FOUND".to_owned());
                let mood = Settings { late_verdicts: [refused].into(), ..mood(platform) };
                self.sandbox.configure(platform, mood);
            }
            // Found among its batch by sending parts of it; the others go through.
            11 => {
                let message = Some("Invalid value for ttclid".to_owned());
                self.answer(Platform::TikTok, order, Answer::TikTok { code: 40002, message, times: None });
            }
            12 => self.answer(
                Platform::GoogleAds,
                order,
                google("conversionUploadError", "UNPARSEABLE_GCLID", None),
            ),
            _ => {}
        }
        Ok(appointment)
    }

    fn answer(&self, platform: Platform, order: String, answer: Answer) {
        let mood = Settings { verdicts: [(order, answer)].into(), ..mood(platform) };
        self.sandbox.configure(platform, mood);
    }

    /// Returns when no verdict is awaited any more.
    async fn hear_later_verdicts(&self) -> anyhow::Result<()> {
        let give_up = Instant::now() + SETTLING;
        while Instant::now() < give_up {
            let audit = self.service.store.audit().await?;
            if audit.sinks.values().all(|sink| sink.verdicts.awaited == 0) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Returns when nothing is under way: what still waits, waits for hours.
    async fn settle(&self) -> anyhow::Result<()> {
        let give_up = Instant::now() + SETTLING;
        while Instant::now() < give_up {
            self.service.flush().await;
            if self.sandbox.report().acuity.webhooks_waiting == 0
                && self.service.store.notice_counts("acuity").await?.pending == 0
                && !self.is_anything_due().await?
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    async fn is_anything_due(&self) -> anyhow::Result<bool> {
        let soon = after(self.clock.now(), Duration::from_secs(600));
        let waits = |delivery: &DeliveryRecord| delivery.next_attempt_at.is_some_and(|at| at < soon);
        let pending =
            DeliveryFilter { status: Some(Status::Pending), limit: 500, ..DeliveryFilter::default() };
        Ok(self.service.store.deliveries(&pending).await?.items.iter().any(waits))
    }

    async fn picture(&self, booked: usize, count: usize) -> anyhow::Result<String> {
        draw(&*self.service.store, &self.sandbox.report(), booked, count).await
    }

    fn epilogue(&self, audit: &Audit) -> io::Result<()> {
        let report = self.sandbox.report();
        let deliveries: u64 = audit.sinks.values().map(|sink| sink.routed).sum();
        let out = &mut io::stdout().lock();
        let acuity = &report.acuity;
        writeln!(
            out,
            "\n{} bookings, {} moved, {} canceled → {} webhooks → {} events → {deliveries} deliveries\n",
            acuity.bookings,
            acuity.reschedules,
            acuity.cancellations,
            acuity.webhooks_accepted,
            audit.accepted,
        )?;
        writeln!(out, "The account of all events:\n")?;
        account::write(out, audit)?;
        let twice: u64 = Platform::ALL.iter().map(|platform| report.sinks.of(*platform).counted_twice).sum();
        writeln!(out, "counted twice by a platform: {twice}")?;
        writeln!(out, "taken back at Google Ads: {}", report.sinks.google_ads.retracted)?;
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

fn before(time: conversion_core::Timestamp, span: Duration) -> conversion_core::Timestamp {
    time.checked_sub(span).unwrap_or(time)
}

/// A platform that works as it should. Google Data Manager has judged by the time it is asked.
fn mood(platform: Platform) -> Settings {
    let processing_s = match platform {
        Platform::GoogleDataManager => 0,
        _ => Settings::default().processing_s,
    };
    Settings { latency_ms: LATENCY_MS, processing_s, ..Settings::default() }
}

fn google(family: &str, code: &str, times: Option<u32>) -> Answer {
    Answer::GoogleAds { family: family.to_owned(), code: code.to_owned(), message: None, times }
}

/// Every webhook twice, each with a `changed` of its own, late and out of order.
fn acuity_settings(service: &str) -> AcuitySettings {
    AcuitySettings {
        webhook_target: Some(format!("{service}/api/webhooks/acuity/acuity")),
        twins: Twins::Either,
        repeats: 1,
        shuffle_ms: 50,
        latency_ms: 20,
        max_rps: 0,
        ..AcuitySettings::default()
    }
}

/// What no variable says.
fn settings() -> anyhow::Result<toml::Table> {
    let settings = format!(
        "[server]
        trusted_proxies = ['127.0.0.1']
        [attribution]
        visits_per_minute = 1000
        [[sources]]
        kind = 'acuity'
        trial_types = [1]
        currency = 'USD'
        fields = {{ attributionId = {ATTRIBUTION_FIELD} }}"
    );
    Ok(settings.parse()?)
}

fn environment(platforms: &str, store: &str) -> Environment {
    let url = platforms.to_owned();
    [
        ("SIGNALBOX_STORE", format!("sqlite://{store}")),
        ("SIGNALBOX_SINKS", Platform::ALL.map(Platform::name).join(",")),
        ("TIKTOK_BASE_URL", url.clone()),
        ("TIKTOK_PIXEL_ID", "DEMOPIXEL".to_owned()),
        ("TIKTOK_ACCESS_TOKEN", "demo-token".to_owned()),
        ("GOOGLE_ADS_TOKEN_URL", format!("{url}/token")),
        ("GOOGLE_ADS_BASE_URL", url.clone()),
        ("GOOGLE_ADS_CLIENT_ID", "demo-client".to_owned()),
        ("GOOGLE_ADS_CLIENT_SECRET", "demo-secret".to_owned()),
        ("GOOGLE_ADS_REFRESH_TOKEN", "demo-refresh".to_owned()),
        ("GOOGLE_ADS_CUSTOMER_ID", "1234567890".to_owned()),
        ("GOOGLE_ADS_CONVERSION_ACTIONS", "TRIAL_BOOKED=111,TRIAL_RESCHEDULED=111".to_owned()),
        ("GOOGLE_ADS_RETRACT_ON", "TRIAL_CANCELED".to_owned()),
        ("GOOGLE_DATA_MANAGER_BASE_URL", url.clone()),
        ("GOOGLE_DATA_MANAGER_TOKEN_URL", format!("{url}/token")),
        ("GOOGLE_DATA_MANAGER_CLIENT_ID", "demo-client".to_owned()),
        ("GOOGLE_DATA_MANAGER_CLIENT_SECRET", "demo-secret".to_owned()),
        ("GOOGLE_DATA_MANAGER_REFRESH_TOKEN", "demo-refresh".to_owned()),
        ("GOOGLE_DATA_MANAGER_OPERATING_ACCOUNT", "1234567890".to_owned()),
        ("GOOGLE_DATA_MANAGER_CONVERSION_ACTION", "333".to_owned()),
        ("META_BASE_URL", url.clone()),
        ("META_DATASET_ID", "1234567890".to_owned()),
        ("META_ACCESS_TOKEN", "demo-token".to_owned()),
        ("ACUITY_BASE_URL", url),
        ("ACUITY_USER_ID", AcuitySettings::default().user_id),
        ("ACUITY_API_KEY", AcuitySettings::default().api_key),
    ]
    .into_iter()
    .collect()
}
