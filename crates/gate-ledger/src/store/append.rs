//! Appending: one transaction behind one lock.

use std::time::{Duration, Instant};

use gate_model::time::Timestamp;
use rusqlite::TransactionBehavior;

use super::{
    Access, AppendError, Database, Head, KeptOpening, StoreError, View, archive, lock, private, schema,
    sealing,
};
use crate::archive::Statement;
use crate::chain::{Bad, Chain, LedgerId, Linked, Start};
use crate::commitment::{Commitment, Opening};
use crate::entry::{Draft, Entry, EntryHash, Place};
use crate::redaction::Privacy;

/// The ledger, held by one writer: what it reads here is what its entries follow.
pub struct Transaction<'a> {
    inner: &'a rusqlite::Transaction<'a>,
    clock: &'a dyn Fn() -> Timestamp,
    ledger: &'a str,
    head: Head,
    now: Timestamp,
    failed: bool,
    privacy: Privacy,
}

impl Transaction<'_> {
    /// The entries, those of this transaction included.
    pub fn view(&self) -> View<'_> {
        View::new(self.inner, self.ledger)
    }

    /// The newest entry.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The instant that judgements of this transaction use: the clock or the time of the entry that was
    /// newest when it began, whichever is later, so that setting the clock back brings nothing to life again.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Takes the instant anew: judgements from now on come after what this transaction itself appended.
    pub fn renew(&mut self) {
        self.now = (self.clock)().max(self.head.at);
    }

    /// Appends one entry. Its time is what the clock says: a claim, which may go back.
    ///
    /// # Errors
    /// A [`StoreError`]; after one nothing of this transaction is kept, whatever the caller returns.
    pub fn append(&mut self, draft: &Draft) -> Result<Entry, StoreError> {
        let result = self.insert(draft);
        self.failed |= result.is_err();
        result
    }

    /// Takes in an entry that was made elsewhere: only as the next one of this very chain.
    ///
    /// # Errors
    /// [`StoreError::Bad`] where it does not follow; another [`StoreError`]. After one nothing of this transaction is
    /// kept.
    pub fn adopt(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let result = self.take_in(entry, Chain::push);
        self.failed |= result.is_err();
        result
    }

    /// Takes in an entry like [`Transaction::adopt`] that stands further on than the next one, as if those between were
    /// there. Whoever calls finds out what is missing, and why ([`crate::remote::pull`]).
    ///
    /// # Errors
    /// As [`Transaction::adopt`].
    pub fn adopt_behind_gap(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let inner = self.inner;
        // The trigger knows of no archive.
        let result = schema::without(inner, "CREATE TRIGGER entry_append", || {
            self.take_in(entry, Chain::push_behind_gap)
        });
        self.failed |= result.is_err();
        result
    }

    /// Keeps the opening of a commitment of `entry`, which came with it from elsewhere.
    ///
    /// # Errors
    /// [`StoreError::Opening`] where it opens something else; another [`StoreError`]. After one nothing of this
    /// transaction is kept.
    pub fn keep(
        &mut self,
        entry: &Entry,
        commitment: Commitment,
        opening: Opening,
    ) -> Result<(), StoreError> {
        let result = self.keep_beside(entry, commitment, opening);
        self.failed |= result.is_err();
        result
    }

    fn keep_beside(&self, entry: &Entry, commitment: Commitment, opening: Opening) -> Result<(), StoreError> {
        if !opening.opens(commitment) {
            return Err(StoreError::Opening(commitment));
        }
        // A name has one opening in a ledger, as long as it is known there.
        match private::find(self.inner, commitment)? {
            Some(_) => Ok(()),
            None => private::keep(self.inner, &KeptOpening::beside(entry, commitment, opening)),
        }
    }

    /// Whether everything that was appended so far can be committed.
    pub const fn is_whole(&self) -> bool {
        !self.failed
    }

    fn take_in(
        &mut self,
        entry: &Entry,
        link: impl FnOnce(&mut Chain, &[u8], Option<EntryHash>) -> Result<Linked, Bad>,
    ) -> Result<(), StoreError> {
        let fails = |source| StoreError::bad(entry.seq, source);
        let start = Start {
            next: self.head.seq + 1,
            prev: self.head.hash,
            ledger: LedgerId::read(self.ledger.as_bytes()),
            genesis: None,
        };
        // From the bytes: whoever made the entry may have put its fields together in another way.
        let linked =
            link(&mut Chain::starting(start), entry.body.as_bytes(), Some(entry.hash)).map_err(fails)?;
        self.write(entry)?;
        self.head = Head { seq: linked.facts.seq, hash: linked.facts.hash, at: entry.at };
        Ok(())
    }

    fn write(&self, entry: &Entry) -> Result<(), StoreError> {
        let mut statement = self.inner.prepare_cached(include_str!("sql/append.sql"))?;
        statement.execute((entry.seq.cast_signed(), &entry.body, &entry.hash.0[..]))?;
        Ok(())
    }

    /// Erases the openings of `commitments`. Returns those that were there; the caller records them, and folds the
    /// write-ahead log ([`super::Ledger::fold`]) when the transaction is over.
    ///
    /// # Errors
    /// A [`StoreError`]; after one nothing of this transaction is kept.
    pub fn erase(&mut self, commitments: &[Commitment]) -> Result<Vec<Commitment>, StoreError> {
        let result = private::erase(self.inner, commitments);
        self.failed |= result.is_err();
        result
    }

    /// Deletes the entries that `statement` says were moved, the only ones that ever are; the caller has appended
    /// it. Returns how many that were.
    ///
    /// # Errors
    /// A [`StoreError`]; after one nothing of this transaction is kept.
    pub fn remove(&mut self, statement: &Statement) -> Result<u64, StoreError> {
        let result = archive::remove(self.inner, &self.view(), statement);
        self.failed |= result.is_err();
        result
    }

    fn insert(&mut self, draft: &Draft) -> Result<Entry, StoreError> {
        let (draft, openings) = sealing::seal(self.inner, draft, self.privacy)?;
        let place =
            Place { ledger: self.ledger, seq: self.head.seq + 1, prev: self.head.hash, at: (self.clock)() };
        let mut entry = draft.at(place)?;
        self.write(&entry)?;
        for (commitment, opening) in openings {
            private::keep(self.inner, &KeptOpening::beside(&entry, commitment, opening))?;
        }
        self.head = Head { seq: entry.seq, hash: entry.hash, at: entry.at };
        private::reveal(self.inner, &mut entry)?;
        Ok(entry)
    }
}

/// See [`super::Ledger::append`].
pub(super) fn append<T, E>(
    database: &mut Database,
    (ledger, privacy): (&str, Privacy),
    wait: Duration,
    clock: &dyn Fn() -> Timestamp,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
) -> Result<T, AppendError<E>> {
    if database.access == Access::Read {
        return Err(StoreError::ReadOnly.into());
    }
    let begun = Instant::now();
    let lock = lock::acquire(database.real(), wait)?;
    // What was read before is only what others wrote if all of them write to the same files.
    database.check_current()?;
    // Other programs, such as a sqlite3 shell, do not know our lock; they get what is left of the time.
    let rest = wait.saturating_sub(begun.elapsed());
    database.connection.busy_timeout(rest).map_err(StoreError::from)?;
    let inner = database.connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let inner = inner.map_err(StoreError::from)?;
    let head = View::new(&inner, ledger).head()?;
    let now = clock().max(head.at);
    let mut transaction = Transaction { inner: &inner, clock, ledger, head, now, failed: false, privacy };
    // Whatever leaves early from here on drops `inner`, which rolls back, and then the lock.
    let value = work(&mut transaction).map_err(AppendError::Work)?;
    if transaction.failed {
        return Err(StoreError::Abandoned.into());
    }
    inner.commit().map_err(StoreError::from)?;
    // Not acknowledged where the next writer may not find it.
    database.check_current()?;
    drop(lock);
    Ok(value)
}
