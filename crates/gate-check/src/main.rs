//! Runs a gate of a pipeline, or judges its report.

mod args;
mod checkout;
mod child;
mod finished;
mod freshness;
mod list;
mod named;
mod output_file;
mod outputs;
mod places;
mod reports;
mod run;

fn main() -> std::process::ExitCode {
    gate_cli::main::main(run::TOOL, run::run)
}
