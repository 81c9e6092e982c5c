//! A report for people who were not there: what went past the gates over time, by whose opt-outs, and what is open.
//!
//! Purpose: one pass over the entries of one ledger, or of several whose exports come in one stream; then one
//! document, [`Report`], which says everything that is drawn of it.
//!
//! Invariants: an entry is counted once; one whose content is not what its kind promises is named in
//! [`Report::unreadable`] and counted nowhere. Memory grows with the number of opt-outs, people and judgements (eight
//! bytes each), not with the size of entries.
//!
//! What is live here is live by its grant alone: whether an opt-out still counts at a gate is decided there, by
//! today's policy.

mod conclude;
mod days;
mod document;
mod gather;
mod lives;

use std::ops::ControlFlow;

use gate_ledger::store::{Ledger, StoreError};

use super::scan;

pub use document::{
    Approvals, Figures, GateRow, LedgerPart, Live, OptOut, Owed, PersonRow, Place, Report, SCHEMA, Slow,
    Timeline, Unneeded, Waiting,
};
pub use gather::Gatherer;

/// Hands every entry of `ledger` to `gatherer`.
///
/// # Errors
/// A [`StoreError`].
pub fn read(ledger: &Ledger, gatherer: &mut Gatherer<'_>) -> Result<(), StoreError> {
    let head = ledger.view().head()?.seq;
    scan::forward(ledger, 0, head, &mut |record| {
        gatherer.take(&record.facts, record.body, &mut |entry| {
            record.view.map_or(Ok(()), |view| view.reveal(entry))
        })?;
        Ok(ControlFlow::Continue(()))
    })
}
