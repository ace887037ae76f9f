//! Signalbox with a sink for Acme.

use std::process::ExitCode;

use sink_acme as _; // links the sink

fn main() -> ExitCode {
    signalbox::cli::main()
}
