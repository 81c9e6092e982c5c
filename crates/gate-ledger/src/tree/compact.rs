//! The frontier of a growing tree, in memory proportional to the logarithm of its size.
//!
//! A tree of `n` leaves is a row of perfect subtrees, one for each set bit of `n`, largest first. Their roots
//! are all that is needed to append and to know the root. Kept as text beside a ledger, they make the next
//! checkpoint cheap. They are a cache and prove nothing: whoever verifies computes them anew.

use std::ops::Range;

use super::{EMPTY_ROOT, Hash, MAX_SIZE, node_hash};

/// The roots of the perfect subtrees that make up the first `size` leaves.
///
/// ```
/// use gate_ledger::tree::{CompactRange, leaf_hash};
/// let mut range = CompactRange::default();
/// for body in ["a", "b", "c"] {
///     range.push(leaf_hash(body.as_bytes()));
/// }
/// let cached = range.to_string();
/// assert!(cached.starts_with("3 ") && cached.split(' ').count() == 3);
/// assert_eq!(CompactRange::parse(&cached), Ok(range));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactRange {
    /// Leaves so far.
    size: u64,
    /// One root for each set bit of `size`, largest subtree first.
    frontier: Vec<Hash>,
}

/// Why a text is not a [`CompactRange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CompactRangeError {
    /// The first word is no decimal number without leading zeros up to [`MAX_SIZE`].
    #[error("the first word of the cached tree is not a size; delete the cache, it is made again")]
    Size,
    /// A word after it is not 64 lower-case hexadecimal digits; counted from 1.
    #[error("hash {0} of the cached tree is not 64 lower-case hexadecimal digits; delete the cache")]
    Hash(usize),
    /// A tree of that size has another number of perfect subtrees.
    #[error("a cached tree of size {size} has {expected} hashes, not {found}; delete the cache")]
    Count {
        /// The size it says.
        size: u64,
        /// Set bits of that size.
        expected: u32,
        /// Hashes that follow.
        found: usize,
    },
}

impl CompactRange {
    /// Appends one leaf (a [`super::leaf_hash`]). Two hashes on average.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Each trailing one bit of the size is a perfect subtree that the new one completes to the next size.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.frontier.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.frontier.push(hash);
        // A size near 2^64 would need more appends than a machine makes in its life: `parse` stops at 2^63.
        self.size += 1;
    }

    /// Leaves so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The inclusion proof of the leaf that is pushed next, in the tree that ends with it.
    ///
    /// Everything beside the last leaf lies to its left, and that is just what the frontier holds.
    #[must_use]
    pub fn path_of_next(&self) -> Vec<Hash> {
        self.frontier.iter().rev().copied().collect()
    }

    /// The first `index` leaves, from the inclusion proof of leaf `index` in the tree of `index + 1` leaves:
    /// the reverse of [`CompactRange::path_of_next`]. Nothing is verified; whoever has the root checks the
    /// proof first ([`super::verify_inclusion`]).
    ///
    /// ```
    /// use gate_ledger::tree::{self, CompactRange};
    /// let leaves: Vec<tree::Hash> = ["a", "b", "c"].map(|body| tree::leaf_hash(body.as_bytes())).to_vec();
    /// let path = tree::inclusion_proof(leaves.as_slice(), 2, 3)?;
    /// let mut range = CompactRange::before_last(2, &path)?;
    /// range.push(leaves[2]);
    /// assert_eq!(range.root(), tree::root_of(leaves.as_slice(), 3)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CompactRangeError::Size`] beyond [`MAX_SIZE`]; [`CompactRangeError::Count`] where the path has
    /// another length than that leaf's.
    pub fn before_last(index: u64, path: &[Hash]) -> Result<Self, CompactRangeError> {
        if index >= MAX_SIZE {
            return Err(CompactRangeError::Size);
        }
        Self { size: index, frontier: path.iter().rev().copied().collect() }.checked()
    }

    /// This, if the frontier has as many roots as its size asks for.
    fn checked(self) -> Result<Self, CompactRangeError> {
        let (size, expected, found) = (self.size, self.size.count_ones(), self.frontier.len());
        if u32::try_from(found) == Ok(expected) {
            return Ok(self);
        }
        Err(CompactRangeError::Count { size, expected, found })
    }

    /// Appends a perfect subtree of 2^`level` leaves by its root. The size must be a multiple of as many.
    pub(super) fn push_subtree(&mut self, level: u32, root: Hash) {
        let mut hash = root;
        for _ in 0..(self.size >> level).trailing_ones() {
            if let Some(left) = self.frontier.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.frontier.push(hash);
        self.size += 1 << level;
    }

    /// The tree of the leaves of `range` by themselves, where both of its ends lie between two of the perfect
    /// subtrees. What is left of them are again the bits of a size, the largest first.
    #[must_use]
    pub fn part(&self, range: &Range<u64>) -> Option<Self> {
        let levels = (0..u64::BITS).rev().filter(|level| self.size >> level & 1 == 1);
        let (mut at, mut part) = (0, Self::default());
        for (root, level) in self.frontier.iter().zip(levels) {
            let width = 1 << level;
            if range.start <= at && at + width <= range.end {
                part.frontier.push(*root);
                part.size += width;
            }
            at += width;
        }
        (range.end.checked_sub(range.start) == Some(part.size)).then_some(part)
    }

    /// The roots of the perfect subtrees, largest first, in hexadecimal.
    #[must_use]
    pub fn roots(&self) -> Vec<String> {
        self.to_string().split(' ').skip(1).map(str::to_owned).collect()
    }

    /// The root of the tree of those leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        let join = |right: Hash, left: &Hash| node_hash(left, &right);
        let mut from_the_right = self.frontier.iter().rev();
        from_the_right.next().map_or(EMPTY_ROOT, |last| from_the_right.fold(*last, join))
    }

    /// Reads what [`std::fmt::Display`] wrote: the size and the hashes in hexadecimal, one space between.
    ///
    /// # Errors
    /// A [`CompactRangeError`] for anything that was not written by this module.
    pub fn parse(text: &str) -> Result<Self, CompactRangeError> {
        let mut words = text.split(' ');
        let size = words.next().and_then(read_size).ok_or(CompactRangeError::Size)?;
        let frontier = words
            .enumerate()
            .map(|(n, word)| read_hex(word).ok_or(CompactRangeError::Hash(n + 1)))
            .collect::<Result<Vec<Hash>, _>>()?;
        Self { size, frontier }.checked()
    }
}

impl std::fmt::Display for CompactRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.size)?;
        for hash in &self.frontier {
            write!(f, " ")?;
            hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        }
        Ok(())
    }
}

/// A size as `Display` writes it.
fn read_size(word: &str) -> Option<u64> {
    word.parse().ok().filter(|size: &u64| *size <= MAX_SIZE && size.to_string() == word)
}

/// Thirty-two bytes from 64 lower-case hexadecimal digits.
fn read_hex(word: &str) -> Option<Hash> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut hash = [0; 32];
    if word.len() != 64 {
        return None;
    }
    for (out, pair) in hash.iter_mut().zip(word.as_bytes().chunks_exact(2)) {
        *out = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::{CompactRange, CompactRangeError};
    use crate::tree::{EMPTY_ROOT, leaf_hash, root_of};

    fn leaves(count: u8) -> Vec<[u8; 32]> {
        (0..count).map(|n| leaf_hash(&[n])).collect()
    }

    #[test]
    fn every_prefix_has_the_root_of_the_recursive_definition_and_survives_its_text() {
        let leaves = leaves(130);
        let mut range = CompactRange::default();
        assert_eq!(range.root(), EMPTY_ROOT);
        for (size, leaf) in (1_u64..).zip(&leaves) {
            range.push(*leaf);
            assert_eq!((range.size(), range.root()), (size, root_of(leaves.as_slice(), size).unwrap()));
            range = CompactRange::parse(&range.to_string()).unwrap();
        }
    }

    #[test]
    fn the_path_of_the_last_leaf_is_the_frontier_before_it() {
        let leaves = leaves(130);
        let mut range = CompactRange::default();
        for (index, leaf) in (0_u64..).zip(&leaves) {
            let path = crate::tree::inclusion_proof(leaves.as_slice(), index, index + 1).unwrap();
            assert_eq!(range.path_of_next(), path, "leaf {index}");
            assert_eq!(CompactRange::before_last(index, &path), Ok(range.clone()));
            let short = CompactRange::before_last(index, &path[..path.len().saturating_sub(1)]);
            assert_eq!(short.is_err(), index > 0, "a hash too few for leaf {index}");
            let long = [path.as_slice(), &[*leaf]].concat();
            assert!(CompactRange::before_last(index, &long).is_err(), "a hash too many for leaf {index}");
            range.push(*leaf);
        }
        assert_eq!(CompactRange::before_last(u64::MAX, &[[0; 32]; 64]), Err(CompactRangeError::Size));
    }

    #[test]
    fn a_part_between_two_subtrees_is_a_tree_of_its_own() {
        let leaves = leaves(13);
        let mut range = CompactRange::default();
        for leaf in &leaves {
            range.push(*leaf);
        }
        let edges = [0, 8, 12, 13];
        for from in 0..13 {
            for to in from..=13 {
                let part = range.part(&(from..to)).map(|part| (part.size(), part.root()));
                let is_part = from == to || (edges.contains(&from) && edges.contains(&to));
                let own = &leaves[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()];
                let expected = is_part.then(|| (to - from, root_of(own, to - from).unwrap()));
                assert_eq!(part, expected, "{from}..{to}");
            }
        }
    }

    #[test]
    fn a_damaged_cache_is_refused_by_its_defect() {
        let mut range = CompactRange::default();
        for leaf in leaves(3) {
            range.push(leaf);
        }
        let good = range.to_string();
        let wrong = |text: &str| CompactRange::parse(text).unwrap_err();
        for size in ["", "-1", "03", "+3", "9223372036854775808", "18446744073709551616", "three"] {
            assert_eq!(wrong(&good.replacen('3', size, 1)), CompactRangeError::Size, "{size}");
        }
        assert_eq!(wrong(&format!("{good}\n")), CompactRangeError::Hash(2));
        assert_eq!(wrong(&format!("{good} ")), CompactRangeError::Hash(3));
        assert_eq!(wrong(&good.to_uppercase()), CompactRangeError::Hash(1));
        assert_eq!(wrong(&good[..good.len() - 2]), CompactRangeError::Hash(2));
        let count = CompactRangeError::Count { size: 4, expected: 1, found: 2 };
        assert_eq!(wrong(&good.replacen('3', "4", 1)), count);
    }
}
