//! The booking systems' connectors in this program: one line each, for the reason that `sinks.rs` gives.

use source_acuity as _;
