//! Why nothing was signed.

use gate_ledger::checkpoint::CheckpointError;
use gate_ledger::verify::VerifyError;
use gate_model::exit::{Ends, Exit};

use crate::signer::{MemoryError, SignerError, SigningError};

/// Why there is no checkpoint.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckpointFailure {
    /// Nobody says what the log is called.
    #[error(
        "this ledger's log has no name\nset [ledger] origin in the policy, such as \"example.com/payments\", or use --origin"
    )]
    NoOrigin,
    /// The key.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The memory of what the key has signed cannot be used.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// There is no such memory.
    #[error(
        "'{0}' is not there, so nothing says what the key has signed before\n\
         nothing was signed: name the newest checkpoint with 'gate-log checkpoint --since', or say --first where there is none"
    )]
    NoMemory(String),
    /// The caller says that it never signed, and it did.
    #[error("'{0}' says that the key has signed this ledger before\nnothing was signed: leave --first out")]
    NotFirst(String),
    /// The checkpoint cannot be made of these parts.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// It was not signed.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// People sign with the key.
    #[error(
        "the key is one that the policy in entry {0} trusts for requests, so its checkpoint would anchor nothing\n\
         whoever may ask must not vouch for the record: use a key of its own, such as one of --new-key"
    )]
    RequestKey(u64),
    /// A file cannot be read.
    #[error("cannot read checkpoint '{path}': {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds no checkpoint, or not one of this key.
    #[error("'{path}' is no checkpoint that can be used: {source}")]
    Old {
        /// The file.
        path: String,
        /// Why.
        source: CheckpointError,
    },
    /// The ledger could not be verified.
    #[error("cannot verify the ledger: {0}")]
    Unverified(VerifyError),
    /// The ledger is bad.
    #[error("entry {seq} of the ledger is bad: {reason}\nnothing was signed; gate-verify says more")]
    Bad {
        /// The first bad entry.
        seq: u64,
        /// Why.
        reason: String,
    },
    /// Somebody else vouched for what was archived.
    #[error(
        "the statement about archived entries in entry {seq} cannot be built upon: {source}\n\
         nothing was signed: use the key that signed the statement"
    )]
    Archive {
        /// The statement's entry.
        seq: u64,
        /// Why not.
        source: CheckpointError,
    },
    /// The statement's tree is none.
    #[error(
        "the statement about archived entries in entry {0} holds no tree\nnothing was signed; gate-verify says more"
    )]
    ArchiveTree(u64),
    /// The old checkpoint is of archived entries.
    #[error(
        "the entries that checkpoint '{path}' covers are in an archive, so nothing can be compared with it\n\
         nothing was signed: name a checkpoint of {before} entries or more"
    )]
    Archived {
        /// The file.
        path: String,
        /// How many entries were archived.
        before: u64,
    },
    /// A ledger without entries.
    #[error("the ledger has no entry\nnothing was signed")]
    NoEntry,
    /// The ledger does not extend the old checkpoint.
    #[error(
        "the ledger does not extend what '{path}' says was signed: {why}\n\
         nothing was signed: an old copy may have been restored, or history rewritten; gate-verify says more"
    )]
    NotExtended {
        /// The file.
        path: String,
        /// How one can tell.
        why: String,
    },
}

impl Ends for CheckpointFailure {
    fn exit(&self) -> Exit {
        match self {
            Self::NoOrigin
            | Self::Checkpoint(_)
            | Self::Signing(SigningError::Checkpoint(_))
            | Self::RequestKey(_)
            | Self::NoMemory(_)
            | Self::NotFirst(_)
            | Self::Read { .. }
            | Self::Archived { .. }
            | Self::Old { .. } => Exit::Usage,
            Self::Signing(SigningError::Agent(_)) => Exit::Failure,
            Self::Memory(error) => error.exit(),
            Self::Signer(error) => error.exit(),
            Self::Unverified(error) => error.exit(),
            Self::Bad { .. }
            | Self::NoEntry
            | Self::Archive { .. }
            | Self::ArchiveTree(_)
            | Self::NotExtended { .. } => Exit::Distrust,
        }
    }
}
