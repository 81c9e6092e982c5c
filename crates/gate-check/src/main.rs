//! Runs a gate of a pipeline, or judges its report.

mod args;
mod checkout;
mod child;
mod decision_file;
mod freshness;
mod list;
mod named;
mod places;
mod reports;
mod run;

fn main() -> std::process::ExitCode {
    gate_cli::main::main(run::TOOL, run::run)
}
