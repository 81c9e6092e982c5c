//! The frontier of a growing tree, in memory proportional to the logarithm of its size.
//!
//! A tree of `n` leaves is a row of perfect subtrees, one for each set bit of `n`, largest first. Their roots
//! are all that is needed to append and to know the root. Kept as text beside a ledger, they make the next
//! checkpoint cheap. They are a cache and prove nothing: whoever verifies computes them anew.

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
        let expected = size.count_ones();
        if u32::try_from(frontier.len()) != Ok(expected) {
            return Err(CompactRangeError::Count { size, expected, found: frontier.len() });
        }
        Ok(Self { size, frontier })
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
