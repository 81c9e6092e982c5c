//! A verified copy of the ledger in one new file.
//!
//! SQLite writes the copy in one read transaction, what its write-ahead log holds included, while others go on
//! appending. The copy is verified in full before it gets its name: a copy that is there is a good one.

mod elsewhere;

use std::path::{Path, PathBuf};
use std::time::Duration;

use gate_cli::Io;
use gate_ledger::archive::EntryRef;
use gate_ledger::store::{Access, Head, Ledger, OpenError, StoreError};
use gate_ledger::verify::{self, Options, Outcome, VerifyError};
use gate_model::exit::{Ends, Exit};
use gate_model::request::SeenHead;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::session::Log;
use gate_cli::Stop;
use gate_ledger::outfile::{NameError, Staged};

/// The value of `schema`.
const SCHEMA: &str = "gate.copy/1";
/// How long to wait for somebody who is just folding the write-ahead log.
const WAIT: Duration = Duration::from_secs(10);

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// The place is taken.
    #[error(transparent)]
    Name(#[from] NameError),
    /// SQLite takes names as text.
    #[error("the path '{}' is not UTF-8\nname another place", .0.display())]
    NotUtf8(PathBuf),
    /// SQLite could not write it.
    #[error("cannot copy to '{path}': {source}")]
    Write {
        /// Where.
        path: String,
        /// Why.
        source: StoreError,
    },
    /// The finished copy could not be verified.
    #[error("cannot verify the copy: {0}")]
    Unverified(VerifyError),
    /// The ledger is bad, so its copy is too.
    #[error("entry {seq} of the ledger is bad: {reason}\nno copy was made; gate-verify says more")]
    Bad {
        /// The first bad entry.
        seq: u64,
        /// Why.
        reason: String,
    },
    /// The copy has other entries than the ledger.
    #[error(
        "the copy does not hold entry {0} of the ledger\nno copy was made; was the file replaced meanwhile?"
    )]
    Other(u64),
    /// It did not get its name.
    #[error("cannot write '{path}': {source}")]
    Publish {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl Ends for CopyError {
    fn exit(&self) -> Exit {
        match self {
            Self::Name(error) => error.exit(),
            Self::NotUtf8(_) => Exit::Usage,
            Self::Write { source, .. } => source.exit(),
            Self::Unverified(error) => error.exit(),
            Self::Bad { .. } | Self::Other(_) => Exit::Distrust,
            Self::Publish { .. } => Exit::Failure,
        }
    }
}

/// Copies the ledger to the new file `to`, or to the remote that it names.
///
/// # Errors
/// A [`Stop`]; then nothing is at `to`.
pub(crate) fn copy(log: &Log<'_>, to: &Path, io: &mut Io<'_>) -> Result<(), Stop> {
    if let Some(address) = elsewhere::address(to) {
        return elsewhere::copy(log, address, io);
    }
    let found = log.find()?;
    let path = found.path()?;
    let ledger = found.open(Access::Read)?;
    let head = ledger.view().head()?;
    let target = log.session.env.cwd.join(to);
    found.refuse_reserved(&target, to)?;
    let staged = Staged::beside(&target).map_err(CopyError::from)?;
    let text = staged.path.to_str().ok_or_else(|| CopyError::NotUtf8(target.clone()))?;
    write(&path, text).map_err(|source| CopyError::Write { path: to.display().to_string(), source })?;
    let outcome = check(&ledger, head, &staged)?;
    let shown = to.display().to_string();
    staged.publish().map_err(|source| CopyError::Publish { path: shown.clone(), source })?;
    show(log, &ledger, &shown, &outcome, io);
    Ok(())
}

/// Lets SQLite write everything it sees in `from` to the new file `to`.
fn write(from: &Path, to: &str) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(from, flags)?;
    // The file may be hostile: nothing in its schema is to run (https://www.sqlite.org/security.html).
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.busy_timeout(WAIT)?;
    connection.execute(include_str!("copy.sql"), [to])?;
    connection.close().map_err(|(_, error)| StoreError::from(error))?;
    log_ahead(to)
}

/// Sets the copy to write-ahead logging, as every ledger is: else its first writer would do so, through a journal, which
/// no tool takes beside a ledger.
fn log_ahead(to: &str) -> Result<(), StoreError> {
    let connection = Connection::open(to)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error.into())
}

/// Verifies the copy, which must hold what was the ledger's newest entry before.
fn check(ledger: &Ledger, head: Head, staged: &Staged) -> Result<Outcome, Stop> {
    let options = Options { genesis: Some(ledger.genesis()), quick_check: true, ..Options::default() };
    let outcome = verify::sqlite(&staged.path, &options, &mut ()).map_err(CopyError::Unverified)?;
    if let Some(bad) = outcome.first_bad {
        return Err(CopyError::Bad { seq: bad.seq, reason: bad.reason }.into());
    }
    let copy = Ledger::open(&staged.path, Access::Read)?;
    let same = copy.view().entry(head.seq)?.is_some_and(|entry| entry.hash == head.hash);
    if same { Ok(outcome) } else { Err(CopyError::Other(head.seq).into()) }
}

fn show(log: &Log<'_>, ledger: &Ledger, to: &str, outcome: &Outcome, io: &mut Io<'_>) {
    let head = outcome.head.map(|(seq, hash)| EntryRef { seq, hash });
    let summary =
        format!("{} copied to '{to}' and verified", gate_cli::render::count(outcome.entries, "entry"));
    log.session.report(&document(ledger, to, outcome.entries, head), &summary, io);
}

/// What is said of a copy of `ledger` at `place`.
fn document(ledger: &Ledger, place: &str, entries: u64, head: Option<EntryRef>) -> Value {
    json!({
        "schema": SCHEMA,
        "ledger": place,
        "id": ledger.id(),
        "genesis": ledger.genesis().to_string(),
        "entries": entries,
        "head": head.map(SeenHead::from),
    })
}

impl From<OpenError> for CopyError {
    fn from(error: OpenError) -> Self {
        Self::Unverified(error.into())
    }
}
