//! What can go wrong with a ledger in a file.

use std::path::PathBuf;
use std::time::Duration;

use gate_model::exit::{Ends, Exit};
use rusqlite::ErrorCode;

use crate::archive::Statement;
use crate::chain::Bad;
use crate::commitment::Commitment;
use crate::entry::DraftError;
use crate::redaction::{SealError, WrongField};

/// A ledger that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such file.
    #[error("there is no ledger at '{}'; make one with gate-log init", path.display())]
    Missing {
        /// Where.
        path: PathBuf,
    },
    /// It is a directory, a pipe or a device.
    #[error("'{}' is {what}, not a file", path.display())]
    NotAFile {
        /// Where.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// What stands where a file of the ledger belongs is a directory, a link, a pipe or a device.
    #[error(
        "'{}' is not a regular file, and stands where a file of the ledger belongs\n\
         find out who put it there, and remove it",
        path.display()
    )]
    Beside {
        /// The path beside the ledger.
        path: PathBuf,
    },
    /// A file of the ledger has another name, a hard link.
    #[error(
        "'{}' has a second name (a hard link), and whoever used that would write a log of its own\n\
         find the other name with find -samefile, and copy the file in place of linking it",
        path.display()
    )]
    TwoNames {
        /// The file.
        path: PathBuf,
    },
    /// There is a rollback journal, which SQLite would write over the ledger.
    #[error(
        "'{}' is a rollback journal, which a ledger never has: SQLite would write it over the ledger\n\
         find out who put it there, and move it away",
        path.display()
    )]
    Journal {
        /// The journal.
        path: PathBuf,
    },
    /// A file of the ledger is somebody's who has no part in it.
    #[error(
        "'{}' belongs to user {owner}, who is neither this user nor the owner of its directory\n\
         if the file is right, give it to the ledger's user with chown(1); users share a ledger by its directory's group",
        path.display()
    )]
    Owner {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// The system does not let this user read or write a file of the ledger.
    #[error(
        "this user may not write to '{}': {source}\n\
         users share a ledger by its directory's group: chgrp -R GROUP DIRECTORY, chmod 2770 DIRECTORY, and \
         chmod 660 for each file of the ledger in it",
        path.display()
    )]
    Denied {
        /// The file, or the directory that holds it.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Others wrote to it all the time, so that no moment of it could be read.
    #[error("'{}' was written to all the time while it was read\ntry again, or verify a copy made with gate-log copy", path.display())]
    Restless {
        /// Where.
        path: PathBuf,
    },
    /// There is no private copy to read it from.
    #[error(
        "cannot copy the ledger to '{}', to read it without writing to it: {source}\n\
         name a directory with room for it in TMPDIR",
        to.display()
    )]
    Copy {
        /// The copy.
        to: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The path does not lead anywhere: a loop of symbolic links, or a file in place of a directory.
    #[error("the path '{}' does not lead to a file: {source}", path.display())]
    NoPath {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system refused to look at it.
    #[error("cannot reach '{}': {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is on a file system on which SQLite's locks and shared memory do not work between machines.
    #[error("'{}' is on a network file system ({filesystem}), where concurrent writers damage a ledger; \
             keep it on a local disk", path.display())]
    Network {
        /// Where.
        path: PathBuf,
        /// The kind of file system.
        filesystem: String,
    },
    /// It is some other file.
    #[error("'{}' is not a ledger: {reason}", path.display())]
    NotALedger {
        /// Where.
        path: PathBuf,
        /// How one can tell.
        reason: String,
    },
    /// It was written by a later version.
    #[error("'{}' has format {found}, this build reads format {known}; use a newer gate", path.display())]
    Newer {
        /// Where.
        path: PathBuf,
        /// The format of the file.
        found: i64,
        /// The newest format that is known.
        known: i64,
    },
    /// Its schema is not the one that was created: a table, index, view or trigger was added, changed or
    /// removed.
    #[error("the schema of '{}' was altered: {defect}; gate-log export --salvage reads what is there, but it cannot be trusted",
            path.display())]
    Altered {
        /// Where.
        path: PathBuf,
        /// The first difference.
        defect: String,
    },
    /// It holds nothing, not even a first entry.
    #[error("'{}' is not a ledger: it has no entries", path.display())]
    NoEntries {
        /// Where.
        path: PathBuf,
    },
    /// Its first entry is not one.
    #[error("the first entry of '{}' is bad: {source}", path.display())]
    Genesis {
        /// Where.
        path: PathBuf,
        /// Why.
        source: Bad,
    },
    /// Reading it failed.
    #[error("cannot open '{}': {source}", path.display())]
    Store {
        /// Where.
        path: PathBuf,
        /// Why.
        source: StoreError,
    },
}

impl OpenError {
    /// Whether somebody put something in the ledger's place, or beside it, that it never has: no mishap, and no way to
    /// have a ledger that cannot be used.
    pub const fn is_planted(&self) -> bool {
        matches!(
            self,
            Self::Beside { .. } | Self::Journal { .. } | Self::Owner { .. } | Self::TwoNames { .. }
        )
    }
}

impl Ends for OpenError {
    // How a tool ends on it.
    fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. } | Self::NotAFile { .. } | Self::NoPath { .. } => Exit::Usage,
            Self::Io { .. } | Self::Denied { .. } | Self::Restless { .. } | Self::Copy { .. } => {
                Exit::Failure
            }
            Self::Beside { .. }
            | Self::TwoNames { .. }
            | Self::Journal { .. }
            | Self::Owner { .. }
            | Self::Network { .. }
            | Self::NotALedger { .. }
            | Self::Newer { .. }
            | Self::Altered { .. }
            | Self::NoEntries { .. }
            | Self::Genesis { .. } => Exit::Distrust,
            Self::Store { source, .. } => source.exit(),
        }
    }
}

/// Reading or writing an open ledger failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row that is needed is not what was once appended.
    #[error("entry {seq} of the ledger is bad: {source}; see gate-verify")]
    Bad {
        /// The number of the row.
        seq: i64,
        /// What is wrong with it.
        source: Bad,
    },
    /// An index led to a row that does not belong there.
    #[error("the ledger's index '{index}' led to entry {seq}, which does not belong there; see gate-verify")]
    OutOfStep {
        /// The index.
        index: &'static str,
        /// The row.
        seq: u64,
    },
    /// The pages of the file contradict each other.
    #[error("the ledger's file is damaged ({0})\nsave what is intact with: gate-log export --salvage")]
    Corrupt(#[source] rusqlite::Error),
    /// The pages of the file lead to a row twice.
    #[error(
        "the ledger's file is damaged: its pages lead to entry {0} again\nsave what is intact with: gate-log export --salvage"
    )]
    Again(i64),
    /// The draft of an entry was refused.
    #[error("the entry cannot be recorded: {0}")]
    Draft(#[from] DraftError),
    /// Other writers did not come to an end in time.
    #[error("another process held the ledger's lock for {}; try again, or look for a process that hangs",
            humane(*.0))]
    LockTimeout(Duration),
    /// The lock file cannot be used.
    #[error("cannot lock '{}': {source}", path.display())]
    LockFile {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The disk is full.
    #[error("the disk is full; nothing was recorded")]
    Full,
    /// The ledger was opened for reading, or the file cannot be written.
    #[error(
        "the ledger cannot be written: it is open for reading only, or its file or directory is read-only"
    )]
    ReadOnly,
    /// Another program holds the database itself, beside the lock file.
    #[error("another program holds the ledger's database; close other users of it, such as a sqlite3 shell")]
    Busy,
    /// The file, its write-ahead log or that one's index is another one than at the beginning.
    #[error(
        "a file of the ledger was removed or replaced while it was in use, so that what was written may be lost\n\
         find out who does that, and look at the ledger with: gate-verify"
    )]
    Replaced,
    /// An earlier append of the same transaction failed, so that nothing of it is kept.
    #[error("nothing was recorded, since an entry of the same transaction could not be")]
    Abandoned,
    /// An opening was changed, or belongs to another commitment.
    #[error("the ledger's opening of commitment {0} does not match it: somebody edited it; see gate-verify")]
    Opening(Commitment),
    /// An opening is longer than any text of an entry.
    #[error(
        "the ledger's opening of commitment {commitment}, of entry {seq}, is too long to be one and was not read: \
         somebody planted it; see gate-verify"
    )]
    OpeningTooLong {
        /// The commitment.
        commitment: Commitment,
        /// The entry that it is said to belong to.
        seq: u64,
    },
    /// A row of the table of openings is none.
    #[error("the ledger's table of openings holds a row that is none; see gate-verify")]
    Private,
    /// Personal text cannot be recorded as a commitment.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The system gave no random bytes for a salt.
    #[error("the system gave no random bytes: {0}")]
    Random(String),
    /// The write-ahead log could not be cut, since somebody reads the ledger.
    #[error(
        "what was erased is still in the ledger's write-ahead log, since another process reads the ledger; \
         erase again when it is done"
    )]
    NotFolded,
    /// An entry was archived.
    #[error(
        "entry {seq} was archived; it is in segment '{}'\nread it with: zstd -dc SEGMENT | grep '\"seq\":{seq},'",
        gate_model::text::visible(segment)
    )]
    Archived {
        /// The entry.
        seq: u64,
        /// The name of the segment that holds it.
        segment: String,
    },
    /// An entry that was to be archived is not the one that was moved.
    #[error(
        "entry {0} is not the one that was moved: another process archived meanwhile; nothing was deleted"
    )]
    Moved(u64),
    /// A prefix of a hash that is too short, or none.
    #[error("'{0}' is not the beginning of an entry hash; give at least 8 digits of 0-9 and a-f")]
    HashPrefix(String),
    /// Anything else that SQLite reports: an I/O error, mostly.
    #[error(
        "the ledger's file cannot be used: {0}\nlook whether the disk is full, and whether this user may read and write there"
    )]
    Sqlite(#[source] rusqlite::Error),
}

impl StoreError {
    /// That the entry at `seq` is bad.
    pub fn bad(seq: u64, source: Bad) -> Self {
        Self::Bad { seq: i64::try_from(seq).unwrap_or(i64::MAX), source }
    }

    /// That the entry `seq` was archived, if `statement` says so.
    pub fn archived(statement: &Statement, seq: u64) -> Option<Self> {
        Some(Self::Archived { seq, segment: statement.segment_of(seq)?.name.clone() })
    }
}

impl Ends for StoreError {
    // How a tool ends on it.
    fn exit(&self) -> Exit {
        match self {
            Self::Bad { .. }
            | Self::OutOfStep { .. }
            | Self::Corrupt(_)
            | Self::Again(_)
            | Self::Opening(_)
            | Self::OpeningTooLong { .. }
            | Self::Private
            | Self::Replaced => Exit::Distrust,
            Self::Draft(error) => error.exit(),
            Self::Archived { .. } | Self::HashPrefix(_) | Self::Seal(_) => Exit::Usage,
            Self::LockTimeout(_)
            | Self::LockFile { .. }
            | Self::Full
            | Self::ReadOnly
            | Self::Moved(_)
            | Self::Busy
            | Self::Abandoned
            | Self::Random(_)
            | Self::NotFolded
            | Self::Sqlite(_) => Exit::Failure,
        }
    }
}

impl From<WrongField> for StoreError {
    fn from(error: WrongField) -> Self {
        Self::Opening(error.0)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            // TooBig: a row above SQLITE_LIMIT_LENGTH was not appended by us. Unknown: malformed JSON in a body
            // that an index expression meets, and the like.
            Some(
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TooBig | ErrorCode::Unknown,
            ) => Self::Corrupt(error),
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Sqlite(error),
        }
    }
}

/// An append that recorded nothing.
#[derive(Debug, thiserror::Error)]
pub enum AppendError<E> {
    /// The ledger failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller's work within the transaction failed.
    #[error("{0}")]
    Work(E),
}

impl<E: From<StoreError>> AppendError<E> {
    /// The one error that it is, for whoever has a word for a ledger that failed.
    pub fn flatten(self) -> E {
        match self {
            Self::Store(error) => error.into(),
            Self::Work(error) => error,
        }
    }
}

/// A wait in words: whole seconds where it has some.
fn humane(wait: Duration) -> String {
    if wait.as_secs() > 0 { format!("{} s", wait.as_secs()) } else { format!("{} ms", wait.as_millis()) }
}
