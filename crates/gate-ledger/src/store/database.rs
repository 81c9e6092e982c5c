//! Opening the file and setting it up, the same way for every use.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};

use super::files::Identity;
use super::place::{beside, locate};
use super::snapshot::Snapshot;
use super::{OpenError, StoreError, files, schema};

/// What an open ledger may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Look-ups only. The file and its directory may be read-only.
    Read,
    /// Look-ups and appends.
    Append,
}

/// How long to wait at an open for somebody who is just closing: SQLite locks the file while it moves the WAL.
const OPEN_WAIT: Duration = Duration::from_secs(10);
/// The largest row that SQLite hands out. An entry is at most 1 MiB; a larger row is not ours.
const MAX_ROW: i32 = 2 << 20;
/// Pages kept in memory by each connection, in KiB (negative, as SQLite wants it for KiB).
const CACHE_KIB: i64 = -2048;

/// How often an open is tried again where the files beside the database changed meanwhile: others close it then.
const OPEN_TRIES: usize = 8;

/// A connection to a file that has the schema of a ledger.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) connection: Connection,
    pub(super) access: Access,
    real: PathBuf,
    /// The files that it has open.
    files: Identity,
    /// What it reads in their stead, or as it lies, where it does.
    copy: Option<Snapshot>,
}

impl Database {
    /// Opens the file at `path`, sets the connection up, and compares the schema.
    pub(crate) fn open(path: &Path, access: Access) -> Result<Self, OpenError> {
        for _ in 0..OPEN_TRIES {
            let real = locate(path)?;
            let before = Identity::of(&real);
            let database = Self::connect(path, real, access)?;
            if database.files.continues(before) {
                return Ok(database);
            }
        }
        Err(OpenError::Store { path: path.to_owned(), source: StoreError::Replaced })
    }

    fn connect(path: &Path, real: PathBuf, access: Access) -> Result<Self, OpenError> {
        let fails = |source: rusqlite::Error| open_error(path, source);
        let (connection, copy) = match access {
            Access::Append => {
                files::refuse_unwritable(&real)?;
                (open(&real, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(prepare).map_err(fails)?, None)
            }
            Access::Read if is_abandoned(&real) => {
                let copy = Snapshot::copy(path)?;
                (connect_immutable(copy.file()).map_err(fails)?, Some(copy))
            }
            Access::Read => (connect_to_read(&real).map_err(fails)?, None),
        };
        check(path, &connection)?;
        if access == Access::Append {
            set_up_writing(&connection).map_err(fails)?;
        }
        let files = Identity::of(&real);
        Ok(Self { connection, access, real, files, copy })
    }

    /// Opens the file at `path` as it lies, without making anything beside it: nothing where somebody may be writing to it.
    /// What is read counts where [`Database::is_still`] says so afterwards.
    pub(super) fn open_at_rest(path: &Path) -> Result<Option<Self>, OpenError> {
        let real = locate(path)?;
        let Some(snapshot) = Snapshot::at_rest(path, &real)? else { return Ok(None) };
        let mut database = Self::open_snapshot(&snapshot)?;
        database.copy = Some(snapshot);
        Ok(Some(database))
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.copy.as_ref().is_some_and(Snapshot::is_in_place)
    }

    pub(super) fn is_newest(&self) -> bool {
        self.copy.as_ref().is_some_and(Snapshot::is_newest)
    }

    /// Whether all that was read is of one moment, where it was read as it lay.
    pub(super) fn is_still(&self) -> bool {
        self.copy.as_ref().is_none_or(Snapshot::is_still)
    }

    /// Opens a file as it stood when `snapshot` was taken.
    pub(crate) fn open_snapshot(snapshot: &Snapshot) -> Result<Self, OpenError> {
        let path = snapshot.path();
        let connection = connect_immutable(snapshot.file()).map_err(|source| open_error(path, source))?;
        check(path, &connection)?;
        let real = snapshot.file().to_owned();
        Ok(Self { connection, access: Access::Read, files: Identity::of(&real), real, copy: None })
    }

    /// The same for reading every page once, with so many KiB of pages kept in memory.
    pub(crate) fn keeping(self, kib: i64) -> Result<Self, OpenError> {
        let limited = self.connection.pragma_update(None, "cache_size", -kib);
        limited.map_err(|source| open_error(&self.real, source))?;
        Ok(self)
    }

    pub(super) fn real(&self) -> &Path {
        &self.real
    }

    /// Whether the files at their names are still the ones that this connection has open.
    fn is_current(&self) -> bool {
        self.files == Identity::of(&self.real)
    }

    /// Refuses to go on with files that others do not see.
    pub(super) fn check_current(&self) -> Result<(), StoreError> {
        if self.is_current() { Ok(()) } else { Err(StoreError::Replaced) }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The last one to close moves the write-ahead log into the file and removes it. Whoever has an older index of
        // it than others would remove what they wrote.
        if !self.is_current() {
            let kept = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
            // The one way for this to fail is an option that the library does not know.
            debug_assert!(kept.is_ok());
        }
    }
}

/// Whether there is a write-ahead log that holds something, and no index of it: nobody has the ledger open, so that
/// whoever reads it would have to make the index, and leave it behind.
fn is_abandoned(real: &Path) -> bool {
    let holds_something = fs::metadata(beside(real, "-wal")).is_ok_and(|metadata| metadata.len() > 0);
    holds_something && !beside(real, "-shm").exists()
}

/// Opens for reading, without leaving a trace.
///
/// SQLite's own read-only mode leaves an empty WAL and its index behind, so the file is opened for writing
/// where that is allowed, and the connection is told not to write. A WAL that somebody left is read but not
/// moved into the file: what an auditor looks at stays as it is.
///
/// Where the file or its directory cannot be written, and only if there is no WAL that could hold entries, the
/// file is read as one that nobody changes: a WAL made by a reader would belong to the reader, and could keep
/// the ledger's own writers out. A writer that comes meanwhile can then make a long reading fail, not succeed
/// wrongly: what is read is hashed.
fn connect_to_read(real: &Path) -> rusqlite::Result<Connection> {
    let wal = beside(real, "-wal");
    let connection = open(real, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Asked before anything is read, since the first read makes the WAL.
    if connection.is_readonly(MAIN_DB)? && !wal.exists() {
        return connect_immutable(real);
    }
    let left_over = fs::metadata(&wal).is_ok_and(|metadata| metadata.len() > 0);
    let first_read = prepare(connection).and_then(|connection| {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, left_over)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_query_value(None, "schema_version", |_| Ok(()))?;
        Ok(connection)
    });
    match first_read {
        Err(error) if cannot_make_index(&error) && !wal.exists() => connect_immutable(real),
        result => result,
    }
}

fn cannot_make_index(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

fn open(real: &Path, mode: OpenFlags) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(real, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// Moves the write-ahead log of a copy into it.
pub(super) fn fold_copy(copy: &Path) -> rusqlite::Result<()> {
    let connection = prepare(open(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)
}

pub(super) fn connect_immutable(real: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    prepare(Connection::open_with_flags(immutable_uri(real), flags)?)
}

/// The URI of an absolute path (<https://www.sqlite.org/uri.html>), each unusual byte percent-encoded.
fn immutable_uri(real: &Path) -> String {
    let mut uri = String::from("file://");
    for byte in real.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {
                uri.push(char::from(*byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

/// What protects a connection from the file it reads (<https://www.sqlite.org/security.html>).
fn prepare(connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_timeout(OPEN_WAIT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // No plan may depend on a value that is bound to it: beside partial indexes SQLite would make each statement anew for
    // every value, which cost more than the look-up.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_ROW)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    Ok(connection)
}

fn set_up_writing(connection: &Connection) -> rusqlite::Result<()> {
    // A copy made by VACUUM INTO or from a dump has lost the mode, so it is set and not merely expected.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Without it INSERT OR REPLACE would delete a row without firing the trigger against DELETE.
    connection.pragma_update(None, "recursive_triggers", true)?;
    // A database that was in another mode until now gets its write-ahead log with the first read.
    connection.pragma_query_value(None, "schema_version", |_| Ok(()))
}

/// Refuses what is not a ledger of a version that we know, with exactly its schema.
fn check(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let fails = |source: rusqlite::Error| open_error(path, source);
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if number("application_id").map_err(fails)? != schema::APPLICATION_ID {
        let reason =
            if is_empty(path) { "the file is empty" } else { "it is the database of another program" };
        return Err(OpenError::NotALedger { path: path.to_owned(), reason: reason.to_owned() });
    }
    let found = number("user_version").map_err(fails)?;
    if found > schema::FORMAT {
        return Err(OpenError::Newer { path: path.to_owned(), found, known: schema::FORMAT });
    }
    if found < schema::FORMAT {
        let reason = format!("it says format {found}, which never existed");
        return Err(OpenError::NotALedger { path: path.to_owned(), reason });
    }
    match schema::difference(connection).map_err(fails)? {
        Some(defect) => Err(OpenError::Altered { path: path.to_owned(), defect }),
        None => Ok(()),
    }
}

fn is_empty(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0)
}

fn open_error(path: &Path, source: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            OpenError::NotALedger { path, reason: "it is not a SQLite database".to_owned() }
        }
        _ => OpenError::Store { path, source: source.into() },
    }
}
