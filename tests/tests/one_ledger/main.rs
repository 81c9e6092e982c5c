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
#[allow(dead_code, reason = "the tests of the helper itself use all of it")]
#[path = "../remote/postgres/cluster.rs"]
mod cluster;
mod erasing;
mod full;
mod helpers;
mod hosts;
mod kept;
mod moving;
mod names;
mod reach;
#[path = "../remote/servers/sshd.rs"]
mod servers;
mod several;
mod sharing;
#[path = "../support/mod.rs"]
mod support;
mod town;
mod unfit;
mod waiting;
