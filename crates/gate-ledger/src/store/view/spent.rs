//! How often opt-outs were spent, counted in the indexes alone: reading each decision for it cost as much as there were
//! uses. A decision spends one opt-out, or several at once, and then it stands in an index of its own.
//!
//! What this trusts: an edited index can hide a use, as it can hide any row, and add one. [`crate::verify`] compares both
//! with the bodies.

use super::{View, in_order, position};
use crate::store::StoreError;

impl View<'_> {
    /// How many decisions of `gate` after position `since` and up to `last` have `[id]` as their `data.spends`.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn spent_alone(&self, gate: &str, id: u64, since: u64, last: u64) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(include_str!("../sql/spent.sql"))?;
        let spends = format!("[{id}]");
        let count: i64 =
            statement.query_row((gate, spends, position(since), position(last)), |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }

    /// The decisions of `gate` after position `since` whose `data.spends` names several, in order: position, and the text of
    /// that member.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn spent_together(
        &self,
        gate: &str,
        since: u64,
        each: &mut dyn FnMut(u64, &str),
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(include_str!("../sql/spent_together.sql"))?;
        let mut rows = statement.query((gate, position(since)))?;
        let mut last = None;
        while let Some(row) = rows.next()? {
            let seq = row.get::<_, i64>(0)?;
            in_order(&mut last, seq, seq)?;
            each(seq.cast_unsigned(), row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?);
        }
        Ok(())
    }
}
