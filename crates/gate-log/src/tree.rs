//! The ledger's entries as the leaves of its Merkle tree.
//!
//! Of entries that were archived the ledger still has the roots of the perfect subtrees that they make up, in
//! its statement about them. That is all that a proof of a later entry needs.

use std::ops::{ControlFlow, Range};

use gate_ledger::archive::Statement;
use gate_ledger::store::{StoreError, View};
use gate_ledger::tree::{CompactRange, Hash, Leaves, leaf_hash};

/// The leaves, read from the bodies as they are stored. Whether these are the right ones shows in the root.
pub(crate) struct Bodies<'a> {
    view: View<'a>,
    archived: Option<(Statement, CompactRange)>,
}

impl<'a> Bodies<'a> {
    /// The leaves of the ledger behind `view`.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub(crate) fn of(view: View<'a>) -> Result<Self, StoreError> {
        let statement = view.archive()?.map(|(_, statement)| statement);
        // A statement that was read holds a tree of its size.
        let archived = statement.and_then(|statement| Some((statement.tree().ok()?, statement)));
        Ok(Self { view, archived: archived.map(|(tree, statement)| (statement, tree)) })
    }

    fn must_be_here(&self, seq: u64) -> Result<(), StoreError> {
        let Some((statement, _)) = &self.archived else { return Ok(()) };
        StoreError::archived(statement, seq).map_or(Ok(()), Err)
    }
}

impl Leaves for Bodies<'_> {
    type Error = StoreError;

    fn leaf(&self, index: u64) -> Result<Hash, StoreError> {
        let mut found = None;
        self.scan(index..index.saturating_add(1), &mut |leaf| found = Some(leaf))?;
        let missing = gate_ledger::chain::Bad::Gap { expected: index, found: index.saturating_add(1) };
        found.ok_or(StoreError::bad(index, missing))
    }

    fn scan(&self, range: Range<u64>, visit: &mut dyn FnMut(Hash)) -> Result<(), StoreError> {
        let Some(last) = range.end.checked_sub(1).filter(|last| *last >= range.start) else { return Ok(()) };
        if let Some((statement, _)) = &self.archived {
            range
                .clone()
                .take_while(|seq| *seq < statement.before)
                .try_for_each(|seq| self.must_be_here(seq))?;
        }
        self.view.scan_lines(range.start, Some(last), &mut |body, _| {
            visit(leaf_hash(body));
            ControlFlow::Continue(())
        })
    }

    fn kept(&self, range: &Range<u64>) -> Result<Option<Hash>, StoreError> {
        let Some((_, tree)) = &self.archived else { return Ok(None) };
        let within = range.start..range.end.min(tree.size());
        if range.start >= tree.size() {
            return Ok(None);
        }
        let Some(mut part) = tree.part(&within) else { return Ok(None) };
        self.scan(within.end..range.end, &mut |leaf| part.push(leaf))?;
        Ok(Some(part.root()))
    }
}
