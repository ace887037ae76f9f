//! The whole program through its own doors: the HTTP API, the command line, signals and the database, with the
//! sandbox in the platforms' place. Expected values are the specification's and the platforms' own, never what the
//! program happened to answer.
#![expect(clippy::unwrap_used, reason = "clippy's leave for tests does not reach their helpers")]

mod harness;

mod attribution;
mod bad_input;
mod batches;
mod bookings;
mod browser;
mod cli_check;
mod cli_explain;
mod cli_misc;
mod cli_send;
mod clock;
mod consent;
mod crash;
mod deliveries;
mod disk;
mod dns;
mod faults;
mod flow;
mod google_rows;
mod graphql;
mod holds;
mod holds_passing;
mod ingest;
mod isolation;
mod keys;
mod matrix;
mod one_service;
mod openapi;
mod power;
mod privacy;
mod queue;
mod queue_calls;
mod reasons;
mod remapped;
mod replay;
mod replays;
mod request_ids;
mod rules;
mod sinks;
mod spec;
mod stop;
mod tls;
mod verdicts;
