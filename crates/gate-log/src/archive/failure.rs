//! Why nothing was archived.

use gate_ledger::archive::{StatementError, WriteError};
use gate_ledger::store::StoreError;
use gate_ledger::verify::VerifyError;
use gate_model::exit::{Ends, Exit};
use gate_workflow::archiving::Needed;
use gate_workflow::ledger_access::Unusable;

use gate_ledger::outfile::NameError;

/// Why nothing was archived.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveFailure {
    /// Something before the position must stay.
    #[error(
        "entries before {before} cannot be archived yet: entry {} {}\nthe most that can be: --before {}, or --as-far-as-possible",
        .needed.seq, .needed.why, .needed.seq
    )]
    Needed {
        /// The position that was asked for.
        before: u64,
        /// What must stay.
        needed: Needed,
    },
    /// The ledger's remote cannot be used.
    #[error(transparent)]
    Ledger(#[from] Unusable),
    /// The place of the segment.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Another segment is there.
    #[error("'{0}' exists already and holds something else\nmove it away, or name another place with --to")]
    Taken(String),
    /// The segment could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The segment could not be given its name, or be looked at.
    #[error("cannot write '{path}': {source}\nno entry was moved")]
    Publish {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The segment could not be read back.
    #[error("cannot read the segment back: {0}\nno entry was moved")]
    Unverified(VerifyError),
    /// What was read back is not what should have been written: the ledger is bad there, or the disk.
    #[error("entry {seq} of the segment is bad: {reason}\nno entry was moved; gate-verify says more")]
    Bad {
        /// The first bad entry.
        seq: u64,
        /// Why.
        reason: String,
    },
    /// The statement would be longer than an entry may be.
    #[error(
        "the ledger has {0} policy entries before that position, more than a statement can name\narchive less with a smaller --before"
    )]
    TooMany(usize),
    /// The statement contradicts itself.
    #[error("the statement cannot be made: {0}\nno entry was moved")]
    Statement(StatementError),
    /// Somebody else archived.
    #[error("another process archived meanwhile\nno entry was moved; try again")]
    Meanwhile,
    /// The ledger failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The statement cannot be written as JSON.
    #[error("cannot write the entry as JSON: {0}")]
    Json(serde_json::Error),
}

impl ArchiveFailure {
    /// That `needed` must stay.
    pub(super) const fn needed(before: u64, needed: Needed) -> Self {
        Self::Needed { before, needed }
    }
}

impl Ends for ArchiveFailure {
    fn exit(&self) -> Exit {
        match self {
            Self::Needed { .. } => Exit::Negative,
            Self::Ledger(error) => error.exit(),
            Self::Name(error) => error.exit(),
            Self::Taken(_) | Self::TooMany(_) => Exit::Usage,
            Self::Unverified(error) => error.exit(),
            Self::Bad { .. } => Exit::Distrust,
            Self::Store(error) => error.exit(),
            Self::Write(_) | Self::Publish { .. } | Self::Statement(_) | Self::Meanwhile | Self::Json(_) => {
                Exit::Failure
            }
        }
    }
}
