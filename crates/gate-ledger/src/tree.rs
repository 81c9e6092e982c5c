//! The Merkle tree over a ledger's entries: RFC 6962, section 2.1, with SHA-256.
//!
//! Purpose: thirty-two bytes that stand for every entry and their order; a short proof that one entry is
//! among them (*inclusion*); a short proof that a longer history extends a shorter one (*consistency*).
//! The BLAKE3 chain cannot do either without reading every entry. All of this is arithmetic on hashes:
//! where the leaves come from is the business of whoever implements [`Leaves`].
//!
//! # The shape
//!
//! ```text
//! leaf(body)        = SHA-256(0x00 || body)
//! node(left, right) = SHA-256(0x01 || left || right)
//! root of 0 leaves  = SHA-256("")
//! root of 1 leaf    = that leaf
//! root of n leaves  = node(root of the first k, root of the other n - k),
//!                     k = the largest power of two below n
//! ```
//!
//! The two prefixes keep leaves and nodes apart: without them, a body of 64 bytes that spells out two
//! hashes would pass for a subtree. Five leaves, and what is sent to prove `c` and to prove 3 → 5:
//!
//! ```text
//!            r                 inclusion of c (index 2, size 5):  [d, ab, e]
//!          /   \                 r = node(node(ab, node(c, d)), e)
//!      abcd     e
//!      /  \                    consistency of 3 with 5:  [c, d, ab, e]
//!    ab    cd                    old root = node(ab, c)
//!   / \    / \                   new root = node(node(ab, node(c, d)), e)
//!  a   b  c   d
//! ```
//!
//! ```
//! use gate_ledger::tree::{self, CompactRange, Hash};
//!
//! let leaves: Vec<Hash> = ["a", "b", "c", "d", "e"].map(|body| tree::leaf_hash(body.as_bytes())).to_vec();
//! let [a, b, c, d, e] = [leaves[0], leaves[1], leaves[2], leaves[3], leaves[4]];
//! let ab = tree::node_hash(&a, &b);
//!
//! let root = tree::root_of(leaves.as_slice(), 5)?;
//! // printf '\0a' | sha256sum, and so on upward, gives the same:
//! let hex: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
//! assert_eq!(hex, "fe14a5426fbd70c0fa73f52342afed0da0bd23c4838662ccf6b88a3070ead97b");
//!
//! let proof = tree::inclusion_proof(leaves.as_slice(), 2, 5)?;
//! assert_eq!(proof, [d, ab, e]);
//! tree::verify_inclusion(&c, 2, 5, &proof, &root)?;
//!
//! let old = tree::root_of(leaves.as_slice(), 3)?;
//! let proof = tree::consistency_proof(leaves.as_slice(), 3, 5)?;
//! assert_eq!(proof, [c, d, ab, e]);
//! tree::verify_consistency(3, 5, &old, &root, &proof)?;
//!
//! // The frontier of a growing tree: three hashes at most for five leaves, and the same root.
//! let mut range = CompactRange::default();
//! leaves.iter().for_each(|leaf| range.push(*leaf));
//! assert_eq!(range.root(), root);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Invariants
//!
//! - Sizes and indexes are `u64`; no input, however hostile, overflows, panics, or makes work beyond the
//!   length of the proof that was given.
//! - A proof has exactly one accepted length: a hash too many is refused as one too few is.
//! - Nothing is proven about the empty tree. Every history extends it, so a "consistency with size 0" says
//!   nothing and is refused, as golang/mod's `tlog` and the published vectors of transparency-dev do.
//!
//! Not here: signatures over roots ([`crate::checkpoint`]), the text form of proofs ([`crate::proof`]).

mod check;
mod compact;
mod prove;
mod stretch;

pub use check::{ProofError, verify_consistency, verify_inclusion};
pub use compact::{CompactRange, CompactRangeError};
pub use prove::{Leaves, MissingLeaf, ProveError, consistency_proof, inclusion_proof, root_of};
pub use stretch::Stretch;

use sha2::{Digest, Sha256};

/// A SHA-256 digest: of a leaf, of a node, or of a whole tree (its root).
pub type Hash = [u8; 32];

/// The root of a tree without leaves: SHA-256 of nothing (RFC 6962, section 2.1).
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// The largest tree that is read or written: 2^63 − 1 leaves, as in golang/mod; a path has at most 63 hashes.
pub const MAX_SIZE: u64 = i64::MAX as u64;

/// The leaf of an entry whose canonical bytes are `body`: `SHA-256(0x00 || body)` (RFC 6962, section 2.1).
#[must_use]
pub fn leaf_hash(body: &[u8]) -> Hash {
    Sha256::new().chain_update([0x00]).chain_update(body).finalize().into()
}

/// The parent of two subtrees: `SHA-256(0x01 || left || right)` (RFC 6962, section 2.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0x01; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// How many leaves of a tree of `size` go to the left: the largest power of two below `size` (at least 2).
const fn left_size(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::{EMPTY_ROOT, leaf_hash, left_size, node_hash};
    use sha2::{Digest, Sha256};

    #[test]
    fn the_empty_root_is_the_hash_of_nothing() {
        assert_eq!(EMPTY_ROOT, <[u8; 32]>::from(Sha256::digest([])));
    }

    #[test]
    fn a_body_that_spells_out_two_hashes_is_no_subtree() {
        let (left, right) = (leaf_hash(b"a"), leaf_hash(b"b"));
        let spelled = [left, right].concat();
        assert_ne!(leaf_hash(&spelled), node_hash(&left, &right));
        let by_hand = |prefix: u8| <[u8; 32]>::from(Sha256::digest([&[prefix], spelled.as_slice()].concat()));
        assert_eq!((leaf_hash(&spelled), node_hash(&left, &right)), (by_hand(0), by_hand(1)));
    }

    #[test]
    fn the_left_part_is_the_largest_smaller_power_of_two() {
        let expected = [(2, 1), (3, 2), (4, 2), (5, 4), (8, 4), (9, 8), (u64::MAX, 1 << 63)];
        for (size, left) in expected {
            assert_eq!(left_size(size), left, "size {size}");
        }
    }
}
