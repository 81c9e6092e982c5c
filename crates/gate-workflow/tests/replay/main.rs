//! Replay: what these tools record agrees with itself, what somebody forged does not.

mod forged;
mod golden;
mod honest;
mod ledger;
mod world;
