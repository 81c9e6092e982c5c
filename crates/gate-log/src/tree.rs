//! The ledger's entries as the leaves of its Merkle tree.

use std::ops::{ControlFlow, Range};

use gate_ledger::store::{StoreError, View};
use gate_ledger::tree::{Hash, Leaves, leaf_hash};

/// The leaves, read from the bodies as they are stored. Whether these are the right ones shows in the root.
pub(crate) struct Bodies<'a>(pub View<'a>);

impl Leaves for Bodies<'_> {
    type Error = StoreError;

    fn leaf(&self, index: u64) -> Result<Hash, StoreError> {
        let mut found = None;
        self.scan(index..index.saturating_add(1), &mut |leaf| found = Some(leaf))?;
        let missing = gate_ledger::chain::Bad::Gap { expected: index, found: index.saturating_add(1) };
        found.ok_or(StoreError::Bad { seq: i64::try_from(index).unwrap_or(i64::MAX), source: missing })
    }

    fn scan(&self, range: Range<u64>, visit: &mut dyn FnMut(Hash)) -> Result<(), StoreError> {
        let Some(last) = range.end.checked_sub(1).filter(|last| *last >= range.start) else { return Ok(()) };
        self.0.scan_lines(range.start, Some(last), &mut |body, _| {
            visit(leaf_hash(body));
            ControlFlow::Continue(())
        })
    }
}
