//! Checking proofs: RFC 9162, sections 2.1.3.2 (inclusion) and 2.1.4.2 (consistency).
//!
//! RFC 9162 writes down the algorithms that RFC 6962 leaves to the reader; trees and proofs are the same.
//! Both walk up from the proven place, and need neither the leaves nor memory beyond a few hashes.

use super::{Hash, node_hash};

/// Why a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The entry would lie beyond the tree.
    #[error("there is no entry {index} in a tree of size {size}")]
    IndexOutOfRange {
        /// What is claimed to be in it.
        index: u64,
        /// Leaves of the tree.
        size: u64,
    },
    /// Every history extends the empty one.
    #[error("consistency with the empty tree says nothing")]
    OldEmpty,
    /// The older tree is the larger one.
    #[error("a tree of size {old} cannot be a prefix of one of size {new}")]
    OldLarger {
        /// Size of the older tree.
        old: u64,
        /// Size of the newer tree.
        new: u64,
    },
    /// Hashes are missing.
    #[error("the proof ends before it reaches the root")]
    TooShort,
    /// Hashes are left over.
    #[error("the proof goes on after it reached the root")]
    TooLong,
    /// The path leads to another root: another entry, place, tree, or an edited proof.
    #[error("the proof leads to another root")]
    RootMismatch,
    /// The path does not give the root of the older tree.
    #[error("the proof leads to another root of the older tree")]
    OldRootMismatch,
    /// The path does not give the root of the newer tree: history was rewritten.
    #[error("the proof leads to another root of the newer tree")]
    NewRootMismatch,
}

/// A place on the way up: its position on its level, and the last position on that level.
struct Climb {
    node: u64,
    last: u64,
}

impl Climb {
    /// Whether the next hash of the proof stands to the left of this place. Where the place is the last of
    /// its level and has no sibling, it is carried up unchanged to the level at which it gets a left one.
    fn sibling_is_left(&mut self) -> bool {
        let left = self.node & 1 == 1 || self.node == self.last;
        if left && self.node & 1 == 0 {
            let levels = self.node.trailing_zeros().min(63);
            self.node >>= levels;
            self.last >>= levels;
        }
        left
    }

    /// One level up.
    fn rise(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }
}

/// Checks that `leaf` is entry `index` of the tree of `size` leaves with that `root` (RFC 9162, 2.1.3.2).
///
/// # Errors
/// The [`ProofError`] that was met.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::IndexOutOfRange { index, size });
    }
    let mut at = Climb { node: index, last: size - 1 };
    let mut hash = *leaf;
    for sibling in proof {
        if at.last == 0 {
            return Err(ProofError::TooLong);
        }
        hash = if at.sibling_is_left() { node_hash(sibling, &hash) } else { node_hash(&hash, sibling) };
        at.rise();
    }
    if at.last != 0 {
        return Err(ProofError::TooShort);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::RootMismatch) }
}

/// Checks that the tree of `new` leaves with `new_root` begins with the leaves of the tree of `old` leaves
/// with `old_root` (RFC 9162, 2.1.4.2). Equal sizes need equal roots and an empty proof.
///
/// # Errors
/// The [`ProofError`] that was met.
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old == 0 {
        return Err(ProofError::OldEmpty);
    }
    if old > new {
        return Err(ProofError::OldLarger { old, new });
    }
    if old == new {
        return verify_same(old_root, new_root, proof);
    }
    // Where the older tree is perfect, it is itself the first node, and is not sent (step 2).
    let (first, rest) = if old.is_power_of_two() {
        (old_root, proof)
    } else {
        proof.split_first().ok_or(ProofError::TooShort)?
    };
    let (old_end, new_end) = climb_both(old, new, first, rest)?;
    if old_end != *old_root {
        return Err(ProofError::OldRootMismatch);
    }
    if new_end == *new_root { Ok(()) } else { Err(ProofError::NewRootMismatch) }
}

/// Two trees of one size.
fn verify_same(old_root: &Hash, new_root: &Hash, proof: &[Hash]) -> Result<(), ProofError> {
    if !proof.is_empty() {
        return Err(ProofError::TooLong);
    }
    if old_root == new_root { Ok(()) } else { Err(ProofError::NewRootMismatch) }
}

/// The two roots that the proof leads to: steps 3 to 6 of RFC 9162, section 2.1.4.2.
fn climb_both(old: u64, new: u64, first: &Hash, rest: &[Hash]) -> Result<(Hash, Hash), ProofError> {
    let mut at = Climb { node: old - 1, last: new - 1 };
    // Start at the largest perfect subtree that ends where the older tree ends.
    while at.node & 1 == 1 {
        at.rise();
    }
    let (mut in_old, mut in_new) = (*first, *first);
    for sibling in rest {
        if at.last == 0 {
            return Err(ProofError::TooLong);
        }
        if at.sibling_is_left() {
            in_old = node_hash(sibling, &in_old);
            in_new = node_hash(sibling, &in_new);
        } else {
            // What stands to the right came later: the older tree knows nothing of it.
            in_new = node_hash(&in_new, sibling);
        }
        at.rise();
    }
    if at.last == 0 { Ok((in_old, in_new)) } else { Err(ProofError::TooShort) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, proptest};

    use super::{ProofError, verify_consistency, verify_inclusion};
    use crate::tree::{Hash, consistency_proof, inclusion_proof, leaf_hash, root_of};

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    fn roots(leaves: &[Hash]) -> Vec<Hash> {
        (0..=leaves.len() as u64).map(|size| root_of(leaves, size).unwrap()).collect()
    }

    #[test]
    fn every_inclusion_up_to_64_holds_at_its_own_place_only() {
        let leaves = leaves(64);
        let roots = roots(&leaves);
        for size in 1..=64 {
            for index in 0..size {
                let proof = inclusion_proof(leaves.as_slice(), index, size).unwrap();
                let check = |leaf: u64, index, size: u64| {
                    let root = &roots[usize::try_from(size).unwrap()];
                    verify_inclusion(&leaves[usize::try_from(leaf).unwrap()], index, size, &proof, root)
                };
                assert_eq!(check(index, index, size), Ok(()));
                for other in (0..size).filter(|other| *other != index) {
                    assert!(check(other, index, size).is_err(), "{other} passed for {index} of {size}");
                    assert!(check(index, other, size).is_err(), "{index} passed at {other} of {size}");
                }
            }
        }
    }

    #[test]
    fn every_consistency_up_to_64_holds_for_its_own_sizes_only() {
        let leaves = leaves(64);
        let roots = roots(&leaves);
        let root = |size: u64| &roots[usize::try_from(size).unwrap()];
        for new in 1..=64_u64 {
            for old in 1..=new {
                let proof = consistency_proof(leaves.as_slice(), old, new).unwrap();
                assert_eq!(verify_consistency(old, new, root(old), root(new), &proof), Ok(()));
                for other in (1..=64).filter(|other| *other != old && *other <= new) {
                    assert!(verify_consistency(old, new, root(other), root(new), &proof).is_err());
                }
                for other in (old..=64).filter(|other| *other != new) {
                    assert!(verify_consistency(old, new, root(old), root(other), &proof).is_err());
                }
            }
        }
    }

    #[test]
    fn a_hash_more_or_less_is_named() {
        let leaves = leaves(7);
        let roots = roots(&leaves);
        let mut proof = inclusion_proof(leaves.as_slice(), 6, 7).unwrap();
        let check = |proof: &[Hash]| verify_inclusion(&leaves[6], 6, 7, proof, &roots[7]);
        assert_eq!(check(&proof[..1]), Err(ProofError::TooShort));
        proof.push(roots[7]);
        assert_eq!(check(&proof), Err(ProofError::TooLong));

        let mut proof = consistency_proof(leaves.as_slice(), 3, 7).unwrap();
        let check = |proof: &[Hash]| verify_consistency(3, 7, &roots[3], &roots[7], proof);
        assert_eq!(check(&[]), Err(ProofError::TooShort));
        assert_eq!(check(&proof[..2]), Err(ProofError::TooShort));
        proof.push(roots[7]);
        assert_eq!(check(&proof), Err(ProofError::TooLong));
        assert_eq!(verify_consistency(7, 7, &roots[7], &roots[7], &proof), Err(ProofError::TooLong));
        assert_eq!(verify_consistency(4, 7, &roots[4], &roots[7], &[]), Err(ProofError::TooShort));
    }

    #[test]
    fn rewritten_history_is_named_by_the_root_that_differs() {
        let mut leaves = leaves(7);
        let before = roots(&leaves);
        leaves[1] = leaf_hash(b"rewritten");
        let after = roots(&leaves);
        let proof = consistency_proof(leaves.as_slice(), 3, 7).unwrap();
        let old = verify_consistency(3, 7, &before[3], &after[7], &proof);
        assert_eq!(old, Err(ProofError::OldRootMismatch));
        assert_eq!(verify_consistency(3, 7, &after[3], &before[7], &proof), Err(ProofError::NewRootMismatch));
        assert_eq!(verify_consistency(7, 7, &before[7], &after[7], &[]), Err(ProofError::NewRootMismatch));
    }

    #[test]
    fn sizes_at_the_edges_neither_pass_nor_overflow() {
        let zero = [0; 32];
        let long = [zero; 70];
        assert!(matches!(verify_inclusion(&zero, 0, 0, &[], &zero), Err(ProofError::IndexOutOfRange { .. })));
        assert!(matches!(
            verify_inclusion(&zero, u64::MAX, u64::MAX, &long, &zero),
            Err(ProofError::IndexOutOfRange { .. })
        ));
        assert_eq!(verify_inclusion(&zero, u64::MAX - 1, u64::MAX, &long, &zero), Err(ProofError::TooLong));
        assert_eq!(verify_inclusion(&zero, 1 << 63, u64::MAX, &[], &zero), Err(ProofError::TooShort));
        assert_eq!(verify_consistency(0, 0, &zero, &zero, &[]), Err(ProofError::OldEmpty));
        assert_eq!(verify_consistency(0, 9, &zero, &zero, &[]), Err(ProofError::OldEmpty));
        assert!(matches!(verify_consistency(9, 8, &zero, &zero, &[]), Err(ProofError::OldLarger { .. })));
        assert_eq!(verify_consistency(1 << 63, u64::MAX, &zero, &zero, &long), Err(ProofError::TooLong));
        assert_eq!(verify_consistency(u64::MAX - 1, u64::MAX, &zero, &zero, &long), Err(ProofError::TooLong));
    }

    proptest! {
        #[test]
        fn any_changed_bit_of_an_inclusion_is_found(
            size in 2_u64..200, place in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>(),
        ) {
            let leaves = leaves(size);
            let index = place.index(leaves.len());
            let root = root_of(leaves.as_slice(), size).unwrap();
            let mut proof = inclusion_proof(leaves.as_slice(), index as u64, size).unwrap();
            let bit = bit.index(proof.len() * 256);
            proof[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
            let result = verify_inclusion(&leaves[index], index as u64, size, &proof, &root);
            assert_eq!(result, Err(ProofError::RootMismatch));
        }

        #[test]
        fn any_changed_bit_of_a_consistency_is_found(
            new in 2_u64..200, place in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>(),
        ) {
            let leaves = leaves(new);
            let old = 1 + place.index(leaves.len() - 1) as u64;
            let (old_root, new_root) = (root_of(leaves.as_slice(), old).unwrap(), root_of(leaves.as_slice(), new).unwrap());
            let mut proof = consistency_proof(leaves.as_slice(), old, new).unwrap();
            let bit = bit.index(proof.len() * 256);
            proof[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
            assert!(verify_consistency(old, new, &old_root, &new_root, &proof).is_err());
        }

        #[test]
        fn no_input_panics(
            old in any::<u64>(), new in any::<u64>(), proof in prop::collection::vec(any::<Hash>(), 0..70),
        ) {
            let zero = [0; 32];
            assert!(verify_inclusion(&zero, old, new, &proof, &[1; 32]).is_err());
            assert!(verify_consistency(old, new, &zero, &[1; 32], &proof).is_err());
        }
    }
}
