//! The Google Ads sink through its public doors; the network is a server of our own.
#![expect(clippy::unwrap_used, reason = "clippy's leave for tests does not reach their helpers")]

mod advice;
mod check;
mod classify;
mod click_age;
mod click_ids;
mod config;
mod conformance;
mod oauth;
mod own_reply;
mod payload;
mod properties;
mod refusals;
mod retraction;
mod skips;
mod support;
mod vectors;
