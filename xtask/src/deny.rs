//! Dependencies held against `deny.toml`: licences, duplicate and banned crates, where they come from.

use std::env;
use std::process::Command;

use super::{cargo_program, run};

const VERSION: &str = "0.20.2";

/// Installs cargo-deny where it is missing, and runs all of its checks that need nothing from the network.
pub(crate) fn check() -> Result<(), String> {
    let own = env::current_exe().map_err(|error| format!("the target folder is not known: {error}"))?;
    let target = own.parent().and_then(|profile| profile.parent()).ok_or("the target folder is not known")?;
    let tools = target.join(format!("tools/cargo-deny-{VERSION}"));
    let program = tools.join(format!("bin/cargo-deny{}", env::consts::EXE_SUFFIX));
    if !program.exists() {
        // Built for one run a day, not for speed: that takes a third of the time. In a folder of its own, which cargo
        // removes.
        let arguments = ["install", "cargo-deny", "--version", VERSION, "--locked", "--debug", "--root"];
        let mut install = Command::new(cargo_program());
        install
            .args(arguments)
            .arg(&tools)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env_remove("CARGO_TARGET_DIR");
        run(&mut install)?;
    }
    let arguments = ["--locked", "check", "--deny", "warnings", "licenses", "bans", "sources"];
    run(Command::new(program).args(arguments))
}
