//! Replay: what these tools record agrees with itself, what somebody forged does not.
#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and one that is skipped says so"
)]

mod ends;
mod forged;
mod golden;
mod honest;
mod instants;
mod ledger;
mod lives;
mod model;
mod observed;
mod own_rules;
mod pasts;
mod plays;
mod renewals;
mod unused;
mod world;
