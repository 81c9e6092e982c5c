//! Leaves from the middle of a tree, while what stands before them is not known yet.
//!
//! A reader of an archived ledger meets the entries behind a gap first, and the tree of those before it in a
//! statement that comes later. So leaves are folded as far as they can be without the others: into the perfect
//! subtrees whose place in the whole tree is known. There are at most two for each level.

use super::{CompactRange, Hash, node_hash};

/// The leaves from one index up to another, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    from: u64,
    to: u64,
    /// Perfect subtrees from left to right: level and root.
    nodes: Vec<(u32, Hash)>,
}

impl Stretch {
    /// No leaf yet; the first will have the index `from`.
    pub const fn starting(from: u64) -> Self {
        Self { from, to: from, nodes: Vec::new() }
    }

    /// The index of the leaf that comes next, which is the size of the tree up to here.
    pub const fn end(&self) -> u64 {
        self.to
    }

    /// Appends one leaf (a [`super::leaf_hash`]).
    pub fn push(&mut self, leaf: Hash) {
        let (mut level, mut hash) = (0, leaf);
        // A right child and its left sibling, if that lies within, make up their parent.
        while self.to >> level & 1 == 1
            && let Some((_, left)) = self.nodes.pop_if(|(left, _)| *left == level)
        {
            hash = node_hash(&left, &hash);
            level += 1;
        }
        self.nodes.push((level, hash));
        self.to += 1;
    }
}

impl CompactRange {
    /// This and the leaves of `stretch`, if that begins where this ends.
    #[must_use]
    pub fn joined(&self, stretch: &Stretch) -> Option<Self> {
        if stretch.from != self.size() {
            return None;
        }
        let mut joined = self.clone();
        stretch.nodes.iter().for_each(|(level, root)| joined.push_subtree(*level, *root));
        Some(joined)
    }
}

#[cfg(test)]
mod tests {
    use super::Stretch;
    use crate::tree::{CompactRange, Hash, leaf_hash};

    #[test]
    fn every_stretch_joins_what_stands_before_it() {
        let leaves: Vec<Hash> = (0..70_u8).map(|n| leaf_hash(&[n])).collect();
        let ranges: Vec<CompactRange> = (0..=leaves.len())
            .map(|size| {
                let mut range = CompactRange::default();
                leaves[..size].iter().for_each(|leaf| range.push(*leaf));
                range
            })
            .collect();
        for (from, before) in (0_u64..).zip(&ranges) {
            let mut stretch = Stretch::starting(from);
            for (leaf, whole) in leaves.iter().zip(&ranges).skip(usize::try_from(from).unwrap()) {
                assert_eq!(before.joined(&stretch).as_ref(), Some(whole));
                stretch.push(*leaf);
            }
            assert_eq!(before.joined(&stretch).as_ref(), ranges.last());
            assert_eq!(ranges[0].joined(&stretch).is_some(), from == 0);
        }
    }
}
