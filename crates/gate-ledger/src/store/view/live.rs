//! The live grants of a gate, one after the other: of ten thousand no more than one is held at a time.

use gate_model::time::Timestamp;

use super::confirm::is;
use super::{View, in_order, position};
use crate::entry::{Entry, Kind};
use crate::store::StoreError;
use crate::store::row::RawRow;

/// The name of the index that leads to them.
const INDEX: &str = "entry_live";

impl View<'_> {
    /// The positions of the grants that [`View::live_grants`] finds, rising. Nothing of the entries is read.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn live_positions(&self, gate: &str, now: Timestamp) -> Result<Vec<u64>, StoreError> {
        let mut statement = self.connection.prepare_cached(include_str!("../sql/live_positions.sql"))?;
        let mut rows = statement.query([gate, &now.to_string()])?;
        let (mut found, mut last) = (Vec::new(), None);
        while let Some(row) = rows.next()? {
            let seq = row.get::<_, i64>(0)?;
            in_order(&mut last, seq, seq)?;
            // A row of a number that no entry has is not found again, and refused then.
            found.push(seq.cast_unsigned());
        }
        Ok(found)
    }

    /// Hands each grant of `gate` at `positions`, which end after `now`, to `each` with its life ([`View::life`]).
    ///
    /// # Errors
    /// A [`StoreError`], also where there is no such grant; what `each` returns.
    pub fn each_live<E: From<StoreError>>(
        &self,
        (gate, now): (&str, Timestamp),
        positions: &[u64],
        each: &mut dyn FnMut(Entry, Vec<Entry>) -> Result<(), E>,
    ) -> Result<(), E> {
        let now = now.to_string();
        for seq in positions {
            let entry = self
                .entry(*seq)?
                .filter(|entry| is(entry, Kind::Grant, Some(gate)) && entry.ends_after(&now));
            let entry = entry.ok_or(StoreError::OutOfStep { index: INDEX, seq: *seq })?;
            let life = self.life(entry.reference.unwrap_or(entry.seq))?;
            each(entry, life)?;
        }
        Ok(())
    }

    /// Position, kind and time of the entries from `from` to `to`, in order. Each is hashed as any entry is; what it holds
    /// beside is not read.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn times(
        &self,
        from: u64,
        to: u64,
        each: &mut dyn FnMut(u64, Kind, Timestamp),
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(include_str!("../sql/scan.sql"))?;
        let mut rows = statement.query([position(from), position(to)])?;
        let mut last = None;
        while let Some(row) = rows.next()? {
            let raw = RawRow::read(row)?;
            in_order(&mut last, raw.seq, raw.seq)?;
            let facts = raw.place().map_err(|source| StoreError::Bad { seq: raw.seq, source })?;
            self.is_ours(raw.seq, &facts.ledger.to_string())?;
            let at = facts.instant().map_err(|source| StoreError::Bad { seq: raw.seq, source })?;
            each(facts.seq, facts.kind, at);
        }
        Ok(())
    }
}
