//! The live grants of a gate and what happened to each since, read one after the other: of ten thousand waivers no more than
//! one is held at a time, and what has to be known of all is taken note of while they pass.

use gate_ledger::entry::Entry;
use gate_ledger::store::{StoreError, View};
use gate_model::time::Timestamp;

/// Where the grants of a gate are that are live from an instant on.
#[derive(Debug)]
pub struct Grants {
    gate: String,
    since: Timestamp,
    positions: Vec<u64>,
}

/// Whoever sees each grant that may be live, with its life.
pub type Witness<'w> = &'w mut dyn FnMut(&Entry, &[Entry]) -> Result<(), StoreError>;

impl Grants {
    /// Finds those that end after `since`.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn find(view: &View<'_>, gate: &str, since: Timestamp) -> Result<Self, StoreError> {
        Ok(Self { gate: gate.to_owned(), since, positions: view.live_positions(gate, since)? })
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Hands each to `each` with its life, in the order of the ledger. `view` is the one in which they were found.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn each(
        &self,
        view: &View<'_>,
        each: &mut dyn FnMut(Entry, Vec<Entry>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        view.each_live((&self.gate, self.since), &self.positions, each)
    }
}
