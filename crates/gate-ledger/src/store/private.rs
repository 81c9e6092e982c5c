//! The openings of commitments, in a table beside the chain: the one place from which text can be erased.
//!
//! Invariants: an opening is written in the transaction of the entry that commits to it; whoever reads one gets it
//! checked against its commitment, so that an edited row is found at once; what was erased leaves no copy in the
//! pages of the file, nor, once the write-ahead log was folded, in that.
//!
//! A name has one opening in a ledger as long as it is known there, so that its commitment serves as a pseudonym.
//!
//! What it cannot do: reach copies of the file, backups, or blocks that a file system has not reused yet.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};

use super::StoreError;
use crate::commitment::{Commitment, Field, Opening};
use crate::entry::Entry;
use crate::veil::{self, Text};

/// An opening with the entry that first committed to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The commitment.
    pub commitment: Commitment,
    /// The entry that it was recorded with.
    pub seq: u64,
    /// What it hides.
    pub opening: Opening,
}

/// Reads the columns commitment, seq, field, salt, value, and checks them against each other.
fn kept(row: &Row<'_>) -> Result<Kept, StoreError> {
    let ValueRef::Blob(written) = row.get_ref(0)? else { return Err(StoreError::Private) };
    let commitment = Commitment(written.try_into().map_err(|_| StoreError::Private)?);
    let altered = || StoreError::Opening(commitment);
    let text = |column: usize| match row.get_ref(column)? {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).map_err(|_| altered()),
        _ => Err(altered()),
    };
    let ValueRef::Blob(salt) = row.get_ref(3)? else { return Err(altered()) };
    let opening = Opening {
        field: Field::parse(text(2)?).ok_or_else(altered)?,
        salt: salt.try_into().map_err(|_| altered())?,
        value: text(4)?.to_owned(),
    };
    let seq = row.get::<_, i64>(1).ok().and_then(|seq| u64::try_from(seq).ok()).ok_or_else(altered)?;
    if opening.opens(commitment) { Ok(Kept { commitment, seq, opening }) } else { Err(altered()) }
}

/// The opening of `commitment`, if it is known.
pub(super) fn find(connection: &Connection, commitment: Commitment) -> Result<Option<Opening>, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/opening.sql"))?;
    let mut rows = statement.query([&commitment.0[..]])?;
    rows.next()?.map(|row| kept(row).map(|kept| kept.opening)).transpose()
}

/// Puts the personal texts of an entry back, as far as they are known.
pub(super) fn reveal(connection: &Connection, entry: &mut Entry) -> Result<(), StoreError> {
    if !veil::may_hold(&entry.body) {
        return Ok(());
    }
    veil::reveal(entry.kind, &mut entry.actor, &mut entry.data, &mut |commitment| {
        find(connection, commitment)
    })
}

/// The pseudonyms of a name, the first one first. There is more than one where somebody signed elsewhere.
pub(super) fn pseudonyms(connection: &Connection, name: &str) -> Result<Vec<Commitment>, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/opening_of_name.sql"))?;
    let mut rows = statement.query([name])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(kept(row)?.commitment);
    }
    Ok(found)
}

/// The names that `sentence` may mention. One whose spelling in a sentence differs from its own is among them.
pub(super) fn mentioned(connection: &Connection, sentence: &str) -> Result<Vec<Text>, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/opening_mentioned.sql"))?;
    let mut rows = statement.query([sentence])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let Kept { commitment, opening, .. } = kept(row)?;
        found.push(Text { field: opening.field, value: opening.value, commitment });
    }
    Ok(found)
}

/// Hands every opening to `each`, in no order; each is checked, and one that does not fit is an error to it.
pub(crate) fn walk(
    connection: &Connection,
    each: &mut dyn FnMut(Result<Kept, StoreError>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/openings.sql"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(kept(row))?;
    }
    Ok(())
}

/// Writes an opening beside the entry `seq`, unless it is there.
pub(super) fn keep(
    connection: &Connection,
    seq: u64,
    commitment: Commitment,
    opening: &Opening,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/opening_keep.sql"))?;
    let (field, salt) = (opening.field.as_str(), &opening.salt[..]);
    statement.execute((&commitment.0[..], seq.cast_signed(), field, salt, &opening.value))?;
    Ok(())
}

/// A new opening for `value`.
pub(super) fn draw(field: Field, value: &str) -> Result<Opening, StoreError> {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).map_err(|error| StoreError::Random(error.to_string()))?;
    Ok(Opening { field, salt, value: value.to_owned() })
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
    let mut gone = Vec::new();
    for commitment in commitments {
        let there = connection
            .query_row(include_str!("sql/opening.sql"), [&commitment.0[..]], |_| Ok(()))
            .optional()?;
        if there.is_some() && !gone.contains(commitment) {
            gone.push(*commitment);
        }
    }
    if gone.is_empty() {
        return Ok(gone);
    }
    let mut rest = Vec::new();
    walk(connection, &mut |found| {
        // An opening that fits nothing is not copied; the verification before an erasure is the place to learn of it.
        let found = found?;
        if !gone.contains(&found.commitment) {
            rest.push(found);
        }
        Ok(())
    })?;
    connection.execute(include_str!("sql/openings_delete.sql"), [])?;
    for Kept { commitment, seq, opening } in &rest {
        keep(connection, *seq, *commitment, opening)?;
    }
    Ok(gone)
}

/// Moves the write-ahead log into the file and cuts it to nothing, so that nothing erased is left in it.
pub(super) fn fold(connection: &Connection) -> Result<(), StoreError> {
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))?;
    if busy == 0 { Ok(()) } else { Err(StoreError::NotFolded) }
}
