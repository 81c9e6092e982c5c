//! Reading the ledger for people and reports: lists, statistics, what is due.
//!
//! Purpose: what `gate-log` shows is gathered here, so that every tool counts and filters the same way.
//!
//! Invariants:
//! - every entry that is looked at is hashed again and compared with its stored hash, its position and its
//!   ledger; a gap ends the reading with an error. A list is no verification (gate-verify follows the chain),
//!   but it never shows an entry that cannot be one.
//! - memory does not grow with the ledger, and no read transaction lasts longer than one batch of entries, so
//!   that a slow reader (a pager) never keeps writers from folding their write-ahead log.
//! - the clock is passed in.
//!
//! Not here: judging (an opt-out's standing is [`crate::standing`]'s), writing, and how things look.

pub mod due;
pub mod filter;
pub mod list;
pub mod record;
pub mod report;
mod scan;
pub mod stats;

pub use filter::{Filter, Period};
pub use record::Record;
