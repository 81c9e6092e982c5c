//! Making a new ledger: all of it, or nothing.
//!
//! The database is built under another name and gets its own by one system call that fails where the name is
//! taken, as [`crate::outfile`] has it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gate_model::exit::{Ends, Exit};
use gate_model::time::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::place::{beside, refuse_network};
use super::{Access, KeptOpening, Ledger, OpenError, StoreError, files, private, schema, sealing};
use crate::chain::Chain;
use crate::entry::{Draft, DraftError, Entry, EntryHash, Kind, Place};
use crate::outfile::{NameError, Staged};
use crate::redaction::Privacy;

/// The page size, in bytes: with 4096 an entry of 500 bytes takes 7 % more on disk, with 16384 a durable append
/// writes twice as much for 1 % less.
const PAGE_SIZE: i64 = 8192;

/// A ledger that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// There is something already; it was left alone.
    #[error("'{}' exists already and was left alone", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// The write-ahead log of an earlier database is still there; SQLite would mix it into the new one.
    #[error("'{}' is left over from an earlier database; move it away first", path.display())]
    Leftover {
        /// The file.
        path: PathBuf,
    },
    /// The path has no last component, or names a directory.
    #[error("'{}' is not the name of a file", path.display())]
    Name {
        /// Where.
        path: PathBuf,
    },
    /// What the first entry should hold cannot be recorded.
    #[error("the first entry cannot be written: {0}")]
    Draft(#[from] DraftError),
    /// The system refused.
    #[error("cannot make a ledger at '{}': {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no randomness to be had for the ledger's id.
    #[error("the system gave no random bytes for the ledger's id: {0}")]
    Random(getrandom::Error),
    /// SQLite refused.
    #[error("cannot make a ledger at '{}': {source}", path.display())]
    Store {
        /// Where.
        path: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// It was made but could not be opened, or must not be where it is.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl Ends for CreateError {
    // How a tool ends on it.
    fn exit(&self) -> Exit {
        match self {
            Self::Exists { .. } | Self::Leftover { .. } | Self::Name { .. } => Exit::Usage,
            Self::Draft(error) => error.exit(),
            Self::Io { .. } | Self::Random(_) => Exit::Failure,
            Self::Store { source, .. } => source.exit(),
            Self::Open(error) => error.exit(),
        }
    }
}

/// See [`Ledger::create`].
pub(super) fn create(
    path: &Path,
    actor: &serde_json::Value,
    data: serde_json::Value,
    now: Timestamp,
    privacy: Privacy,
) -> Result<Ledger, CreateError> {
    let target = target(path)?;
    let id = random_hex()?;
    let mut draft = Draft { kind: Kind::Genesis, gate: None, reference: None, actor: actor.clone(), data };
    let fails = |source: StoreError| CreateError::Store { path: path.to_owned(), source };
    let openings = sealing::first(&mut draft, privacy).map_err(fails)?;
    let genesis = draft.at(Place { ledger: &id, seq: 0, prev: EntryHash::ZERO, at: now })?;
    begin_with(path, &target, &genesis, openings, privacy)
}

/// See [`Ledger::create_copy`].
pub(super) fn create_copy(path: &Path, genesis: &Entry) -> Result<Ledger, CreateError> {
    let bad = |source| OpenError::Genesis { path: path.to_owned(), source };
    Chain::new().push(genesis.body.as_bytes(), Some(genesis.hash)).map_err(bad)?;
    begin_with(path, &target(path)?, genesis, Vec::new(), Privacy::default())
}

/// Makes the file at `target`, which a person wrote as `path`, with its first entry.
fn begin_with(
    path: &Path,
    target: &Path,
    genesis: &Entry,
    openings: Vec<sealing::New>,
    privacy: Privacy,
) -> Result<Ledger, CreateError> {
    let unnamed =
        |error| CreateError::Io { path: path.to_owned(), source: io::Error::other::<NameError>(error) };
    let staged = Staged::passing(target).map_err(unnamed)?;
    let fails = |source: StoreError| CreateError::Store { path: path.to_owned(), source };
    build(&staged.path, genesis, openings).map_err(fails)?;
    files::follow_directory(&staged.path)
        .map_err(|source| CreateError::Io { path: path.to_owned(), source })?;
    staged.publish().map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => CreateError::Exists { path: path.to_owned() },
        _ => CreateError::Io { path: path.to_owned(), source },
    })?;
    let mut ledger = Ledger::open(target, Access::Append)?;
    ledger.set_privacy(privacy);
    Ok(ledger)
}

/// Where the ledger will be: in a directory that exists now, under a name that is free.
fn target(path: &Path) -> Result<PathBuf, CreateError> {
    let fails = |source| CreateError::Io { path: path.to_owned(), source };
    let Some(name) = path.file_name() else { return Err(CreateError::Name { path: path.to_owned() }) };
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(fails)?;
    let parent = fs::canonicalize(parent).map_err(fails)?;
    refuse_network(&parent)?;
    let target = parent.join(name);
    // A link that leads nowhere exists too, so it is not followed.
    if fs::symlink_metadata(&target).is_ok() {
        return Err(CreateError::Exists { path: path.to_owned() });
    }
    for suffix in ["-wal", "-shm", "-journal"] {
        let leftover = beside(&target, suffix);
        if fs::symlink_metadata(&leftover).is_ok() {
            return Err(CreateError::Leftover { path: leftover });
        }
    }
    Ok(target)
}

/// Writes schema and first entry in one transaction of a rollback journal; the mode is changed at the end, so
/// that closing leaves one file and nothing beside it.
fn build(path: &Path, genesis: &Entry, openings: Vec<sealing::New>) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.pragma_update(None, "page_size", PAGE_SIZE)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction()?;
    schema::install(&transaction)?;
    transaction.execute(include_str!("sql/append.sql"), (0, &genesis.body, &genesis.hash.0[..]))?;
    for (commitment, opening) in openings {
        private::keep(&transaction, &KeptOpening::beside(genesis, commitment, opening))?;
    }
    transaction.commit()?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error.into())
}

/// 128 random bits in hexadecimal.
fn random_hex() -> Result<String, CreateError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(CreateError::Random)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
