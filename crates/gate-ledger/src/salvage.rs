//! Reading a damaged SQLite file of a ledger as far as it can be read.
//!
//! Purpose: give back every entry whose bytes are still somewhere in the file and hash to what is recorded
//! beside them, in order, and name the positions that are lost. It works where [`crate::store`] refuses: an
//! altered schema, broken indexes, triggers or free lists, interior pages that lead nowhere, a header that
//! SQLite does not take.
//!
//! SQLite has no part in it: it would run the schema of a file that is not to be trusted, roll back a journal
//! and write, and it gives up at the first page that contradicts another. The pages are read here as bytes
//! (<https://www.sqlite.org/fileformat2.html>), those of a write-ahead log over those of the file:
//!
//! 1. The table `entry` is walked from its root, where schema and root can be read. What it leads to is *live*.
//!    Bytes of a header are believed only as far as nothing contradicts them: where rows turn out to be bad, other
//!    sizes of pages are tried, and a log goes on behind a frame whose checksum is wrong.
//! 2. Every page is searched for records that look like a row of that table, in use or not. What is found
//!    beside the live rows fills gaps only: it may be the copy that SQLite left behind when it moved a row,
//!    or an entry that somebody deleted.
//!
//! Invariants: nothing is written, neither to the file nor beside it, and no lock is taken. An entry comes out
//! only if its body is one and hashes to the recorded hash; each position at most once; all of one ledger.
//! Whatever the bytes hold, it comes to an end: no page is walked twice, and no record is longer than an entry
//! can be. Memory grows by sixteen bytes for each entry found.
//!
//! Not here: following the chain. What comes out is for [`crate::verify`], which names the first gap, and which
//! alone says whether it is good.

mod archived;
mod choose;
mod page;
mod record;
mod search;
mod wal;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gate_model::exit::{Ends, Exit};

use crate::entry::EntryHash;
use crate::store::{OpenError, beside, regular_file};

/// What was saved and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Salvage {
    /// The ledger's id.
    pub ledger: String,
    /// How many entries came out.
    pub entries: u64,
    /// The last position of which anything is known. A tail that was cut off leaves no trace.
    pub last: u64,
    /// Positions up to `last`, in order, of which no intact entry is left.
    pub lost: Vec<Loss>,
    /// Positions, in order, whose row is damaged, but of which an intact copy was found elsewhere in the file.
    pub mended: Vec<Loss>,
    /// How many entries came from space that the table does not lead to.
    pub loose: u64,
    /// How many positions are missing because their entries were archived, as the newest statement says.
    pub archived: u64,
    /// How many intact entries of other ledgers there were, which stay out.
    pub foreign: u64,
    /// Where the file ends too early: the first page that is not all there, and how many its header counts.
    pub cut: Option<(u32, u32)>,
    /// What is wrong with the write-ahead log.
    pub log: LogDamage,
    /// Whether the file was written to meanwhile, so that a loss may be none.
    pub changed: bool,
}

impl Salvage {
    /// Whether no position is lost, nor any that nobody could name because file or log end too early.
    pub const fn is_whole(&self) -> bool {
        self.lost.is_empty() && self.cut.is_none() && !self.log.is_open
    }
}

/// What is wrong with a write-ahead log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogDamage {
    /// Whether its header is damaged.
    pub header: bool,
    /// How many of its frames do not follow from those before them.
    pub frames: u64,
    /// Whether it ends with such a frame, or within a transaction: what came last is not known.
    pub is_open: bool,
}

/// Positions next to each other that share a fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// The first.
    pub first: u64,
    /// The last, inclusive.
    pub last: u64,
    /// What is wrong there.
    pub why: Why,
}

/// What is wrong at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There is no row of it.
    Missing,
    /// Its row is there and is bad; the name of the defect as in [`crate::chain::Bad::code`].
    Bad(&'static str),
    /// Several different entries claim it, and none of them is linked to a neighbour.
    Ambiguous,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("no row is left"),
            Self::Bad(code) => write!(f, "the row is damaged ({code})"),
            Self::Ambiguous => {
                f.write_str("different entries claim the place, and none is linked to its neighbours")
            }
        }
    }
}

/// A file of which nothing can be saved.
#[derive(Debug, thiserror::Error)]
pub enum SalvageError {
    /// There is no file.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The system refused.
    #[error("cannot read '{}': {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// No entry is in it.
    #[error("'{}' is not a ledger: no intact entry is in it", path.display())]
    Nothing {
        /// The file.
        path: PathBuf,
    },
    /// It holds another ledger than the one that was expected.
    #[error("this is another ledger: its first entry is {found}, expected {expected}")]
    OtherGenesis {
        /// The hash that was expected.
        expected: EntryHash,
        /// The hash that was found.
        found: EntryHash,
    },
}

impl Ends for SalvageError {
    // How a tool ends on it.
    fn exit(&self) -> Exit {
        match self {
            Self::Open(error) => error.exit(),
            Self::Io { .. } => Exit::Failure,
            Self::Nothing { .. } | Self::OtherGenesis { .. } => Exit::Distrust,
        }
    }
}

/// Gives every entry that can be saved from the file at `path` to `take`, by seq: its body and its hash.
/// `Break` ends it early; what was lost is then told up to there.
///
/// With `genesis` it is the ledger whose first entry has that hash. Without it, or where that entry is lost, it
/// is the ledger of most of the entries.
///
/// # Errors
/// A [`SalvageError`] where there is nothing to save.
pub fn salvage(
    path: &Path,
    genesis: Option<EntryHash>,
    take: &mut dyn FnMut(&[u8], EntryHash) -> ControlFlow<()>,
) -> Result<Salvage, SalvageError> {
    let real = regular_file(path)?;
    let fails = |source| SalvageError::Io { path: path.to_owned(), source };
    let before = stamps(&real);
    let (pages, index) = search::best(&real).map_err(fails)?;
    let ledger = choose::ledger(&pages, &index, genesis)?
        .ok_or_else(|| SalvageError::Nothing { path: path.to_owned() })?;
    let mut salvage = choose::write(&pages, index, ledger, take);
    salvage.cut = pages.cut();
    salvage.log = pages.damage();
    salvage.changed = before != stamps(&real);
    Ok(salvage)
}

/// Size and time of the file and its write-ahead log, to notice a writer.
fn stamps(real: &Path) -> [Option<(u64, Option<SystemTime>)>; 2] {
    [real.to_owned(), beside(real, "-wal")].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.len(), metadata.modified().ok()))
    })
}

#[cfg(test)]
mod tests;
