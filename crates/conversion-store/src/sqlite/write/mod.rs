//! What runs on the writer thread. Every function here is part of one transaction.

pub(super) mod accept;
mod appointment;
pub(super) mod attribution;
pub(super) mod confirmation;
pub(super) mod dedup;
pub(super) mod hold;
pub(super) mod intern;
pub(super) mod lease;
pub(super) mod notice;
pub(super) mod probe;
pub(super) mod queue;
pub(super) mod replay;
pub(super) mod retry;
pub(super) mod run;
pub(super) mod settle;
pub(super) mod tally;
