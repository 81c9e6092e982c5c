//! Roots and proofs from leaves: RFC 6962, sections 2.1.1 (audit paths) and 2.1.2 (consistency proofs).
//!
//! Each function asks for leaves in ascending order and for each at most once, so that a ledger answers with
//! one forward scan, in memory proportional to the logarithm of the size.

use std::ops::Range;

use super::{CompactRange, Hash, left_size};

/// Where leaves come from: a slice, a table, a file.
pub trait Leaves {
    /// Why a leaf cannot be had.
    type Error: std::error::Error + 'static;

    /// The leaf of entry `index`, as [`super::leaf_hash`] computes it from the entry's bytes.
    ///
    /// # Errors
    /// The implementor's own; an index beyond the end is one.
    fn leaf(&self, index: u64) -> Result<Hash, Self::Error>;

    /// Hands the leaves of `range` to `visit`, in order. A store overrides this with one range query.
    ///
    /// # Errors
    /// The implementor's own. Visiting fewer or more leaves than asked for is found by the caller.
    fn scan(&self, range: Range<u64>, visit: &mut dyn FnMut(Hash)) -> Result<(), Self::Error> {
        for index in range {
            visit(self.leaf(index)?);
        }
        Ok(())
    }

    /// The root of the leaves of `range` by themselves, where the source keeps it (of a segment that was
    /// archived, for instance). `None`, the default, has it computed from the leaves.
    ///
    /// # Errors
    /// The implementor's own.
    fn kept(&self, _range: &Range<u64>) -> Result<Option<Hash>, Self::Error> {
        Ok(None)
    }
}

/// A slice has no leaf of that index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no leaf {0}")]
pub struct MissingLeaf(pub u64);

impl Leaves for [Hash] {
    type Error = MissingLeaf;

    fn leaf(&self, index: u64) -> Result<Hash, MissingLeaf> {
        usize::try_from(index).ok().and_then(|i| self.get(i)).copied().ok_or(MissingLeaf(index))
    }
}

/// Why a root or a proof cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E: std::error::Error + 'static> {
    /// The entry is not among the first `size`.
    #[error("there is no entry {index} in a tree of size {size}; the last one is {size} - 1")]
    IndexOutOfRange {
        /// What was asked for.
        index: u64,
        /// Leaves of the tree.
        size: u64,
    },
    /// Every history extends the empty one.
    #[error("the empty tree proves nothing; name an older size of at least 1")]
    OldEmpty,
    /// The older tree is the larger one.
    #[error("a tree of size {old} cannot be a prefix of one of size {new}; give the smaller size first")]
    OldLarger {
        /// Size of the older tree.
        old: u64,
        /// Size of the newer tree.
        new: u64,
    },
    /// The source visited another number of leaves than it was asked for.
    #[error("leaves {from} to {to} were asked for, {found} came; the ledger is shorter than it said")]
    WrongCount {
        /// First leaf.
        from: u64,
        /// The leaf after the last.
        to: u64,
        /// How many came.
        found: u64,
    },
    /// The source failed.
    #[error("cannot read the leaves of the tree: {0}")]
    Read(#[source] E),
}

/// The root of the first `size` leaves (RFC 6962, section 2.1).
///
/// # Errors
/// What reading the leaves gives.
pub fn root_of<L: Leaves + ?Sized>(leaves: &L, size: u64) -> Result<Hash, ProveError<L::Error>> {
    subtree(leaves, 0..size)
}

/// The path that proves leaf `index` in the tree of the first `size` leaves, from its sibling upward
/// (RFC 6962, section 2.1.1). Reads all other leaves once.
///
/// # Errors
/// [`ProveError::IndexOutOfRange`], or what reading the leaves gives.
pub fn inclusion_proof<L: Leaves + ?Sized>(
    leaves: &L,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProveError<L::Error>> {
    if index >= size {
        return Err(ProveError::IndexOutOfRange { index, size });
    }
    let mut proof = Vec::new();
    audit_path(leaves, index, 0..size, &mut proof)?;
    Ok(proof)
}

/// The proof that the tree of the first `new` leaves begins with the first `old` ones (RFC 6962,
/// section 2.1.2). Empty where both sizes are equal.
///
/// # Errors
/// [`ProveError::OldEmpty`], [`ProveError::OldLarger`], or what reading the leaves gives.
pub fn consistency_proof<L: Leaves + ?Sized>(
    leaves: &L,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, ProveError<L::Error>> {
    if old == 0 {
        return Err(ProveError::OldEmpty);
    }
    if old > new {
        return Err(ProveError::OldLarger { old, new });
    }
    let mut proof = Vec::new();
    extension(leaves, old, 0..new, &mut proof)?;
    Ok(proof)
}

/// `PATH(m, D[n])` of RFC 6962 for the leaves of `range`. At most 64 levels deep.
fn audit_path<L: Leaves + ?Sized>(
    leaves: &L,
    index: u64,
    range: Range<u64>,
    proof: &mut Vec<Hash>,
) -> Result<(), ProveError<L::Error>> {
    if range.end - range.start == 1 {
        return Ok(());
    }
    let middle = range.start + left_size(range.end - range.start);
    // The left part is always read first, so that the source sees ascending indexes.
    if index < middle {
        audit_path(leaves, index, range.start..middle, proof)?;
        proof.push(subtree(leaves, middle..range.end)?);
    } else {
        let left = subtree(leaves, range.start..middle)?;
        audit_path(leaves, index, middle..range.end, proof)?;
        proof.push(left);
    }
    Ok(())
}

/// `SUBPROOF(m, D[n], b)` of RFC 6962 for the leaves of `range`; its `b` holds just where the range begins
/// at leaf 0, since going right leaves the old root behind for good. At most 64 levels deep.
fn extension<L: Leaves + ?Sized>(
    leaves: &L,
    old: u64,
    range: Range<u64>,
    proof: &mut Vec<Hash>,
) -> Result<(), ProveError<L::Error>> {
    if old == range.end {
        if range.start != 0 {
            proof.push(subtree(leaves, range)?);
        }
        return Ok(());
    }
    let middle = range.start + left_size(range.end - range.start);
    if old <= middle {
        extension(leaves, old, range.start..middle, proof)?;
        proof.push(subtree(leaves, middle..range.end)?);
    } else {
        let left = subtree(leaves, range.start..middle)?;
        extension(leaves, old, middle..range.end, proof)?;
        proof.push(left);
    }
    Ok(())
}

/// The root of the leaves of `range` by themselves.
fn subtree<L: Leaves + ?Sized>(leaves: &L, range: Range<u64>) -> Result<Hash, ProveError<L::Error>> {
    if let Some(root) = leaves.kept(&range).map_err(ProveError::Read)? {
        return Ok(root);
    }
    let (from, to) = (range.start, range.end);
    let mut inner = CompactRange::default();
    leaves.scan(range, &mut |leaf| inner.push(leaf)).map_err(ProveError::Read)?;
    if inner.size() != to - from {
        return Err(ProveError::WrongCount { from, to, found: inner.size() });
    }
    Ok(inner.root())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::ops::Range;

    use super::{Leaves, MissingLeaf, ProveError, consistency_proof, inclusion_proof, root_of};
    use crate::tree::{Hash, leaf_hash};

    /// Remembers which leaves were asked for.
    struct Watched(RefCell<Vec<u64>>);

    impl Leaves for Watched {
        type Error = MissingLeaf;
        fn leaf(&self, index: u64) -> Result<Hash, MissingLeaf> {
            self.0.borrow_mut().push(index);
            Ok(leaf_hash(&index.to_be_bytes()))
        }
    }

    #[test]
    fn leaves_are_asked_for_in_ascending_order_and_once() {
        for size in 1..40 {
            for chosen in 0..size {
                let watched = Watched(RefCell::default());
                inclusion_proof(&watched, chosen, size).unwrap();
                let expected: Vec<u64> = (0..size).filter(|index| *index != chosen).collect();
                assert_eq!(watched.0.into_inner(), expected);
                let watched = Watched(RefCell::default());
                consistency_proof(&watched, chosen + 1, size).unwrap();
                assert!(watched.0.into_inner().windows(2).all(|pair| pair[0] < pair[1]));
            }
        }
    }

    /// A ledger that lost its tail while it was read.
    struct CutShort;

    impl Leaves for CutShort {
        type Error = MissingLeaf;
        fn leaf(&self, index: u64) -> Result<Hash, MissingLeaf> {
            Err(MissingLeaf(index))
        }
        fn scan(&self, range: Range<u64>, visit: &mut dyn FnMut(Hash)) -> Result<(), MissingLeaf> {
            range.skip(1).for_each(|index| visit(leaf_hash(&index.to_be_bytes())));
            Ok(())
        }
    }

    #[test]
    fn a_source_that_visits_too_few_leaves_is_found() {
        assert_eq!(root_of(&CutShort, 3), Err(ProveError::WrongCount { from: 0, to: 3, found: 2 }));
    }

    #[test]
    fn impossible_requests_are_refused() {
        let leaves = [leaf_hash(b"a"), leaf_hash(b"b")];
        let leaves = leaves.as_slice();
        assert_eq!(inclusion_proof(leaves, 2, 2), Err(ProveError::IndexOutOfRange { index: 2, size: 2 }));
        assert_eq!(inclusion_proof(leaves, 0, 0), Err(ProveError::IndexOutOfRange { index: 0, size: 0 }));
        assert_eq!(inclusion_proof(leaves, 0, 3), Err(ProveError::Read(MissingLeaf(2))));
        assert_eq!(consistency_proof(leaves, 0, 2), Err(ProveError::OldEmpty));
        assert_eq!(consistency_proof(leaves, 2, 1), Err(ProveError::OldLarger { old: 2, new: 1 }));
        assert_eq!(consistency_proof(leaves, 2, 2), Ok(vec![]));
        assert_eq!(root_of(leaves, 3), Err(ProveError::Read(MissingLeaf(2))));
    }
}
