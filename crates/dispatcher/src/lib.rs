//! Signalbox as a library: the dispatcher, its configuration, its HTTP API and its command line.
//!
//! The way of an event: [`ingest`] → [`route`] → store → [`worker`] (lease, prepare, [`batch`], [`gate`], send) →
//! [`settle`] → [`ledger`] → store. [`booking`] makes events of what booking systems tell.

pub mod alarm;
pub mod api;
pub mod batch;
pub mod booking;
pub mod cli;
pub mod clock;
pub mod config;
pub mod gate;
pub mod graphql;
pub mod group;
pub mod ingest;
pub mod intake;
pub mod ledger;
pub mod platform;
pub mod queue;
pub mod rate;
pub mod reason;
pub mod replay;
pub mod route;
pub mod run;
pub mod screen;
pub mod seldom;
pub mod service;
pub mod settle;
mod sinks;
mod sources;
pub mod telemetry;
pub mod tls;
pub mod verdict;
pub mod visits;
pub mod watch;
pub mod worker;

pub use clock::Clock;
pub use config::{Config, Environment};
pub use service::Service;
