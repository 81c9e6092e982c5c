//! The live grants of a gate and what happened to each since, read once for all that asks for them in one view of the
//! ledger: each entry is hashed and parsed when it is read, which is most of what thousands of waivers cost.

use std::collections::HashMap;

use gate_judge::records;
use gate_ledger::entry::Entry;
use gate_ledger::store::{StoreError, View};
use gate_model::time::Timestamp;

/// The grants of a gate that are live from an instant on.
#[derive(Debug)]
pub struct Grants {
    live: Vec<Entry>,
    lives: HashMap<u64, Vec<Entry>>,
}

impl Grants {
    /// Reads those that end after `since`.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn read(view: &View<'_>, gate: &str, since: Timestamp) -> Result<Self, StoreError> {
        let live = view.live_grants(gate, since)?;
        let mut lives = HashMap::with_capacity(live.len());
        for id in live.iter().map(records::id_of) {
            lives.insert(id, view.life(id)?);
        }
        Ok(Self { live, lives })
    }

    /// Those that end after `now`, which is not before the instant that they were read for; by seq.
    pub fn at(&self, now: Timestamp) -> impl Iterator<Item = &Entry> {
        let now = now.to_string();
        self.live.iter().filter(move |grant| {
            let end = grant.data.get("expires").and_then(serde_json::Value::as_str);
            end.is_some_and(|end| end > now.as_str())
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// What happened to an opt-out after the entry that began it; `None` for one that has no live grant.
    pub fn life(&self, id: u64) -> Option<&[Entry]> {
        self.lives.get(&id).map(Vec::as_slice)
    }
}
