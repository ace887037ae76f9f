//! The way of an event to Google, steadily reported, while TikTok hangs and a backlog waits for it; and while it works.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::Finding;
use crate::ground::{Ground, report, until};
use crate::harness::{Api, GOOGLE, TIKTOK, booked};
use crate::process::{Memory, machine};

/// Deliveries that wait for the platform that hangs.
const BACKLOG: usize = 100_000;
/// Events a second, each reported alone.
const RATE: u32 = 500;
const SPAN: Duration = Duration::from_secs(30);
/// How much longer the slowest hundredth may be under way while the other platform hangs.
const BOUND: f64 = 1.5;

/// Measures both, in turn, so many times.
pub(crate) async fn measure(rounds: usize) -> Vec<Finding> {
    println!(
        "{RATE} events a second for {} s, each from its report to its arrival at Google's emulator",
        SPAN.as_secs()
    );
    let (mut sound, mut faulty) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        // Turn about, so that what the machine does meanwhile favours neither.
        for hangs in if round % 2 == 0 { [true, false] } else { [false, true] } {
            let p99 = run(hangs).await;
            if hangs { faulty.push(p99) } else { sound.push(p99) }
        }
    }
    let measured = median(faulty) / median(sound);
    let what =
        "p99 of the way to Google while TikTok hangs, to that while TikTok works (medians of all rounds)";
    vec![Finding { what, measured, bound: BOUND, unit: "" }]
}

/// Reports a backlog and then steadily. Returns the longest time of 99 in 100 events, in milliseconds.
async fn run(hangs: bool) -> f64 {
    let ground = Ground::new().await;
    ground.hang(TIKTOK, hangs);
    let program = ground.serve().await;
    report(&program.api, "before", BACKLOG).await;
    let before = u64::try_from(BACKLOG).unwrap();
    until(&program.api, "google-ads", |counts| counts.delivered == before).await;
    until(
        &program.api,
        "tiktok",
        |counts| {
            if hangs { counts.pending == before } else { counts.delivered == before }
        },
    )
    .await;

    let told = report_steadily(&program.api).await;
    let all = before + u64::try_from(told.len()).unwrap();
    until(&program.api, "google-ads", |counts| counts.delivered == all).await;
    let tiktok = program.api.counts("tiktok").await;
    assert!(!hangs || tiktok.delivered == 0, "TikTok hangs");

    let arrived = ground.platforms.sandbox.ids(GOOGLE).into_iter().map(|seen| (seen.id, seen.first_us));
    let arrived: HashMap<String, u64> = arrived.collect();
    let way = |told: &Told| arrived[&told.id].saturating_sub(told.reported_us) as f64 / 1e3;
    let mut ways: Vec<f64> = told.iter().map(way).collect();
    ways.sort_by(f64::total_cmp);
    let first = told.iter().map(|told| told.reported_us).min().unwrap();
    let last = told.iter().map(|told| arrived[&told.id]).max().unwrap();
    let p99 = percentile(&ways, 99.0);
    println!(
        "TikTok {}, {} waiting for it: p50 {:.2} ms, p99 {p99:.2} ms, {:.0} events a second; {}; {}",
        if hangs { "hangs" } else { "works" },
        tiktok.pending,
        percentile(&ways, 50.0),
        told.len() as f64 * 1e6 / (last - first) as f64,
        Memory::of(program.id()),
        machine(),
    );
    p99
}

/// An event that was accepted, and when it was reported, in microseconds since 1970.
struct Told {
    id: String,
    reported_us: u64,
}

/// Reports at its rate whether answers come or not.
async fn report_steadily(api: &Api) -> Vec<Told> {
    let mut ticks = interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut reports = JoinSet::new();
    let start = Instant::now();
    for number in 0.. {
        ticks.tick().await;
        if start.elapsed() >= SPAN {
            break;
        }
        let api = api.clone();
        reports.spawn(async move {
            let id = format!("steady-{number}");
            let event = booked(&id);
            let reported_us = now_us();
            api.report(&[event]).await;
            Told { id, reported_us }
        });
    }
    reports.join_all().await
}

/// The time as the sandbox has it.
fn now_us() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the sandbox tells arrivals by the machine's clock")]
    let now = SystemTime::now();
    u64::try_from(now.duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (lower, upper) = ((values.len() - 1) / 2, values.len() / 2);
    f64::midpoint(values[lower], values[upper])
}

/// Of times in order.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between the first and the last"
    )]
    let position = (last as f64 * percent / 100.0).round() as usize;
    sorted[position]
}
