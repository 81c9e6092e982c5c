//! Who acts, where, and how well that is known.
//!
//! Purpose: turn what surrounds a run into a [`gate_model::principal::Principal`] and a
//! [`gate_model::context::Context`]: CI variables ([`ci`]), the operating system's user ([`os`]), the git
//! checkout ([`git`]), SSH signatures ([`ssh`]) and CI tokens ([`oidc`]); [`facts`] merges the first three.
//!
//! Invariants: an identity is never stronger than its proof: what comes from variables, from git or from
//! the operating system is `asserted`. What disagrees is reported as a conflict, never settled by
//! guessing. No program of a repository is run to learn facts about it.
//!
//! Not here: whether somebody may do something (gate-policy), and recording it (gate-ledger).

pub mod ci;
pub mod facts;
pub mod git;
pub mod oidc;
pub mod os;
pub mod ssh;
