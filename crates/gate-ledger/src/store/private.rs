//! The openings of commitments, in a table beside the chain: the one place from which text can be erased.
//!
//! Invariants: an opening is written in the transaction of the entry that commits to it; whoever reads one gets it
//! checked against its commitment, so that an edited row is found at once; what was erased leaves no copy in the
//! pages of the file, nor, once the write-ahead log was folded, in that.
//!
//! A name has one opening in a ledger as long as it is known there, so that its commitment serves as a pseudonym.
//!
//! A row says whose it is and to which opt-out it belongs, so that it can be found when its entry was archived. What
//! cannot be an opening because of its size is never read, however large it is.
//!
//! What it cannot do: reach copies of the file, backups, or blocks that a file system has not reused yet.

use std::collections::BTreeSet;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde_json::Value;

use super::StoreError;
use crate::commitment::{Commitment, Field, Opening};
use crate::entry::Entry;
use crate::redaction::{self, Text};

/// The longest text that is read, in bytes: no entry could hold a longer one. The queries say the same number.
const MAX_VALUE: i64 = 1 << 20;

/// A query of openings: the columns that [`kept`] reads, and which rows.
macro_rules! query {
    ($rows:literal) => {
        concat!(include_str!("sql/opening_columns.sql"), include_str!($rows))
    };
}

/// An opening with the entry that first committed to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptOpening {
    /// The commitment.
    pub commitment: Commitment,
    /// The entry that it was recorded with.
    pub seq: u64,
    /// The first entry of the life that this entry belongs to: the ID of the opt-out.
    pub id: u64,
    /// The actor of that entry as it is written there: an id, or the commitment to one.
    pub actor: String,
    /// What it hides.
    pub opening: Opening,
}

impl KeptOpening {
    /// An opening that is kept beside `entry`, which is as it was written.
    pub(super) fn beside(entry: &Entry, commitment: Commitment, opening: Opening) -> Self {
        let actor = entry.actor.get("id").or_else(|| entry.actor.get("id_c"));
        let actor = actor.and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = entry.reference.unwrap_or(entry.seq);
        Self { commitment, seq: entry.seq, id, actor, opening }
    }
}

/// Reads a row of the table, one of whose columns is NULL where it was too long to be read, and checks it.
fn kept(row: &Row<'_>) -> Result<KeptOpening, StoreError> {
    let ValueRef::Blob(written) = row.get_ref(0)? else { return Err(StoreError::Private) };
    let commitment = Commitment(written.try_into().map_err(|_| StoreError::Private)?);
    let altered = || StoreError::Opening(commitment);
    let text = |column: usize| match row.get_ref(column)? {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).map_err(|_| altered()),
        _ => Err(altered()),
    };
    let position = |column: usize| {
        row.get::<_, i64>(column).ok().and_then(|seq| u64::try_from(seq).ok()).ok_or_else(altered)
    };
    let (seq, id) = (position(1)?, position(2)?);
    if row.get::<_, i64>(7)? > MAX_VALUE {
        return Err(StoreError::OpeningTooLong { commitment, seq });
    }
    let ValueRef::Blob(salt) = row.get_ref(5)? else { return Err(altered()) };
    let opening = Opening {
        field: Field::parse(text(4)?).ok_or_else(altered)?,
        salt: salt.try_into().map_err(|_| altered())?,
        value: text(6)?.to_owned(),
    };
    if !opening.opens(commitment) {
        return Err(altered());
    }
    Ok(KeptOpening { commitment, seq, id, actor: text(3)?.to_owned(), opening })
}

/// The opening of `commitment`, if it is known.
pub(super) fn find(connection: &Connection, commitment: Commitment) -> Result<Option<Opening>, StoreError> {
    Ok(find_kept(connection, commitment)?.map(|kept| kept.opening))
}

/// The same with the entry that it was recorded with.
pub(super) fn find_kept(
    connection: &Connection,
    commitment: Commitment,
) -> Result<Option<KeptOpening>, StoreError> {
    let mut statement = connection.prepare_cached(query!("sql/opening.sql"))?;
    let mut rows = statement.query([&commitment.0[..]])?;
    rows.next()?.map(kept).transpose()
}

/// Puts the personal texts of an entry back, as far as they are known.
pub(super) fn reveal(connection: &Connection, entry: &mut Entry) -> Result<(), StoreError> {
    if !redaction::may_hold(&entry.body) {
        return Ok(());
    }
    redaction::reveal(entry.kind, &mut entry.actor, &mut entry.data, &mut |commitment| {
        find(connection, commitment)
    })
}

/// The pseudonyms of a name, the first one first. There is more than one where somebody signed elsewhere.
pub(super) fn pseudonyms(connection: &Connection, name: &str) -> Result<Vec<Commitment>, StoreError> {
    let mut statement = connection.prepare_cached(query!("sql/opening_of_name.sql"))?;
    let mut rows = statement.query([name])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(kept(row)?.commitment);
    }
    Ok(found)
}

/// The names that `sentence` may mention. One whose spelling in a sentence differs from its own is among them.
pub(super) fn mentioned(connection: &Connection, sentence: &str) -> Result<Vec<Text>, StoreError> {
    let mut statement = connection.prepare_cached(query!("sql/opening_mentioned.sql"))?;
    let mut rows = statement.query([sentence])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let KeptOpening { commitment, opening, .. } = kept(row)?;
        let text = Text { field: opening.field, value: opening.value, commitment };
        // Not all are kept at once: many that do not occur take no more memory than one.
        if redaction::mentions(sentence, &text) {
            found.push(text);
        }
    }
    Ok(found)
}

/// Hands every opening to `each`, in no order; each is checked, and one that does not fit is an error to it.
pub(crate) fn scan(
    connection: &Connection,
    each: &mut dyn FnMut(Result<KeptOpening, StoreError>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(query!("sql/openings.sql"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(kept(row))?;
    }
    Ok(())
}

/// Writes an opening, unless it is there.
pub(super) fn keep(connection: &Connection, kept: &KeptOpening) -> Result<(), StoreError> {
    let KeptOpening { commitment, seq, id, actor, opening } = kept;
    let mut statement = connection.prepare_cached(include_str!("sql/opening_keep.sql"))?;
    let (field, salt) = (opening.field.as_str(), &opening.salt[..]);
    let (seq, id) = (seq.cast_signed(), id.cast_signed());
    statement.execute((&commitment.0[..], seq, id, actor, field, salt, &opening.value))?;
    Ok(())
}

/// Removes the openings of `commitments`. Returns those that were there.
///
/// SQLite overwrites what is deleted only where it is told to, and what a page held before its cells were moved
/// stays behind in it. So the whole table is emptied, which overwrites each of its pages, and the rest is written
/// anew. The rest is held in memory meanwhile: openings are few beside entries.
pub(super) fn erase(
    connection: &Connection,
    commitments: &[Commitment],
) -> Result<Vec<Commitment>, StoreError> {
    connection.pragma_update(None, "secure_delete", true)?;
    let asked: BTreeSet<Commitment> = commitments.iter().copied().collect();
    let (mut gone, mut rest) = (BTreeSet::new(), Vec::new());
    scan(connection, &mut |found| {
        // An opening that fits nothing is not copied; the verification before an erasure is the place to learn of it.
        let found = found?;
        // The rows say what is there: an index that somebody edited could hide one.
        if asked.contains(&found.commitment) {
            gone.insert(found.commitment);
        } else {
            rest.push(found);
        }
        Ok(())
    })?;
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    connection.execute(include_str!("sql/openings_delete.sql"), [])?;
    for kept in &rest {
        keep(connection, kept)?;
    }
    Ok(gone.into_iter().collect())
}

/// Moves the write-ahead log into the file and cuts it to nothing, so that nothing erased is left in it.
pub(super) fn fold(connection: &Connection) -> Result<(), StoreError> {
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))?;
    if busy == 0 { Ok(()) } else { Err(StoreError::NotFolded) }
}
