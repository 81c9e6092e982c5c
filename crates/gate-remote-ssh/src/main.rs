//! A ledger on another host, reached by ssh: a helper that speaks `gate.remote/1`, see gate-remote(7).
//!
//! Started with `ssh://host/path` it runs itself on that host ([`client`]); started with `--serve PATH` it answers from
//! the ordinary SQLite ledger there ([`ledger`]). So any host that people can log in to is a ledger server, and a
//! forced command makes of a key one that can append and nothing else.

mod address;
mod client;
mod ledger;
mod role;
mod run;

fn main() -> std::process::ExitCode {
    gate_cli::main::main(run::TOOL, run::run)
}
