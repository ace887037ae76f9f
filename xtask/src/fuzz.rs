//! The fuzz targets, by libFuzzer on a stable toolchain: its coverage counters are a pass that rustc can be told of.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{peers, run};

/// Seconds for each target where none are named.
const SECONDS: u32 = 20;

/// Counters of edges and traces of comparisons, as libFuzzer reads them.
const FLAGS: [&str; 6] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// `[TARGET…] [--seconds N] [-- OPTIONS]`: options go to libFuzzer. What it finds is under `fuzz/artifacts` in the
/// target folder, and so is the corpus that it grows from the seeds.
pub(crate) fn fuzz(arguments: &[String]) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("fuzz");
    let plan = Plan::read(arguments, targets(&folder)?)?;
    if env::var_os("CXX").is_none() {
        peers::program(&["c++"], "g++", "libFuzzer is built with a C++ compiler: install g++")?;
    }
    lock(&root.join("Cargo.lock"), &folder.join("Cargo.lock"))?;
    let built =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join("fuzz");
    let host = host()?;
    build(&folder, &built, &host, &plan.targets)?;
    for target in &plan.targets {
        let program = built.join(&host).join("release").join(target);
        fuzz_target(&plan, target, &program, &folder, &built)?;
    }
    Ok(())
}

/// What to run and for how long.
struct Plan {
    targets: Vec<String>,
    seconds: u32,
    options: Vec<String>,
}

impl Plan {
    fn read(arguments: &[String], known: Vec<String>) -> Result<Self, String> {
        let mut plan = Self { targets: Vec::new(), seconds: SECONDS, options: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--" => plan.options.extend(arguments.by_ref().cloned()),
                "--seconds" => {
                    let seconds = arguments.next().and_then(|text| text.parse().ok()).filter(|n| *n > 0);
                    plan.seconds = seconds.ok_or("--seconds wants a number above zero")?;
                }
                name if known.iter().any(|target| target == name) => plan.targets.push(name.to_owned()),
                name => {
                    return Err(format!("there is no fuzz target {name}; there are {}", known.join(", ")));
                }
            }
        }
        if plan.targets.is_empty() {
            plan.targets = known;
        }
        Ok(plan)
    }
}

/// The names of the targets, in their order.
fn targets(folder: &Path) -> Result<Vec<String>, String> {
    let unreadable = |error| format!("cannot list the fuzz targets: {error}");
    let files = fs::read_dir(folder.join("fuzz_targets")).map_err(unreadable)?;
    let mut names = Vec::new();
    for file in files {
        let path = file.map_err(unreadable)?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// Has the targets built with the versions that the program is built with: cargo adds what they alone need.
fn lock(workspace: &Path, own: &Path) -> Result<(), String> {
    let changed = |file: &Path| fs::metadata(file).and_then(|data| data.modified()).ok();
    if changed(own) < changed(workspace) {
        fs::copy(workspace, own).map_err(|error| format!("cannot write {}: {error}", own.display()))?;
    }
    Ok(())
}

/// The name of this machine, so that the flags reach no build script.
fn host() -> Result<String, String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let told = Command::new(rustc).arg("-vV").output().map_err(|error| format!("rustc: {error}"))?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say which machine this is".to_owned())
}

fn build(folder: &Path, built: &Path, host: &str, targets: &[String]) -> Result<(), String> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--release", "--target", host, "--target-dir"]).arg(built);
    command.args(targets.iter().flat_map(|target| ["--bin", target]));
    run(command.current_dir(folder).env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}")))
}

fn fuzz_target(plan: &Plan, target: &str, program: &Path, folder: &Path, built: &Path) -> Result<(), String> {
    let (corpus, artifacts) = (built.join("corpus").join(target), built.join("artifacts").join(target));
    for folder in [&corpus, &artifacts] {
        fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    }
    let mut command = Command::new(program);
    command.arg(format!("-max_total_time={}", plan.seconds));
    command.arg(format!("-dict={}", folder.join("dictionaries").join(format!("{target}.dict")).display()));
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    // An input that takes so long or so much is a finding.
    command.args(["-timeout=10", "-rss_limit_mb=1024", "-max_len=16384", "-print_final_stats=1"]);
    run(command.args(&plan.options).arg(corpus).arg(folder.join("seeds").join(target)))
}
