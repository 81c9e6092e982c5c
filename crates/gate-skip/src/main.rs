//! Asks for, approves, ends or reviews an opt-out from a gate.

mod acting;
mod args;
mod asking;
mod documents;
mod endorsing;
mod habits;
mod import;
mod reason;
mod renewing;
mod run;
mod stating;
mod submitting;
mod trailer;

fn main() -> std::process::ExitCode {
    gate_cli::main::main(run::TOOL, run::run)
}
