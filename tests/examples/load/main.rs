//! What a busy service costs, measured from outside: a release build of the program as a process of its own, and the
//! sandbox in the platforms' place.
//!
//! `cargo xtask isolation [ROUNDS]` and `cargo xtask backlog [EVENTS]` build both and run this.
#![expect(clippy::print_stdout, reason = "it reports to a terminal")]
#![expect(clippy::unwrap_used, reason = "what does not work ends a measurement, as it ends a test")]

mod backlog;
mod ground;
mod harness;
mod isolation;
mod process;

use std::process::ExitCode;

const USAGE: &str = "\
load isolation [ROUNDS]   the way to Google while TikTok hangs, beside the way while it does not
load backlog [EVENTS]     memory and start with two deliveries waiting for each event
";

/// A bound, and what was measured.
struct Finding {
    what: &'static str,
    measured: f64,
    bound: f64,
    unit: &'static str,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next();
    let number = |default: usize, given: Option<String>| given.map_or(Ok(default), |given| given.parse());
    let findings = match (task.as_deref(), arguments.next()) {
        (Some("isolation"), rounds) => match number(3, rounds) {
            Ok(rounds) => isolation::measure(rounds.max(1)).await,
            Err(_) => return usage(),
        },
        (Some("backlog"), events) => match number(500_000, events) {
            Ok(events) => backlog::measure(events).await,
            Err(_) => return usage(),
        },
        _ => return usage(),
    };
    println!();
    for Finding { what, measured, bound, unit } in &findings {
        let verdict = if measured <= bound { "holds" } else { "DOES NOT HOLD" };
        println!("{what}: {measured:.2}{unit}, at most {bound}{unit}: {verdict}");
    }
    if findings.iter().all(|finding| finding.measured <= finding.bound) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn usage() -> ExitCode {
    print!("{USAGE}");
    ExitCode::FAILURE
}
