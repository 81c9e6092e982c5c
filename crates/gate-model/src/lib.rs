//! The words of gate.
//!
//! Purpose: every name that crosses a process boundary is declared here once: exit codes, levels,
//! actions, principals, scopes, findings, the JSON documents that the tools print, and the payloads
//! that ledger entries carry. One word for one thing, as `gate(7)` lists them.
//!
//! Invariants: no I/O, no clock, no environment. Whoever needs `now` passes a [`time::Timestamp`] in.
//! An absent member is left out of JSON, never written as `null`, save where a document says so.
//!
//! Not here: judging (gate-policy, gate-findings), recording (gate-ledger), knowing who (gate-identity).

pub mod action;
pub mod context;
pub mod decision;
pub mod digest;
pub mod exit;
pub mod finding;
pub mod gate;
pub mod glob;
pub mod grant;
pub mod issuer;
pub mod level;
pub mod opening;
pub mod path_glob;
pub mod payload;
pub mod percent;
pub mod principal;
pub mod quote;
pub mod repository;
pub mod request;
pub mod scope;
pub mod score;
pub mod text;
pub mod time;
pub mod verification;

/// The version of the judging rules that this build applies; each verdict records it as `judge`.
///
/// It rises whenever the same facts could get another verdict. Old judges stay in the code.
pub const JUDGE: u32 = 1;
