//! The statement that an entry of kind `archive` carries.

use gate_model::digest;
use gate_model::request::SeenHead;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SegmentDigest;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::entry::{Entry, EntryHash, Kind};
use crate::note;
use crate::profile;
use crate::tree::{CompactRange, CompactRangeError, Hash};

/// The context string of BLAKE3's key-derivation mode for what a statement says, its checkpoint left out.
pub const STATEMENT_CONTEXT: &str = "gate v1 archive";
/// The most kept entries that a reader remembers: more than a statement has room for in an entry.
pub const MAX_KEPT: usize = 16_384;

/// What was moved out of a ledger, all archives together; the `data` of an entry of kind `archive`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Entries before this position were moved, but for [`Statement::kept`]. The one before it was.
    pub before: u64,
    /// The last entry that was moved; its seq is `before` − 1.
    pub head: EntryRef,
    /// A signed checkpoint of the first `before` entries ([`crate::checkpoint`]), as its text. Its one extension
    /// line is that of the statement ([`Statement::line`]), which no ordinary checkpoint has: so the key signed
    /// the archiving itself, and not only what was archived.
    pub checkpoint: String,
    /// The tree over the first `before` entries: the roots of the perfect subtrees that it consists of, largest
    /// first, in hexadecimal ([`CompactRange`]).
    pub range: Vec<String>,
    /// The entries before `before` that are still in the ledger, by seq; genesis is the first.
    pub kept: Vec<EntryRef>,
    /// The files that the entries were moved to, in order; together they hold all of them.
    pub segments: Vec<NamedSegment>,
}

/// An entry, by position and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRef {
    /// The position.
    pub seq: u64,
    /// The hash.
    pub hash: EntryHash,
}

impl From<&Entry> for EntryRef {
    fn from(entry: &Entry) -> Self {
        Self { seq: entry.seq, hash: entry.hash }
    }
}

impl From<EntryRef> for SeenHead {
    fn from(entry: EntryRef) -> Self {
        Self { seq: entry.seq, hash: entry.hash.to_string() }
    }
}

/// A segment, as a statement names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSegment {
    /// The file's name, without a directory.
    pub name: String,
    /// The first position in it.
    pub from: u64,
    /// The position after the last.
    pub to: u64,
    /// The digest of the file.
    pub digest: SegmentDigest,
    /// How many bytes the file has.
    pub bytes: u64,
}

/// Why an entry is no statement, or one that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// It is of another kind.
    #[error("the entry is of kind '{0}', not 'archive'")]
    Kind(Kind),
    /// A member is missing or of another type.
    #[error("its data cannot be read: {0}")]
    Form(String),
    /// A member contradicts another one.
    #[error("its '{member}' {defect}")]
    Member {
        /// The member.
        member: &'static str,
        /// What is wrong, as the end of a sentence.
        defect: &'static str,
    },
    /// Its tree cannot be read.
    #[error("its 'range' cannot be read: {0}")]
    Range(#[from] CompactRangeError),
    /// Its checkpoint cannot be read.
    #[error("its 'checkpoint' cannot be read: {0}")]
    Checkpoint(#[from] CheckpointError),
}

const fn wrong(member: &'static str, defect: &'static str) -> StatementError {
    StatementError::Member { member, defect }
}

impl Statement {
    /// The statement in `entry`, if it does not contradict itself or its entry. Whether it is true is another
    /// question; so is who signed it.
    ///
    /// # Errors
    /// The first defect.
    pub fn of(entry: &Entry) -> Result<Self, StatementError> {
        if entry.kind != Kind::Archive {
            return Err(StatementError::Kind(entry.kind));
        }
        let statement = entry.data.read::<Self>().map_err(|error| StatementError::Form(error.to_string()))?;
        if statement.before > entry.seq {
            return Err(wrong("before", "is behind its own entry"));
        }
        // The entry's own members are hashed, so that none of them is left unsigned because nobody here reads it.
        statement.check_signed(&entry.ledger, &signed_line(entry.data.clone().into_value())?)?;
        Ok(statement)
    }

    /// Checks that the members agree with each other, in the ledger of that id.
    ///
    /// # Errors
    /// The first defect.
    pub fn check(&self, ledger: &str) -> Result<(), StatementError> {
        self.check_signed(ledger, &self.line()?)
    }

    /// The extension line that the statement's checkpoint must have: `archive b3:…`, with the digest of all other
    /// members.
    ///
    /// # Errors
    /// [`StatementError::Form`] where the members cannot be written as an entry's.
    pub fn line(&self) -> Result<String, StatementError> {
        signed_line(self.to_data().map_err(|error| StatementError::Form(error.to_string()))?)
    }

    fn check_signed(&self, ledger: &str, line: &str) -> Result<(), StatementError> {
        if self.before.checked_sub(1) != Some(self.head.seq) {
            return Err(wrong("head", "is not the entry before 'before'"));
        }
        self.check_kept()?;
        self.check_segments()?;
        let checkpoint = self.checkpoint()?;
        if !checkpoint.origin.strip_suffix(ledger).is_some_and(|log| log.ends_with('/')) {
            return Err(wrong("checkpoint", "is of another ledger"));
        }
        if checkpoint.size != self.before || checkpoint.root != self.root()? {
            return Err(wrong("checkpoint", "is not of the tree that 'range' describes"));
        }
        // Checkpoints are public: around any of them an archive could be claimed that nobody signed.
        if checkpoint.extensions != [line] {
            return Err(wrong(
                "checkpoint",
                "was not signed for this archiving; an ordinary one does not count",
            ));
        }
        Ok(())
    }

    fn check_kept(&self) -> Result<(), StatementError> {
        if self.kept.first().is_none_or(|first| first.seq != 0) {
            return Err(wrong("kept", "does not begin with the first entry"));
        }
        if self.kept.windows(2).any(|pair| pair[0].seq >= pair[1].seq) {
            return Err(wrong("kept", "is not in order"));
        }
        // The last moved entry is the one before `before`, so that no kept one can stand there or behind it.
        if self.kept.last().is_some_and(|last| last.seq >= self.head.seq) {
            return Err(wrong("kept", "names an entry that is not among those before 'head'"));
        }
        Ok(())
    }

    fn check_segments(&self) -> Result<(), StatementError> {
        let mut next = 0;
        for segment in &self.segments {
            if segment.from != next || segment.to <= segment.from {
                return Err(wrong("segments", "leave a gap, overlap, or are out of order"));
            }
            next = segment.to;
        }
        if next == self.before { Ok(()) } else { Err(wrong("segments", "do not end at 'before'")) }
    }

    /// The tree over the first [`Statement::before`] entries.
    ///
    /// # Errors
    /// Where the hashes are not those of a tree of that size.
    pub fn tree(&self) -> Result<CompactRange, CompactRangeError> {
        let mut text = self.before.to_string();
        for hash in &self.range {
            text.push(' ');
            text.push_str(hash);
        }
        CompactRange::parse(&text)
    }

    fn root(&self) -> Result<Hash, CompactRangeError> {
        Ok(self.tree()?.root())
    }

    /// What the checkpoint says; its signatures are not verified here.
    ///
    /// # Errors
    /// Where it is none.
    pub fn checkpoint(&self) -> Result<Checkpoint, CheckpointError> {
        Checkpoint::parse(&note::parse(self.checkpoint.as_bytes())?.text)
    }

    /// How many entries were moved and are in the ledger no more.
    pub fn moved(&self) -> u64 {
        self.before.saturating_sub(self.kept.len() as u64)
    }

    /// The segment that holds the entry `seq`, where it was moved.
    pub fn segment_of(&self, seq: u64) -> Option<&NamedSegment> {
        if self.kept.binary_search_by_key(&seq, |kept| kept.seq).is_ok() {
            return None;
        }
        self.segments.iter().find(|segment| (segment.from..segment.to).contains(&seq))
    }

    /// The statement as the `data` of an entry.
    ///
    /// # Errors
    /// Never for a statement of this build; the format's own limits are those of the entry that is made of it.
    pub fn to_data(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(self)
    }
}

/// The line that a checkpoint must have to speak for `data`, from which its `checkpoint` is left out.
fn signed_line(mut data: Value) -> Result<String, StatementError> {
    if let Some(members) = data.as_object_mut() {
        members.remove("checkpoint");
    }
    let canonical = profile::canonical(&data).map_err(|error| StatementError::Form(error.to_string()))?;
    Ok(format!("archive {}", digest::of(STATEMENT_CONTEXT, canonical.as_bytes())))
}

/// The name of a segment.
pub fn segment_name(ledger: &str, from: u64, to: u64) -> String {
    format!("{ledger}-{from}-{to}.jsonl.zst")
}
