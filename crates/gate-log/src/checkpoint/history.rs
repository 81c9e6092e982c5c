//! The ledger's tree, from entries that are verified while they are read.
//!
//! Either every entry is read, or those behind a [`Tip`] that this key signed before: then the work is
//! proportional to what is new. Of entries that were archived the tree is in the statement about them.

use std::collections::BTreeMap;
use std::path::Path;

use gate_cli::progress::Progress;
use gate_ledger::entry::EntryHash;
use gate_ledger::proof::Tip;
use gate_ledger::tree::{CompactRange, Hash, leaf_hash};
use gate_ledger::verify::{self, Observer, Options, Seen, VerifyError};

/// Why there is no tree.
#[derive(Debug)]
pub(super) enum NoHistory {
    /// The ledger could not be verified.
    Unverified(VerifyError),
    /// An entry is bad.
    Bad(verify::FirstBad),
    /// The entry at this position, or one behind it, is not a leaf of the tree, and is none of what was read.
    Incomplete(u64),
}

/// Where the tree begins.
#[derive(Debug, Clone)]
pub(super) enum Base<'a> {
    /// At the first entry.
    Genesis,
    /// Behind archived entries, of which this is the tree.
    Archive(CompactRange),
    /// Behind an entry that this key vouched for.
    Tip(&'a Tip),
}

impl Base<'_> {
    /// How many entries lie before it.
    pub(super) const fn size(&self) -> u64 {
        match self {
            Self::Genesis => 0,
            Self::Archive(range) => range.size(),
            Self::Tip(tip) => tip.size(),
        }
    }
}

/// A verified ledger, as far as a checkpoint needs it.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The tree of all entries but the newest.
    before: CompactRange,
    /// Leaf and body of the newest.
    newest: Option<(Hash, Vec<u8>)>,
    /// The roots at the sizes that were asked for.
    roots: BTreeMap<u64, Option<Hash>>,
}

impl History {
    /// Reads and verifies the ledger at `path`, from `base` on. Roots are kept at the sizes of `promises`.
    ///
    /// # Errors
    /// A [`NoHistory`].
    pub(super) fn read(
        path: &Path,
        genesis: EntryHash,
        base: &Base<'_>,
        promises: impl Iterator<Item = u64>,
        progress: Progress,
    ) -> Result<Self, NoHistory> {
        let mut history = Self::starting(base);
        history.roots.extend(promises.map(|size| (size, None)));
        history.note_root();
        let start = match base {
            Base::Tip(tip) => Some(verify::Start::behind(tip, Some(genesis))),
            Base::Genesis | Base::Archive(_) => None,
        };
        let options = Options { genesis: Some(genesis), start, ..Options::default() };
        let mut reader = Reader { history, progress };
        let outcome = verify::sqlite(path, &options, &mut reader).map_err(NoHistory::Unverified)?;
        match outcome.first_bad {
            Some(bad) => Err(NoHistory::Bad(bad)),
            // A tree that lacks a leaf would be signed as another history than the one that was read.
            None if reader.history.size() != outcome.entries => {
                Err(NoHistory::Incomplete(reader.history.size()))
            }
            None => Ok(reader.history),
        }
    }

    fn starting(base: &Base<'_>) -> Self {
        let roots = BTreeMap::new();
        match base {
            Base::Genesis => Self::default(),
            Base::Archive(range) => Self { before: range.clone(), newest: None, roots },
            Base::Tip(tip) => {
                let body = tip.entry.body.as_bytes();
                Self { before: tip.before.clone(), newest: Some((leaf_hash(body), body.to_vec())), roots }
            }
        }
    }

    fn push(&mut self, body: &[u8]) {
        let leaf = leaf_hash(body);
        match &mut self.newest {
            Some((before, kept)) => {
                self.before.push(*before);
                *before = leaf;
                kept.clear();
                kept.extend_from_slice(body);
            }
            None => self.newest = Some((leaf, body.to_vec())),
        }
        self.note_root();
    }

    /// Keeps the root of what was read so far, where somebody asked for it.
    fn note_root(&mut self) {
        let size = self.size();
        if self.roots.contains_key(&size) {
            self.roots.insert(size, Some(self.root()));
        }
    }

    fn range(&self) -> CompactRange {
        let mut range = self.before.clone();
        if let Some((leaf, _)) = &self.newest {
            range.push(*leaf);
        }
        range
    }

    /// How many entries there are.
    pub(super) fn size(&self) -> u64 {
        self.before.size() + u64::from(self.newest.is_some())
    }

    /// The root of all of them.
    pub(super) fn root(&self) -> Hash {
        self.range().root()
    }

    /// The newest entry's body, and its inclusion proof.
    pub(super) fn newest(&self) -> Option<(&[u8], Vec<Hash>)> {
        let (_, body) = self.newest.as_ref()?;
        Some((body, self.before.path_of_next()))
    }

    /// Whether this extends the tree of that size, which was given to [`History::read`], and root.
    ///
    /// # Errors
    /// How one can tell that it does not.
    pub(super) fn extends(&self, size: u64, promised: &Hash) -> Result<(), String> {
        match self.roots.get(&size).copied().flatten() {
            None => Err(format!("it has {} entries, the checkpoint covers {size}", self.size())),
            Some(root) if root == *promised => Ok(()),
            Some(_) => Err(format!("its first {size} entries have another root")),
        }
    }
}

/// What looks at the entries while they are verified.
struct Reader {
    history: History,
    progress: Progress,
}

impl Observer for Reader {
    fn wants_entries(&self) -> bool {
        true
    }

    fn entry(&mut self, seen: Seen<'_>) {
        // Entries that were left behind by an archive are leaves of the tree already.
        if seen.seq >= self.history.size() {
            self.history.push(seen.body);
        }
    }

    fn progress(&mut self, done: u64, total: Option<u64>) {
        self.progress.show(done, total);
    }
}
