//! One transaction over the tables, and how it can end.

use gate_ledger::archive::EntryRef;
use gate_ledger::entry::{Entry, EntryHash};
use gate_ledger::remote::{Kept, Outcome, RemoteError};
use gate_model::time::Timestamp;
use postgres::types::Type;
use postgres::{Client, Error, Row};

use crate::error::{self, distrust, failure};

/// The row of a ledger.
pub(crate) struct Newest {
    pub(crate) id: String,
    pub(crate) head: EntryRef,
    /// What the server's clock shows.
    pub(crate) now: Timestamp,
}

/// How a transaction ended without an error.
pub(crate) enum Done {
    Outcome(Outcome),
    /// Somebody else was first, and the transaction goes on with the ledger's row: who reads what is new now, judges
    /// again and appends is the next one. So nobody loses twice in a row, and those who wait come one after the other.
    Kept(Outcome),
    /// COMMIT was sent and no answer came.
    Lost(String),
}

/// Why one did not.
pub(crate) enum Failed {
    Said(RemoteError),
    Postgres(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<RemoteError> for Failed {
    fn from(error: RemoteError) -> Self {
        Self::Said(error)
    }
}

impl Failed {
    pub(crate) fn remote(&self) -> RemoteError {
        match self {
            Self::Postgres(error) => error::failed(error),
            Self::Said(RemoteError::Failed(failed)) => failed.clone().into(),
            Self::Said(error) => failure(error.to_string()),
        }
    }
}

pub(crate) fn position(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

pub(crate) fn hash(bytes: &[u8]) -> Result<EntryHash, RemoteError> {
    bytes.try_into().map(EntryHash).map_err(|_| distrust("a hash in the tables is none"))
}

impl Newest {
    pub(crate) fn read(row: &Row) -> Result<Self, RemoteError> {
        let seq =
            u64::try_from(row.get::<_, i64>(1)).map_err(|_| distrust("a position in the tables is none"))?;
        let now =
            Timestamp::parse(row.get(3)).map_err(|error| failure(format!("the server's clock: {error}")))?;
        Ok(Self { id: row.get(0), head: EntryRef { seq, hash: hash(row.get(2))? }, now })
    }
}

/// What bounds how long others wait for somebody who keeps the row and does not come back: the server ends the session.
const KEEP: &str = "SET LOCAL idle_in_transaction_session_timeout = '5s'";

/// One transaction, unless `goes_on`: then the one that was kept. An error before COMMIT means that nothing was written;
/// so does one of the server at COMMIT. After an error nobody knows where the connection stands.
pub(crate) fn once(
    client: &mut Client,
    goes_on: bool,
    work: impl FnOnce(&mut Client) -> Result<Outcome, Failed>,
) -> Result<Done, Failed> {
    if !goes_on {
        client.batch_execute("BEGIN")?;
    }
    let outcome = work(client)?;
    if matches!(outcome, Outcome::Moved(Some(_))) {
        client.batch_execute(KEEP)?;
        return Ok(Done::Kept(outcome));
    }
    match client.batch_execute("COMMIT") {
        Ok(()) => Ok(Done::Outcome(outcome)),
        Err(error)
            if outcome.is_taken() && error.code().is_none_or(|code| code.code().starts_with("57P")) =>
        {
            Ok(Done::Lost(error::said(&error)))
        }
        // What was only looked at needs no commit.
        Err(_) if !outcome.is_taken() => Ok(Done::Outcome(outcome)),
        Err(error) => Err(error.into()),
    }
}

/// The ledger's row, to itself until the transaction ends.
pub(crate) fn lock(transaction: &mut Client, ledger: &str) -> Result<Option<Newest>, Failed> {
    let row = transaction.query_typed_opt(include_str!("sql/head_lock.sql"), &[(&ledger, Type::TEXT)])?;
    Ok(row.as_ref().map(Newest::read).transpose()?)
}

/// Whether we are among those who make ledgers.
pub(crate) fn may_create(transaction: &mut Client) -> Result<bool, Failed> {
    Ok(transaction.query_typed_one(include_str!("sql/may_create.sql"), &[])?.get(0))
}

/// Adds entries and the openings that came with them.
pub(crate) fn insert(
    transaction: &mut Client,
    ledger: &str,
    entries: &[Entry],
    kept: &[Kept<'_>],
) -> Result<(), Failed> {
    let seqs: Vec<i64> = entries.iter().map(|entry| position(entry.seq)).collect();
    let hashes: Vec<&[u8]> = entries.iter().map(|entry| &entry.hash.0[..]).collect();
    let bodies: Vec<&[u8]> = entries.iter().map(|entry| entry.body.as_bytes()).collect();
    transaction.execute_typed(
        include_str!("sql/append.sql"),
        &[
            (&ledger, Type::TEXT),
            (&seqs, Type::INT8_ARRAY),
            (&hashes, Type::BYTEA_ARRAY),
            (&bodies, Type::BYTEA_ARRAY),
        ],
    )?;
    for Kept { entry, commitment, line, .. } in kept {
        let (commitment, seq) = (&commitment.0[..], position(entry.seq));
        transaction.execute_typed(
            include_str!("sql/keep.sql"),
            &[(&ledger, Type::TEXT), (&commitment, Type::BYTEA), (&seq, Type::INT8), (&line, Type::BYTEA)],
        )?;
    }
    Ok(())
}

/// Whether the ledger has this very entry.
pub(crate) fn has(transaction: &mut Client, ledger: &str, entry: &Entry) -> Result<bool, Failed> {
    let (before, seq) = (position(entry.seq) - 1, position(entry.seq));
    let row = transaction.query_typed_opt(
        include_str!("sql/read.sql"),
        &[(&ledger, Type::TEXT), (&before, Type::INT8), (&seq, Type::INT8), (&1_i64, Type::INT8)],
    )?;
    Ok(row.is_some_and(|row| row.get::<_, &[u8]>(1) == entry.hash.0))
}
