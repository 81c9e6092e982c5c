//! The transactions of gate: check, request, approve, revoke, review, pause, resume.
//!
//! Decisions are pure (gate-judge, and everything in gate-policy); this crate gathers what they need from
//! the ledger, applies them inside one transaction, and records what came out.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test may start programs"))]

pub mod admission;
pub mod approval;
pub mod archiving;
pub mod check;
mod debts;
pub mod derivation;
pub mod ending;
pub mod history;
pub mod ids;
pub mod ledger_access;
mod lifting;
pub mod overview;
pub mod ownership;
pub mod policies;
pub mod policy_source;
pub mod proving;
pub mod reading;
pub mod refusal;
pub mod remedy;
pub mod remote;
pub mod renewal;
pub mod review;
pub mod sealing;
pub mod signing;
pub mod standing;
pub mod token;
pub(crate) mod trailers;
pub mod wish;
pub mod workspace;
