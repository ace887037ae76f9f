//! A service with a great many deliveries waiting: its memory, and how soon it is ready after a start.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::Finding;
use crate::ground::{Ground, report, until};
use crate::harness::{GOOGLE, Program, TIKTOK};
use crate::process::{Memory, machine};

/// In megabytes of a million bytes.
const MEMORY: f64 = 300.0;
/// In seconds.
const READY: f64 = 2.0;
/// How long it then works on what waits.
const DRAINING: Duration = Duration::from_secs(30);
/// Reported while everything waits.
const MEANWHILE: usize = 5_000;

/// Has two deliveries wait for each of so many events.
pub(crate) async fn measure(events: usize) -> Vec<Finding> {
    let ground = Ground::new().await;
    hang(&ground, true);
    let mut program = ground.serve().await;
    let start = Instant::now();
    report(&program.api, "waiting", events).await;
    let accepted = start.elapsed().as_secs_f64();
    println!(
        "{events} events accepted while both platforms hang: {:.0} a second; {}",
        events as f64 / accepted,
        shown(&program)
    );
    let mut peak = Memory::of(program.id()).peak;
    let mut slowest = 0.0_f64;

    program.kill();
    let mut program = ready(&ground, "killed under load", &mut slowest).await;
    report(&program.api, "meanwhile", MEANWHILE).await;
    let pending = program.api.counts("tiktok").await.pending + program.api.counts("google-ads").await.pending;
    println!("{MEANWHILE} more events accepted, {pending} deliveries pending; {}", shown(&program));
    peak = peak.max(Memory::of(program.id()).peak);

    program.terminate();
    program.ended().await;
    let program = ready(&ground, "stopped in order", &mut slowest).await;
    hang(&ground, false);
    let start = Instant::now();
    // Holds end as they do when a platform is back: by a probe.
    for sink in ["tiktok", "google-ads"] {
        until(&program.api, sink, |counts| counts.delivered > 0).await;
    }
    println!("both platforms work again, and are told after {:.1} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    let before = delivered(&program).await;
    sleep(DRAINING).await;
    let rate = (delivered(&program).await - before) as f64 / start.elapsed().as_secs_f64();
    println!("{rate:.0} deliveries a second are told; {}", shown(&program));
    peak = peak.max(Memory::of(program.id()).peak);
    let asked = Instant::now();
    program.api.audit().await;
    println!("balanced, audited in {:.1} s; {}", asked.elapsed().as_secs_f64(), shown(&program));
    peak = peak.max(Memory::of(program.id()).peak);

    vec![
        Finding { what: "resident memory, at most", measured: peak, bound: MEMORY, unit: " MB" },
        Finding { what: "slowest start until it is ready", measured: slowest, bound: READY, unit: " s" },
    ]
}

fn hang(ground: &Ground, hang: bool) {
    for platform in [TIKTOK, GOOGLE] {
        ground.hang(platform, hang);
    }
}

/// Starts the service on what is there, and waits until it takes events.
async fn ready(ground: &Ground, before: &str, slowest: &mut f64) -> Program {
    let start = Instant::now();
    let program = ground.serve().await;
    program.api.read("/readyz").await;
    let took = start.elapsed().as_secs_f64();
    *slowest = slowest.max(took);
    println!("{before}, and ready {took:.2} s after the start; {}", shown(&program));
    program
}

async fn delivered(program: &Program) -> u64 {
    program.api.counts("tiktok").await.delivered + program.api.counts("google-ads").await.delivered
}

fn shown(program: &Program) -> String {
    format!("{}; {}", Memory::of(program.id()), machine())
}
