//! Lists: the entries that a filter admits, in the order somebody wants them.

use std::ops::ControlFlow;

use gate_ledger::store::{Ledger, StoreError};

use super::filter::Filter;
use super::record::Record;
use super::scan;
use super::stats::Archived;

/// What a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Which entries.
    pub filter: Filter,
    /// Only so many of the newest.
    pub newest: Option<u64>,
    /// Newest first.
    pub reverse: bool,
}

/// What a caller does with each entry; `Break` ends the list.
pub type Each<'e> = &'e mut dyn FnMut(&Record<'_>) -> Result<ControlFlow<()>, StoreError>;

/// Hands the selected entries to `each`, up to the one that is newest now. Returns the position after that.
///
/// # Errors
/// A [`StoreError`].
pub fn list(ledger: &Ledger, selection: &Selection, each: Each<'_>) -> Result<u64, StoreError> {
    let head = ledger.view().head()?.seq;
    let Selection { filter, newest, reverse } = selection;
    match (newest, reverse) {
        (Some(0), _) => {}
        (Some(newest), true) => {
            let mut left = *newest;
            let each = &mut |record: &Record<'_>| {
                left -= 1;
                Ok(if each(record)?.is_break() || left == 0 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            };
            backward(ledger, filter, filter.first(), head, each)?;
        }
        (Some(newest), false) => {
            // First where the newest ones begin, then on from there: no entry has to be kept.
            if let Some(first) = begin(ledger, filter, head, *newest)? {
                forward(ledger, filter, first, head, each)?;
            }
        }
        (None, true) => backward(ledger, filter, filter.first(), head, each)?,
        (None, false) => forward(ledger, filter, filter.first(), head, each)?,
    }
    Ok(head + 1)
}

/// The entries that a list of `selection` could not show because they are in an archive, where `shown` is how many it
/// did show.
///
/// # Errors
/// A [`StoreError`].
pub fn archived(ledger: &Ledger, selection: &Selection, shown: u64) -> Result<Option<Archived>, StoreError> {
    let is_complete = selection.newest.is_some_and(|newest| shown >= newest);
    let archived = if is_complete { None } else { Archived::read(ledger)? };
    Ok(archived.filter(|archived| selection.filter.first() < archived.before))
}

/// Hands the entries from position `from` on that `filter` admits to `each`. Returns the position after the
/// newest entry, from which the next call goes on.
///
/// # Errors
/// A [`StoreError`].
pub fn since(ledger: &Ledger, filter: &Filter, from: u64, each: Each<'_>) -> Result<u64, StoreError> {
    let head = ledger.view().head()?.seq;
    forward(ledger, filter, from.max(filter.first()), head, each)?;
    Ok(from.max(head + 1))
}

/// The position of the `newest`-th entry from the end that `filter` admits, or of the first one where there
/// are fewer.
fn begin(ledger: &Ledger, filter: &Filter, head: u64, newest: u64) -> Result<Option<u64>, StoreError> {
    let mut found = None;
    let mut left = newest;
    backward(ledger, filter, filter.first(), head, &mut |record| {
        found = Some(record.facts.seq);
        left -= 1;
        Ok(if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(found)
}

fn forward(
    ledger: &Ledger,
    filter: &Filter,
    first: u64,
    last: u64,
    each: Each<'_>,
) -> Result<(), StoreError> {
    scan::forward(ledger, first, last, &mut |record| sift(filter, record, each))
}

fn backward(
    ledger: &Ledger,
    filter: &Filter,
    first: u64,
    last: u64,
    each: Each<'_>,
) -> Result<(), StoreError> {
    scan::backward(ledger, first, last, &mut |record| sift(filter, record, each))
}

fn sift(filter: &Filter, record: &Record<'_>, each: Each<'_>) -> Result<ControlFlow<()>, StoreError> {
    if filter.admits(record)? { each(record) } else { Ok(ControlFlow::Continue(())) }
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
