//! What the tests share: a service in this process ([`World`]) or as a process of its own ([`Program`]), a client of
//! its API, and events.

mod api;
mod bookings;
pub(crate) mod disk;
mod events;
mod faults;
mod figures;
mod graphql;
mod ground;
mod platforms;
mod program;
mod visits;
mod wait;
mod world;

pub(crate) use api::{Api, Counts, Reply};
pub(crate) use bookings::{FIELD, TRIAL, WEBHOOKS, trial};
pub(crate) use events::{SPEC_EVENT, booked, event, ids, many};
pub(crate) use faults::Faults;
pub(crate) use figures::{figure, is_long};
pub(crate) use graphql::SPEC_QUERY;
pub(crate) use ground::{Ground, Outcome, SMALL_BATCHES};
pub(crate) use platforms::{
    ALL, BOTH, DATA_MANAGER, GOOGLE, META, Platforms, TIKTOK, data_manager_verdict, google_verdict,
    tiktok_verdict,
};
pub(crate) use program::{Program, signalbox};
pub(crate) use visits::{BROWSER, HASHED_VISITOR, SITE, SITE_SETTINGS, VISITOR};
pub(crate) use wait::until;
pub(crate) use world::{Setup, World};
