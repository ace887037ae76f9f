//! The sandbox through real sockets. Expected answers are those of the platforms' documentation.
#![expect(clippy::unwrap_used, reason = "clippy's leave for tests does not reach their helpers")]

mod acuity_api;
mod acuity_control;
mod acuity_webhooks;
mod control;
mod data_manager;
mod faults;
mod google_adjustments;
mod google_dedup;
mod google_requests;
mod google_rows;
mod harness;
mod meta;
mod oauth;
mod qstash;
mod receiver;
mod tiktok_accepts;
mod tiktok_dedup;
mod tiktok_refuses;
