//! Keeps ledgers in PostgreSQL: a helper that speaks `gate.remote/1`, see gate-remote(7).
//!
//! One row a ledger names its newest entry. Whoever appends takes that row first, compares it, adds entries, moves it,
//! and commits: that is the compare-and-set. Nothing else of PostgreSQL is used (no triggers, sequences, advisory
//! locks, notifications, prepared statements), so that poolers, and engines that speak its protocol, serve too.

mod error;
mod passfile;
mod remote;
mod run;
mod settings;
mod source;
mod tls;
mod transaction;

fn main() -> std::process::ExitCode {
    gate_cli::main::main(run::TOOL, run::run)
}
