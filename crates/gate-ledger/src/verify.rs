//! Checking a whole ledger offline, trusting nobody.
//!
//! Purpose: from a SQLite file or from a stream of JSON objects, say which entry is the first bad one and why,
//! or that there is none. What makes an entry good is decided by [`crate::chain`] alone; here are the ways to
//! get at bodies fast, in bounded memory, whatever the input holds.
//!
//! Invariants: an entry counts as good only if its bytes were hashed here and every entry before it was good.
//! Damaged input ends in a [`FirstBad`] or in a [`VerifyError`], never in a panic and never in silence.
//!
//! What a chain cannot show: that its newest entries were cut off, or that all of it was written anew. An
//! [`Outcome`] without a bad entry therefore means "whole up to its head"; a checkpoint or a genesis hash kept
//! elsewhere says whose head that is.

mod batch;
mod json_lines;
mod objects;
mod openings;
mod parallel;
mod rest;
mod segments;
mod sqlite;
mod tally;

use std::ops::Range;
use std::path::PathBuf;

use gate_model::exit::{Ends, Exit};

use crate::archive::Statement;
use crate::entry::{EntryHash, Kind};
use crate::store::{OpenError, StoreError};

pub use crate::chain::Start;
pub use json_lines::json_lines;
pub use segments::{segment, segments};
pub use sqlite::{snapshot, sqlite};

/// What to compare with, and how far to go.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The hash that the first entry must have; another ledger is refused at once.
    pub genesis: Option<EntryHash>,
    /// Whether SQLite's own `quick_check` runs on a large database too. It takes several times as long as all
    /// of the rest, which reads every row anyway; it adds damage that no entry shows. Small ones always have it.
    pub quick_check: bool,
    /// Where to begin: what lies before was proven elsewhere and is not read again but for two entries, the
    /// first and the one before the position, which must be those that were proven if they are there. Nobody
    /// looks at these; a tree over all entries has to be continued from what was proven too. The indexes of a
    /// SQLite file are then checked for the entries that are read, and not for having too many.
    pub start: Option<Start>,
    /// The segments that the ledger's older entries were moved to ([`crate::archive`]), in any order. They are
    /// verified with it as one chain.
    pub segments: Vec<PathBuf>,
}

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many entries are good, up to the first bad one. Those before [`Options::start`] and those that are in
    /// an archive count as such.
    pub entries: u64,
    /// How many of them were not looked at because [`Options::start`] says that they were proven.
    pub proven: u64,
    /// The newest good entry: seq and hash.
    pub head: Option<(u64, EntryHash)>,
    /// The ledger's id.
    pub ledger: Option<String>,
    /// The hash of the first entry.
    pub genesis: Option<EntryHash>,
    /// Whether [`Options::genesis`] named it.
    pub genesis_pinned: bool,
    /// The first bad entry.
    pub first_bad: Option<FirstBad>,
    /// How many entries after the first bad one are intact in themselves: canonical, with their own hash, of
    /// this ledger, and further on than the one before. The chain does not reach them, so this is a hint for
    /// whoever looks into the damage, no proof.
    pub good_after: u64,
    /// What is odd but not wrong.
    pub warnings: Vec<Warning>,
    /// The entries that were moved to an archive; none where all are in the ledger.
    pub archived: Option<Archived>,
    /// The newest statement about an archive. It contradicts nothing that was verified; who signed its
    /// checkpoint was not asked.
    pub statement: Option<Statement>,
}

/// Entries that are not in the ledger any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Archived {
    /// How many.
    pub moved: u64,
    /// They stood before this position.
    pub before: u64,
    /// The entry that holds the statement about them.
    pub statement: u64,
    /// Whether all of them were verified, in their segments.
    pub verified: bool,
}

impl Outcome {
    /// Whether there is no bad entry.
    pub const fn is_good(&self) -> bool {
        self.first_bad.is_none()
    }
}

/// The first bad entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstBad {
    /// Its position: the seq it should have.
    pub seq: u64,
    /// A short name of the defect in kebab-case ([`crate::chain::Bad::code`]).
    pub code: &'static str,
    /// The defect in words.
    pub reason: String,
}

/// Something odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// A short name in kebab-case: `clock-back`, `reformatted`, `byte-order-mark`, `unterminated`.
    pub code: &'static str,
    /// The same in words.
    pub message: String,
    /// How many entries it concerns, where it concerns entries.
    pub count: Option<u64>,
    /// The first of them.
    pub seq: Option<u64>,
}

/// A good entry, as an [`Observer`] sees it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its position.
    pub seq: u64,
    /// What it records.
    pub kind: Kind,
    /// Its hash.
    pub hash: EntryHash,
    /// Its canonical bytes.
    pub body: &'a [u8],
}

/// Somebody who looks at the entries while they are verified: a Merkle tree, a replay, a progress bar.
pub trait Observer {
    /// Whether [`Observer::entry`] is to be called at all; without it bodies need not be kept.
    fn wants_entries(&self) -> bool {
        false
    }

    /// One good entry; they come in order and stop before the first bad one.
    fn entry(&mut self, seen: Seen<'_>) {
        let _ = seen;
    }

    /// Entries are missing which may have been archived; `missing` are their positions. Those behind them come on
    /// probation: whether a statement accounts for what is missing shows in the [`Outcome`] only.
    fn gap(&mut self, missing: Range<u64>) {
        let _ = missing;
    }

    /// How many entries have been looked at, and of how many where that is known.
    fn progress(&mut self, done: u64, total: Option<u64>) {
        let _ = (done, total);
    }
}

/// Nobody looks.
impl Observer for () {}

/// An [`Observer`] made from a closure that gets each good entry.
pub struct EachEntry<F>(pub F);

impl<F: FnMut(Seen<'_>)> Observer for EachEntry<F> {
    fn wants_entries(&self) -> bool {
        true
    }

    fn entry(&mut self, seen: Seen<'_>) {
        (self.0)(seen);
    }
}

/// A verification that could not be made: there is no outcome, good or bad.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The file is not there, is not a ledger, or its schema was altered.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Reading the database failed.
    #[error("cannot verify '{}': {source}", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// Reading the stream failed.
    #[error("cannot read the export: {0}")]
    Io(#[from] std::io::Error),
    /// Reading a segment failed.
    #[error("cannot read segment '{}': {source}", path.display())]
    Segment {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The stream holds nothing.
    #[error("the export is empty; gate-log export writes at least one line")]
    Empty,
    /// The stream is something else.
    #[error("line {line}: this is not an export of a ledger: {reason}")]
    NotALedger {
        /// The line, from 1.
        line: u64,
        /// How one can tell.
        reason: String,
    },
    /// It is another ledger than the one that was expected.
    #[error("this is another ledger: its first entry is {found}, expected {expected}")]
    OtherGenesis {
        /// The hash that was expected.
        expected: EntryHash,
        /// The hash that was found.
        found: EntryHash,
    },
}

impl Ends for VerifyError {
    // How a tool ends on it.
    fn exit(&self) -> Exit {
        match self {
            Self::Open(error) => error.exit(),
            Self::Store { source, .. } => source.exit(),
            Self::Io(_) | Self::Segment { .. } => Exit::Failure,
            Self::Empty | Self::NotALedger { .. } | Self::OtherGenesis { .. } => Exit::Distrust,
        }
    }
}

#[cfg(test)]
mod tests;
