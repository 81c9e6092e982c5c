//! Who acts, where, and how well that is known.
//!
//! Purpose: turn what surrounds a run into a [`gate_model::principal::Principal`] and a
//! [`gate_model::context::Context`]: CI variables ([`ci`]) beside what [`git`] knows, the operating system's
//! user ([`os`]), SSH signatures ([`ssh`]) and CI tokens ([`oidc`]). [`folder`] reads what policies and keys lie in
//! without following a link.
//!
//! Invariants: an identity is never stronger than its proof: what comes from variables, from git or from
//! the operating system is `asserted`. What disagrees is reported as a conflict, never settled by
//! guessing. No process is started: gate-checkout asks git, signs, and gathers.
//!
//! Not here: whether somebody may do something (gate-policy), and recording it (gate-ledger).

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test may start programs"))]

pub mod ci;
pub mod folder;
pub mod git;
pub mod oidc;
pub mod os;
pub mod ssh;
