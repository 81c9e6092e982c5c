//! Verifies a ledger offline, trusting nobody.
//!
//! It starts no process, opens no connection, and writes no file.

mod anchor;
mod archive;
mod args;
mod from;
mod input;
mod keys;
mod ledger;
mod pin;
mod policy;
mod proof;
mod report;
mod run;
mod trust;

fn main() -> std::process::ExitCode {
    gate_cli::main::main(run::TOOL, run::run)
}
