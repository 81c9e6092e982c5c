//! One ledger for many machines: the tools over remotes, as pipelines and people use them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests stop at the first surprise, start programs, and say what they skip"
)]

mod attacks;
mod helpers;
mod moving;
mod reach;
#[path = "../remote/servers/sshd.rs"]
mod servers;
mod sharing;
#[path = "../support/mod.rs"]
mod support;
mod town;
mod waiting;
