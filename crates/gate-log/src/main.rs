//! Keeps and reads the ledger of gate decisions and opt-outs.

mod append;
mod archive;
mod args;
mod checkpoint;
mod copy;
mod due;
mod erase;
mod export;
mod exports;
mod follow;
mod init;
mod lines;
mod list;
mod prove;
mod report;
mod run;
mod salvage;
mod session;
mod signer;
mod stats;
mod sync;
mod tree;

fn main() -> std::process::ExitCode {
    gate_cli::main::main(run::TOOL, run::run)
}
