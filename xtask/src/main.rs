//! Project tasks.

mod deny;
mod fuzz;
mod matrix;
mod new_sink;
mod peers;

use std::env;
use std::ffi::OsString;
use std::process::{Command, ExitCode};

const USAGE: &str = "\
cargo xtask test [ARGS]   build the program and run every test; ARGS go to cargo test
cargo xtask matrix        run the long form of the fault matrix, and print what was measured
cargo xtask isolation [ROUNDS]
                          measure what a platform that hangs costs the other
cargo xtask backlog [EVENTS]
                          measure memory and start with two deliveries waiting for each event
cargo xtask lint          formatting, lints and docs, warnings denied; licences and versions of dependencies
cargo xtask fuzz [TARGET…] [--seconds N] [-- OPTIONS]
                          run the fuzz targets, 20 s each; OPTIONS go to libFuzzer
cargo xtask new-sink NAME write the crate crates/sink-NAME to begin a sink with, and the two lines that link it
cargo xtask peers         install what the tests hold the program against: npm packages, schemathesis and a browser
";

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let task = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let done = match task.as_deref() {
        Some("test") => test(&rest),
        Some("matrix") => matrix::run(),
        Some(task @ ("isolation" | "backlog")) => load(task, &rest),
        Some("lint") => lint(),
        Some("fuzz") => fuzz::fuzz(&rest),
        Some("new-sink") => new_sink::create(&rest),
        Some("peers") => peers::install(),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            #[expect(clippy::print_stderr, reason = "a task talks to whoever started it")]
            {
                eprintln!("{message}");
            }
            ExitCode::FAILURE
        }
    }
}

/// The end-to-end tests start the program itself, so it is built first.
fn test(arguments: &[String]) -> Result<(), String> {
    peers::install()?;
    cargo(&["build", "--locked", "--package", "signalbox"], &[])?;
    let mut all = vec!["test", "--locked", "--workspace"];
    all.extend(arguments.iter().map(String::as_str));
    cargo(&all, &[])
}

/// Measures a release build of the program.
fn load(task: &str, arguments: &[String]) -> Result<(), String> {
    cargo(&["build", "--locked", "--release", "--package", "signalbox"], &[])?;
    let mut all = vec!["run", "--locked", "--release", "--package", "e2e", "--example", "load", "--", task];
    all.extend(arguments.iter().map(String::as_str));
    cargo(&all, &[])
}

fn lint() -> Result<(), String> {
    cargo(&["fmt", "--all", "--check"], &[])?;
    for apart in ["fuzz/Cargo.toml", "tests/outside/Cargo.toml"] {
        cargo(&["fmt", "--all", "--manifest-path", apart, "--check"], &[])?;
    }
    cargo(&["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"], &[])?;
    cargo(&["doc", "--locked", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "--deny warnings")])?;
    deny::check()
}

fn cargo(arguments: &[&str], variables: &[(&str, &str)]) -> Result<(), String> {
    let mut command = Command::new(cargo_program());
    run(command.args(arguments).envs(variables.iter().copied()))
}

fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Runs a command to its good end.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let shown: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let status = command.status().map_err(|error| format!("{name} cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} {} failed", shown.join(" "))) }
}
