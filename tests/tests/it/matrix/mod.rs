//! The fault matrix: one test for each row of `docs/reliability.md`. After each the account balances, nothing is lost,
//! nothing is counted twice, and nothing was sent again but what was in flight.

mod callers;
mod crash_points;
mod kills;
mod limits;
mod network;
mod outages;
mod refusals;
mod tokens;
mod window;
