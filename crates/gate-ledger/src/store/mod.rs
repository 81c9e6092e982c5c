//! The ledger in a SQLite file: appending, and finding entries again.
//!
//! Purpose: durable, concurrent appends by many processes without one of them ever being refused, and the few
//! look-ups that judging needs, each answered from an index whose size does not grow with ordinary decisions.
//!
//! Invariants:
//!
//! - An append that returned is on disk (WAL, `synchronous=FULL`), and what [`Ledger::append`] read while it
//!   decided is what the entry follows: reading, judging and appending are one transaction.
//! - Writers wait for each other at a lock file beside the database, which the kernel hands on in order;
//!   SQLite's own busy handler sleeps and retries, and starves. It is held around BEGIN IMMEDIATE … COMMIT
//!   only, and never longer waited for than the caller says.
//! - Indexes and columns are conveniences that somebody may have edited. The schema is compared, letter by
//!   letter, at every open; a row is read as bytes, hashed, compared with its stored hash, and its fields
//!   are taken from the body. An edited index can still hide a row: [`crate::verify`] finds that. Uses of opt-outs are
//!   counted in indexes alone (`view/spent`).
//! - A ledger is all of its files. What they are and whose is looked at before SQLite opens one of them, and a writer
//!   who does not have the same ones open as everybody else records nothing (`files`).
//! - No second descriptor of the database file is opened while a connection is: closing one would drop the POSIX
//!   locks that SQLite holds on it (<https://www.sqlite.org/howtocorrupt.html>, section 2.2). Only a [`Snapshot`] does,
//!   whose readers take no locks.
//!
//! What it cannot see: a database that was copied without its `-wal` file lacks its newest entries and looks
//! whole. Only a checkpoint kept elsewhere tells ([`crate::checkpoint`]); copy with `gate-log copy`.
//!
//! Not here: what entries mean, and whether git tracks the file (that takes a process; the caller asks).

mod append;
mod archive;
mod create;
mod database;
mod error;
mod files;
mod lock;
mod place;
mod private;
mod row;
mod schema;
mod sealing;
mod snapshot;
mod view;

pub use append::Transaction;
pub use archive::Front;
pub use create::CreateError;
pub use database::Access;
pub use error::{AppendError, OpenError, StoreError};
pub use files::{follow_database, names};
pub use lock::Turn;
pub use place::is_reserved;
pub use private::KeptOpening;
pub use snapshot::Snapshot;
pub use view::{Head, View};

pub(crate) use database::Database;
pub(crate) use place::{beside, regular_file};
pub(crate) use private::scan as scan_openings;
pub(crate) use row::RawRow;

use std::path::Path;
use std::time::Duration;

use gate_model::time::Timestamp;

use crate::entry::{Entry, EntryHash};
use crate::redaction::Privacy;

/// An open ledger, whose first entry has been read and checked.
#[derive(Debug)]
pub struct Ledger {
    database: Database,
    id: String,
    genesis: EntryHash,
    privacy: Privacy,
}

impl Ledger {
    /// Makes a new ledger at `path` with its first entry: `actor` creates it, `data` is what they say about
    /// it. Missing directories are made; whatever exists at `path` is left alone.
    ///
    /// # Errors
    /// [`CreateError::Exists`] where there is something already; else what the file system or the format
    /// refused. Then no ledger is there.
    pub fn create(
        path: &Path,
        actor: &serde_json::Value,
        data: serde_json::Value,
        now: Timestamp,
    ) -> Result<Self, CreateError> {
        create::create(path, actor, data, now, Privacy::default())
    }

    /// The same, committing from the first entry on to what `privacy` covers.
    ///
    /// # Errors
    /// As [`Ledger::create`].
    pub fn create_private(
        path: &Path,
        actor: &serde_json::Value,
        data: serde_json::Value,
        now: Timestamp,
        privacy: Privacy,
    ) -> Result<Self, CreateError> {
        create::create(path, actor, data, now, privacy)
    }

    /// Makes a copy of a ledger that is elsewhere, with its first entry only; [`Transaction::adopt`] takes in the
    /// others.
    ///
    /// # Errors
    /// As [`Ledger::create`]; also where `genesis` is not the first entry of any ledger.
    pub fn create_copy(path: &Path, genesis: &Entry) -> Result<Self, CreateError> {
        create::create_copy(path, genesis)
    }

    /// Says which personal text this ledger's writers only commit to. Nothing, unless somebody says so.
    pub const fn set_privacy(&mut self, privacy: Privacy) {
        self.privacy = privacy;
    }

    /// Opens the ledger at `path`.
    ///
    /// # Errors
    /// An [`OpenError`] that says whether there is none, it cannot be read, or it cannot be trusted.
    pub fn open(path: &Path, access: Access) -> Result<Self, OpenError> {
        Self::in_database(path, Database::open(path, access)?)
    }

    /// Opens it as it stood when `snapshot` was taken, for reading.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_snapshot(snapshot: &Snapshot) -> Result<Self, OpenError> {
        Self::in_database(snapshot.path(), Database::open_snapshot(snapshot)?)
    }

    /// Opens the ledger at `path` for reading as it lies, without making a log beside it and removing it again, which is
    /// most of what a short look costs: nothing where somebody may be writing to it. What was read counts only where
    /// [`Ledger::is_still`] says so afterwards. Nobody opens the same ledger otherwise meanwhile.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_at_rest(path: &Path) -> Result<Option<Self>, OpenError> {
        Database::open_at_rest(path)?.map(|database| Self::in_database(path, database)).transpose()
    }

    /// Whether it was opened as it lay.
    pub fn is_at_rest(&self) -> bool {
        self.database.is_at_rest()
    }

    /// Whether it was opened as it lay and nobody appended since.
    pub fn is_newest(&self) -> bool {
        self.database.is_newest()
    }

    /// Whether all that was read in a ledger that was opened as it lay is of one moment. It always is in any other.
    pub fn is_still(&self) -> bool {
        self.database.is_still()
    }

    fn in_database(path: &Path, database: Database) -> Result<Self, OpenError> {
        let genesis = row::genesis(&database.connection).map_err(|source| match source {
            StoreError::Bad { source, .. } => OpenError::Genesis { path: path.to_owned(), source },
            source => OpenError::Store { path: path.to_owned(), source },
        })?;
        let Some(genesis) = genesis else {
            return Err(OpenError::NoEntries { path: path.to_owned() });
        };
        Ok(Self { database, id: genesis.ledger, genesis: genesis.hash, privacy: Privacy::default() })
    }

    /// The ledger's id: 128 random bits in hexadecimal.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The hash of its first entry, which a policy pins.
    pub const fn genesis(&self) -> EntryHash {
        self.genesis
    }

    /// From now on every look-up sees the ledger as it stood at the first one, until it is closed: several that belong
    /// together, such as the newest entry and what is live, must be of one moment. Others append meanwhile.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn hold_still(&self) -> Result<(), StoreError> {
        Ok(self.database.connection.execute_batch("BEGIN")?)
    }

    /// The entries, for reading. Each look-up sees all that was committed when it began.
    pub fn view(&self) -> View<'_> {
        View::new(&self.database.connection, &self.id)
    }

    /// Runs `work` with the ledger to itself and commits what it appended; nothing is kept where it fails.
    ///
    /// `wait` bounds the wait for other writers. `clock` is read when the transaction begins and for each
    /// entry that is appended.
    ///
    /// # Errors
    /// [`AppendError::Work`] with what `work` returned, or [`AppendError::Store`]; then nothing was recorded.
    pub fn append<T, E>(
        &mut self,
        wait: Duration,
        clock: &dyn Fn() -> Timestamp,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, AppendError<E>> {
        append::append(&mut self.database, (&self.id, self.privacy), wait, clock, work)
    }

    /// Moves the write-ahead log into the file and cuts it to nothing: what was erased is then in neither.
    ///
    /// # Errors
    /// [`StoreError::NotFolded`] where somebody reads the ledger and still needs the log; another [`StoreError`].
    pub fn fold(&mut self, wait: Duration) -> Result<(), StoreError> {
        let _lock = lock::acquire(self.database.real(), wait)?;
        self.database.check_current()?;
        private::fold(&self.database.connection)
    }

    /// Closes the file, moving what the WAL holds into it where nobody else has it open, as dropping a ledger does.
    /// Every entry is durable either way.
    ///
    /// # Errors
    /// [`StoreError::Replaced`] where what was written is not where others look for it.
    pub fn close(self) -> Result<(), StoreError> {
        match self.database.access {
            Access::Append => self.database.check_current(),
            Access::Read => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
