//! The command line.

mod account;
mod caller;
mod check;
mod deliveries;
mod demo;
mod explain;
mod input;
mod keys;
mod notices;
mod reasons;
mod replay;
mod sandbox;
mod send;
mod serve;
mod sinks;
mod sync;
mod table;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser, Subcommand};
use conversion_store::{Access, Store};

use crate::config::{Config, Environment};
use crate::telemetry;

/// Tells ad platforms about conversions, server to server, and keeps an account of every delivery.
#[derive(Debug, Parser)]
#[command(name = "signalbox", version, max_term_width = 100)]
struct Arguments {
    /// Configuration file; without one, everything comes from the environment.
    #[arg(long, global = true, env = "SIGNALBOX_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service: HTTP API and delivery.
    Serve(serve::Arguments),
    /// Watch sample events travel to a built-in sandbox of the platforms; needs no account.
    Demo(demo::Arguments),
    /// Run the built-in sandbox of the platforms.
    Sandbox(sandbox::Arguments),
    /// Check configuration, mappings and credentials. Exits with 1 where something needs mending.
    Check(check::Arguments),
    /// Show what each platform would be told of an event, step by step, without telling it.
    Explain(explain::Arguments),
    /// List the platforms that can be told, what is true of each, and the sinks that are configured for it.
    Sinks(sinks::Arguments),
    /// Report the events of a file to a running service.
    Send(send::Arguments),
    /// List deliveries from the store.
    Deliveries(deliveries::Arguments),
    /// Send skipped and failed deliveries after all, through a running service.
    Replay(replay::Arguments),
    /// List notices of booking systems from the store.
    Notices(notices::Arguments),
    /// List why deliveries, holds and notices stand as they do, and what to do about it.
    Reasons(reasons::Arguments),
    /// Bookings in Acuity Scheduling.
    #[command(subcommand)]
    Acuity(sync::Command),
    /// API keys.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Prove that every event is accounted for. Exits with 1 where it is not.
    Audit(account::Arguments),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// How a command ended, where it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Bad,
}

impl Verdict {
    fn good_if(good: bool) -> Self {
        if good { Self::Good } else { Self::Bad }
    }
}

/// Runs the program with the arguments and environment of the process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments, &Environment::of_process()) {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::from(1),
        // Whoever read the output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell where standard error is gone, too.
            writeln!(io::stderr(), "signalbox: {}", told_once(&error)).ok();
            ExitCode::from(2)
        }
    }
}

/// The error with its causes, each once: some tell their cause themselves.
fn told_once(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string).filter(|cause| !cause.is_empty()) {
        if told.is_empty() {
            told = cause;
        } else if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn run(arguments: Arguments, environment: &Environment) -> anyhow::Result<Verdict> {
    let out = &mut io::stdout().lock();
    let config = || Config::load(arguments.config.as_deref(), environment);
    match arguments.command {
        Command::Serve(arguments) => {
            let config = arguments.over(config()?)?;
            telemetry::start(&config.log)?;
            runtime()?.block_on(serve::run(config))
        }
        Command::Demo(arguments) => runtime()?.block_on(demo::run(&arguments)),
        Command::Sandbox(arguments) => runtime()?.block_on(sandbox::run(&arguments)),
        Command::Check(arguments) => runtime()?.block_on(check::run(&arguments, &config()?, out)),
        Command::Explain(arguments) => explain::run(&arguments, &config()?, out),
        Command::Sinks(arguments) => sinks::run(&arguments, &config()?, out),
        Command::Send(arguments) => runtime()?.block_on(send::run(&arguments, environment, out)),
        Command::Deliveries(arguments) => runtime()?.block_on(deliveries::run(&arguments, &config()?, out)),
        Command::Replay(arguments) => runtime()?.block_on(replay::run(&arguments, environment, out)),
        Command::Notices(arguments) => runtime()?.block_on(notices::run(&arguments, &config()?, out)),
        Command::Reasons(arguments) => reasons::run(&arguments, out),
        Command::Acuity(command) => {
            runtime()?.block_on(sync::run("acuity", &command, &config()?, environment, out))
        }
        Command::Audit(arguments) => runtime()?.block_on(account::run(&arguments, &config()?, out)),
        Command::Keys(command) => keys::run(&command, out),
        Command::Completions { shell } => {
            // Into memory first: the generator panics where its reader has seen enough.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "signalbox", &mut script);
            out.write_all(&script)?;
            Ok(Verdict::Good)
        }
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// The store for a reading command, beside a service that may be running.
fn read_store(url: Option<&str>, config: &Config) -> anyhow::Result<std::sync::Arc<dyn Store>> {
    conversion_store::open(url.unwrap_or(&config.store.url), Access::ReadOnly)
        .context("name the service's store with --store, or its settings with --config")
}
