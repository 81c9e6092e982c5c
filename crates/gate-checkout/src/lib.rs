//! What must be asked of other programs: git, ssh-keygen and ssh-agent.
//!
//! Purpose: gather the facts of a run ([`facts`]: CI variables, the checkout that [`git`] knows, the operating
//! system's user), sign with the keys that people have ([`signing`]), and sign notes with a key in an agent
//! ([`agent`]).
//!
//! Invariants: this is the only library of the project that starts a process; a lint forbids it elsewhere. What
//! disagrees is reported as a conflict, never settled by guessing. No program of a repository is run to learn
//! facts about it.
//!
//! Not here: verification of signatures and tokens (gate-identity), which starts nothing, and the gated command
//! (gate-check).

#![allow(clippy::disallowed_methods, reason = "this is the library that starts processes")]

pub mod agent;
pub mod editor;
pub mod facts;
pub mod git;
pub mod helper;
pub mod signing;
