//! The policy as its users meet it: texts in, diagnostics and verdicts out.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod admission;
mod facts;
mod lint;
mod parsing;
mod properties;
mod reach;
mod renewal;
mod roles;
mod support;
