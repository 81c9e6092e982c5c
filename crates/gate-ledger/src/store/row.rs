//! One row as it is stored, trusted in nothing.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::StoreError;
use crate::chain::{self, Bad, Chain, Facts};
use crate::entry::{Entry, EntryHash};

/// The first entry, if there is any entry; it must be a genesis.
pub(super) fn genesis(connection: &Connection) -> Result<Option<Entry>, StoreError> {
    let mut statement = connection.prepare_cached(include_str!("sql/genesis.sql"))?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let raw = RawRow::read(row)?;
    let checked = raw.entry().and_then(|entry| {
        Chain::new().push(entry.body.as_bytes(), Some(entry.hash))?;
        Ok(entry)
    });
    checked.map(Some).map_err(|source| StoreError::Bad { seq: raw.seq, source })
}

/// A row as it is stored: position, body and hash, each of which may be wrong.
pub(crate) struct RawRow<'r> {
    pub(crate) seq: i64,
    pub(crate) body: Result<&'r [u8], Bad>,
    pub(crate) hash: Option<EntryHash>,
}

impl<'r> RawRow<'r> {
    /// Reads the columns seq, body, hash.
    pub(crate) fn read(row: &'r Row<'_>) -> rusqlite::Result<Self> {
        // The schema says INTEGER, TEXT and BLOB, but a page that was edited by hand can hold anything.
        let body = match row.get_ref(1)? {
            ValueRef::Text(bytes) => Ok(bytes),
            ValueRef::Blob(_) => Err(Bad::NotText("a BLOB")),
            ValueRef::Null => Err(Bad::NotText("NULL")),
            ValueRef::Integer(_) | ValueRef::Real(_) => Err(Bad::NotText("a number")),
        };
        let hash = match row.get_ref(2)? {
            ValueRef::Blob(bytes) => bytes.try_into().ok().map(EntryHash),
            _ => None,
        };
        Ok(Self { seq: row.get(0)?, body, hash })
    }

    /// The entry in this row, if body, hash and number agree.
    pub(super) fn entry(&self) -> Result<Entry, Bad> {
        let entry = Entry::from_body(self.body.clone()?).map_err(|error| error.0)?;
        self.agrees(entry.seq, entry.hash)?;
        Ok(entry)
    }

    /// What the entry in this row says about its place, if body, hash and number agree.
    pub(super) fn place(&self) -> Result<Facts, Bad> {
        let facts = chain::inspect(self.body.clone()?)?;
        self.agrees(facts.seq, facts.hash)?;
        Ok(facts)
    }

    fn agrees(&self, seq: u64, computed: EntryHash) -> Result<(), Bad> {
        let recorded = self.hash.ok_or(Bad::HashForm)?;
        if computed != recorded {
            return Err(Bad::Hash { computed, recorded });
        }
        if i64::try_from(seq) != Ok(self.seq) {
            return Err(Bad::Row { row: self.seq, seq });
        }
        Ok(())
    }
}
