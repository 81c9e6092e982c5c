//! Reading: the look-ups that judging needs, and whole scans.

mod confirm;
mod live;
mod personal;
mod spent;

use crate::archive::EntryRef;
use gate_model::request::SeenHead;
use std::ops::ControlFlow;

use gate_model::time::Timestamp;
use rusqlite::{Connection, Params, Row};

use super::StoreError;
use super::archive::{self, Front};
use super::private;
use super::row::RawRow;
use crate::archive::Statement;
use crate::chain::Bad;
use crate::entry::{Entry, EntryHash, Kind};
use confirm::{confirm, confirming, is, later};

/// The newest entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its position.
    pub seq: u64,
    /// Its hash, computed from its body.
    pub hash: EntryHash,
    /// Its time.
    pub at: Timestamp,
}

impl From<Head> for EntryRef {
    fn from(head: Head) -> Self {
        Self { seq: head.seq, hash: head.hash }
    }
}

impl From<Head> for SeenHead {
    fn from(head: Head) -> Self {
        EntryRef::from(head).into()
    }
}

/// The entries of an open ledger, or of one within a transaction.
///
/// Every entry that is handed out was read as bytes, hashed again and compared with its stored hash, its
/// position and its ledger; its fields come from its body. Nothing is cached. Personal text that the body only
/// commits to is put back into `actor` and `data`, or marked as erased; see [`crate::redaction`].
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    connection: &'a Connection,
    ledger: &'a str,
}

/// What a caller does with each entry; `Break` ends the walk.
type Each<'e> = &'e mut dyn FnMut(&Entry) -> ControlFlow<()>;

impl<'a> View<'a> {
    pub(super) const fn new(connection: &'a Connection, ledger: &'a str) -> Self {
        Self { connection, ledger }
    }

    /// The ledger's id.
    pub const fn ledger(&self) -> &'a str {
        self.ledger
    }

    pub(super) const fn connection(&self) -> &'a Connection {
        self.connection
    }

    /// What is in front of the ledger, where archives took entries from: its last gap, and what stands before it.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn front(&self) -> Result<Front, StoreError> {
        archive::front(self)
    }

    /// The newest statement about moved entries with the entry that holds it, if any were moved. It is compared
    /// with what is there. Reads from the newest entry back to it.
    ///
    /// # Errors
    /// A [`StoreError`]; also where entries are missing and no statement accounts for them.
    pub fn archive(&self) -> Result<Option<(Entry, Statement)>, StoreError> {
        archive::newest(self)
    }

    /// The newest entry.
    ///
    /// # Errors
    /// A [`StoreError`]; also where there is no entry at all.
    pub fn head(&self) -> Result<Head, StoreError> {
        let newest = self.collect(include_str!("sql/head.sql"), [])?.pop();
        let newest = newest.ok_or(StoreError::Bad { seq: 0, source: Bad::Genesis("there is no entry") })?;
        Ok(Head { seq: newest.seq, hash: newest.hash, at: newest.at })
    }

    /// The entry at `seq`, if there is one.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn entry(&self, seq: u64) -> Result<Option<Entry>, StoreError> {
        Ok(self.collect(include_str!("sql/entry.sql"), [position(seq)])?.pop())
    }

    /// The entries whose hash begins with `digits` (at least 8 of 0-9 and a-f), by seq. Reads the whole ledger.
    ///
    /// # Errors
    /// [`StoreError::HashPrefix`] for anything else; another [`StoreError`].
    pub fn by_hash_prefix(&self, digits: &str) -> Result<Vec<Entry>, StoreError> {
        let (low, high) =
            hash_range(digits).ok_or_else(|| StoreError::HashPrefix(gate_model::text::visible(digits)))?;
        self.collect(include_str!("sql/hash_range.sql"), [&low.0[..], &high.0[..]])
    }

    /// The grants of `gate` that end after `now`, by seq. Whether they have begun, were revoked or spent is
    /// for the caller to find out.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn live_grants(&self, gate: &str, now: Timestamp) -> Result<Vec<Entry>, StoreError> {
        let now = now.to_string();
        let found = self.collect(include_str!("sql/live.sql"), [gate, &now])?;
        confirm(found, "entry_live", |entry| {
            is(entry, Kind::Grant, Some(gate)) && later(entry, "expires", &now)
        })
    }

    /// The grants of all gates that end after `now`, by seq.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn all_grants_live(&self, now: Timestamp) -> Result<Vec<Entry>, StoreError> {
        let now = now.to_string();
        let found = self.collect(include_str!("sql/live_everywhere.sql"), [&now])?;
        confirm(found, "entry_live", |entry| is(entry, Kind::Grant, None) && later(entry, "expires", &now))
    }

    /// The entries whose `ref` is `id`, by seq: what happened to an opt-out after the entry that began it.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn life(&self, id: u64) -> Result<Vec<Entry>, StoreError> {
        let found = self.collect(include_str!("sql/life.sql"), [position(id)])?;
        confirm(found, "entry_life", |entry| entry.reference == Some(id))
    }

    /// The entries of kind `policy` whose `data.digest` is `digest`, newest first. Whether they have the digest that they
    /// claim is for the caller to find out.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn policy(&self, digest: &str, each: Each<'_>) -> Result<(), StoreError> {
        let belongs = |entry: &Entry| is(entry, Kind::Policy, None) && entry.data["digest"] == digest;
        let each = &mut confirming("entry_policy", belongs, each);
        self.walk(include_str!("sql/policy.sql"), [digest], each)
    }

    /// The entries of kind `policy`, newest first.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn policies(&self, each: Each<'_>) -> Result<(), StoreError> {
        let each = &mut confirming("entry_policy", |entry| is(entry, Kind::Policy, None), each);
        self.walk(include_str!("sql/policies.sql"), [], each)
    }

    /// Grants of `gate` whose time is `since` or later and, where there is an `until`, before that; newest first.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn admitted(
        &self,
        gate: &str,
        since: Timestamp,
        until: Option<Timestamp>,
        each: Each<'_>,
    ) -> Result<(), StoreError> {
        // No time that an entry can have sorts after this word.
        let until = until.map_or_else(|| "~".to_owned(), |until| until.to_string());
        let each = &mut confirming("entry_admitted", |entry| is(entry, Kind::Grant, Some(gate)), each);
        self.walk(include_str!("sql/admitted.sql"), [gate, &since.to_string(), &until], each)
    }

    /// Grants of `gate`, the last written first.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn granted(&self, gate: &str, each: Each<'_>) -> Result<(), StoreError> {
        let each = &mut confirming("entry_granted", |entry| is(entry, Kind::Grant, Some(gate)), each);
        self.walk(include_str!("sql/granted.sql"), [gate], each)
    }

    /// The requests of `gate`, or of all gates, that lapse after `now`, newest first. Whether they still wait is for the
    /// caller to find out.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn waiting(&self, gate: Option<&str>, now: Timestamp) -> Result<Vec<Entry>, StoreError> {
        let now = now.to_string();
        let found = match gate {
            Some(gate) => self.collect(include_str!("sql/waiting.sql"), [gate, &now])?,
            None => self.collect(include_str!("sql/waiting_everywhere.sql"), [&now])?,
        };
        let belongs = |entry: &Entry| is(entry, Kind::Request, gate) && later(entry, "lapses", &now);
        confirm(found, "entry_waiting", belongs)
    }

    /// The entries that carry `nonce` as their `data.request.nonce`, by seq.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn with_nonce(&self, nonce: &str) -> Result<Vec<Entry>, StoreError> {
        let found = self.collect(include_str!("sql/nonce.sql"), [nonce])?;
        confirm(found, "entry_nonce", |entry| entry.data["request"].get("nonce").is_some())
    }

    /// The grants of `gate`, or of all gates, that owe something (`data.owes`), by seq.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn owing(&self, gate: Option<&str>) -> Result<Vec<Entry>, StoreError> {
        let found = self.collect(include_str!("sql/owing.sql"), [gate])?;
        confirm(found, "entry_owing", |entry| {
            is(entry, Kind::Grant, gate) && entry.data.get("owes").is_some()
        })
    }

    /// The entries from `from` to `to` (inclusive; to the newest where there is none), in order or reversed.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn scan(
        &self,
        from: u64,
        to: Option<u64>,
        reverse: bool,
        each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let sql = if reverse { include_str!("sql/scan_reverse.sql") } else { include_str!("sql/scan.sql") };
        let to = to.map_or(i64::MAX, position);
        let mut last = None;
        self.walk(sql, [position(from), to], &mut |entry| {
            let seq = position(entry.seq);
            in_order(&mut last, if reverse { -seq } else { seq }, seq)?;
            Ok(each(entry))
        })
    }

    /// The bodies from `from` to `to` (inclusive) with their stored hashes, in order, at full speed: nothing
    /// is hashed or parsed, so that an export of a damaged ledger shows the damage.
    ///
    /// # Errors
    /// A [`StoreError`]; [`StoreError::Bad`] for a row that has no body or no hash of the right type.
    pub fn scan_lines(
        &self,
        from: u64,
        to: Option<u64>,
        each: &mut dyn FnMut(&[u8], EntryHash) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(include_str!("sql/scan.sql"))?;
        let mut rows = statement.query([position(from), to.map_or(i64::MAX, position)])?;
        let mut last = None;
        while let Some(row) = rows.next()? {
            let raw = RawRow::read(row)?;
            in_order(&mut last, raw.seq, raw.seq)?;
            let fails = |source| StoreError::Bad { seq: raw.seq, source };
            let hash = raw.hash.ok_or(Bad::HashForm).map_err(fails)?;
            if each(raw.body.map_err(fails)?, hash).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn collect(&self, sql: &str, params: impl Params) -> Result<Vec<Entry>, StoreError> {
        let mut found = Vec::new();
        self.walk(sql, params, &mut |entry| {
            found.push(entry);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    fn walk(
        &self,
        sql: &str,
        params: impl Params,
        each: &mut dyn FnMut(Entry) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            if each(self.read(row)?)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn read(&self, row: &Row<'_>) -> Result<Entry, StoreError> {
        let raw = RawRow::read(row)?;
        let mut entry = raw.entry().map_err(|source| StoreError::Bad { seq: raw.seq, source })?;
        self.is_ours(raw.seq, &entry.ledger)?;
        private::reveal(self.connection, &mut entry)?;
        Ok(entry)
    }

    fn is_ours(&self, seq: i64, ledger: &str) -> Result<(), StoreError> {
        if ledger == self.ledger {
            return Ok(());
        }
        let (expected, found) = (self.ledger.to_owned(), ledger.to_owned());
        Err(StoreError::Bad { seq, source: Bad::Ledger { expected, found } })
    }
}

/// Refuses a row that comes where it should not: the pages of a damaged file can lead back to where they came from, and
/// then the same rows come again without an end. `place` grows from row to row.
fn in_order(last: &mut Option<i64>, place: i64, seq: i64) -> Result<(), StoreError> {
    match last.replace(place) {
        Some(before) if before >= place => Err(StoreError::Again(seq)),
        _ => Ok(()),
    }
}

/// A position as SQLite counts; one that no entry can have becomes the largest, where there is none.
fn position(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// The smallest and the largest hash that begin with `digits`.
fn hash_range(digits: &str) -> Option<(EntryHash, EntryHash)> {
    let valid = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !valid || !(8..=64).contains(&digits.len()) {
        return None;
    }
    let low = EntryHash::read(format!("b3:{digits:0<64}").as_bytes())?;
    let high = EntryHash::read(format!("b3:{digits:f<64}").as_bytes())?;
    Some((low, high))
}
