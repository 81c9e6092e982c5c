//! A hash-chained ledger of JSON entries that anyone can check offline.
//!
//! Purpose: write entries that cannot be changed, dropped or re-ordered unseen, find them again quickly, and
//! prove to somebody who trusts nobody here that they are whole. The format is specified on top of
//! [`entry`]; the JSON it is written in on top of [`profile`].
//!
//! Invariants: a body is hashed as the bytes that are stored, never as a value that was read and written
//! again; whatever is acted upon is hashed again first; whatever cannot be checked counts as bad.
//! The clock and randomness enter at [`store`] only, the clock always as an argument.
//!
//! Not here: what entries mean. This crate knows nothing of gates; it could serve another project.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test may start programs"))]

pub mod archive;
pub mod chain;
pub mod checkpoint;
pub mod commitment;
pub mod cosignature;
pub mod entry;
pub mod infile;
pub mod note;
pub mod outfile;
pub mod profile;
pub mod proof;
pub mod redaction;
pub mod remote;
pub mod salvage;
pub mod store;
pub mod tree;
pub mod verify;
pub mod waiting;
