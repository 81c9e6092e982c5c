//! Keeps a ledger on a branch of a git repository: a helper that speaks `gate.remote/1`, see gate-remote(7).
//!
//! The branch's tree holds the lines of an export, unchanged ([`layout`]). A push without force is the
//! compare-and-set: it succeeds only on top of the commit that was read. What is read is hashed against the id that
//! the server names, so that neither the cache nor anything in a checkout is trusted.
//!
//! Everything git does happens in a repository of the helper's own ([`cache`]), in which nothing is ever checked out:
//! no hook, filter or attribute of anybody's takes part. From the checkout come names of remotes and the settings
//! that lead to a server ([`settings`]), nothing else.

mod address;
mod cache;
mod commit;
mod error;
mod git;
mod layout;
mod message;
mod objects;
mod push;
mod remote;
mod run;
mod settings;
mod tip;

fn main() -> std::process::ExitCode {
    gate_cli::main::main(run::TOOL, run::run)
}
