//! The judge: what the rules say of a gate's opt-outs, and whether a ledger's verdicts came out as they should.
//!
//! Purpose: whoever records a verdict and whoever judges it again ask the same functions. [`judgement`] and [`verdict`] say
//! what follows from a run and the opt-outs that count ([`standing`]); [`life`] whether one is over; [`derivation`] and [`approvals`] whether a grant
//! holds, [`acts`] what others may do with it, [`signatures`], [`trailer`], [`statement`] and [`ownership`] whether
//! somebody signed for it; [`replay`] judges a whole ledger again.
//!
//! Invariants: no store, no process, no clock. What stands in a ledger comes in as entries; only [`policy_text`] reads
//! files, those of a policy.
//!
//! Not here: reading and appending (gate-workflow), and asking git (gate-checkout).

pub mod acts;
pub mod approvals;
pub mod derivation;
pub mod judgement;
pub mod life;
pub mod lifting;
pub mod moment;
pub mod ownership;
pub mod policy_lint;
pub mod policy_text;
pub mod recorded;
pub mod records;
pub mod replay;
pub mod repository;
pub mod signatures;
pub mod standing;
pub mod statement;
pub mod submitted;
pub mod suggest;
pub mod trailer;
pub mod verdict;
