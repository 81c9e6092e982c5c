//! One ledger for many machines: the tools over remotes, as pipelines and people use them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests stop at the first surprise, and start programs"
)]

mod attacks;
mod helpers;
mod reach;
mod sharing;
#[path = "../support/mod.rs"]
mod support;
mod town;
