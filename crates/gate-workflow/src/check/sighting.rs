//! What the ledger held of a gate's opt-outs when its run began, to be found again, unchanged, when it ended.
//!
//! Whoever runs as the gated command can write the ledger's file, keep its chain whole, and leave the newest entry as it
//! was: position is then no proof of age, and a row's own hash no proof of place. So each entry that an opt-out of the
//! gate rests on is remembered by position and hash, and must come out the same at the end: none missing, none altered,
//! none that was not there. Of the decisions that spent its uses it is remembered how many there were.
//!
//! Not here: entries after the newest one that was seen. What a command took away of those leaves no trace; a checkpoint
//! that is kept elsewhere shows it.

use std::collections::BTreeMap;

use gate_ledger::entry::{Entry, EntryHash};
use gate_ledger::store::{Head, StoreError, View};
use gate_model::payload::GrantData;
use gate_model::time::Timestamp;

use gate_judge::records;
use gate_judge::standing::Seen;
use gate_judge::verdict::Begun;

use crate::standing::Uses;

/// The newest entry at a run's begin, and the entries that the gate's opt-outs rested on.
#[derive(Debug)]
pub(super) struct Sighting {
    gate: String,
    head: Head,
    /// The instant of the sighting: what was live then is looked for again.
    now: Timestamp,
    entries: Entries,
    /// How often each of these opt-outs was spent, where its uses are limited.
    spent: BTreeMap<u64, u64>,
}

/// Entries by position.
type Entries = BTreeMap<u64, EntryHash>;

impl Sighting {
    /// The opt-outs of `gate` that are live at `now`, in a ledger whose newest entry is `head`, as they are watched while
    /// they are read.
    pub(super) fn watch(gate: &str, head: Head, now: Timestamp) -> Watch {
        let entries = Entries::new();
        let sighting = Self { gate: gate.to_owned(), head, now, entries, spent: BTreeMap::new() };
        Watch { sighting, now: now.to_string(), uses: Uses::default() }
    }

    /// The same opt-outs once more.
    pub(super) fn again(&self) -> Watch {
        Self::watch(&self.gate, self.head, self.now)
    }

    /// The instant of the sighting.
    pub(super) const fn instant(&self) -> Timestamp {
        self.now
    }

    /// The instant, and the newest entry, as documents name them.
    pub(super) fn begun(&self) -> Begun {
        Begun { at: self.now, seen: self.head.into() }
    }

    /// When the run began, as the standing of the gate asks for it.
    pub(super) const fn seen(&self) -> Seen {
        Seen { seq: self.head.seq, at: self.now }
    }

    /// The position of an entry that is another one in `now`, is gone, or was not there, with the words for it.
    ///
    /// # Errors
    /// A failure of the store.
    pub(super) fn changed(
        &self,
        view: &View<'_>,
        now: &Self,
    ) -> Result<Option<(u64, &'static str)>, StoreError> {
        let seen = self.head.seq;
        match view.entry(seen)? {
            Some(entry) if entry.hash == self.head.hash => {}
            Some(_) => return Ok(Some((seen, "is another one than before"))),
            None => return Ok(Some((seen, "is gone"))),
        }
        for (seq, hash) in &self.entries {
            match now.entries.get(seq) {
                Some(found) if found == hash => {}
                Some(_) => return Ok(Some((*seq, "is another one than before"))),
                None => return Ok(Some((*seq, "is gone"))),
            }
        }
        let other = |(id, count): (&u64, &u64)| (now.spent.get(id) != Some(count)).then_some(*id);
        if let Some(id) = self.spent.iter().find_map(other) {
            return Ok(Some((id, "has another number of uses than before")));
        }
        let added = now.entries.keys().find(|seq| !self.entries.contains_key(seq));
        Ok(added.map(|seq| (*seq, "was not there before")))
    }

    fn keep(&mut self, entry: &Entry) {
        if entry.seq <= self.head.seq {
            self.entries.insert(entry.seq, entry.hash);
        }
    }
}

/// A sighting that is being taken: the entries up to the newest one that opt-outs of the gate rest on, where each began and
/// all of its life, and how often it was spent.
pub(super) struct Watch {
    sighting: Sighting,
    /// Its instant as it is written.
    now: String,
    uses: Uses,
}

impl Watch {
    /// Sees a grant of the gate, with its life.
    ///
    /// # Errors
    /// A failure of the store.
    pub(super) fn grant(&mut self, view: &View<'_>, grant: &Entry, life: &[Entry]) -> Result<(), StoreError> {
        let Self { sighting, now, uses } = self;
        if grant.seq > sighting.head.seq || !grant.ends_after(now) {
            return Ok(());
        }
        let id = records::id_of(grant);
        if id != grant.seq {
            view.entry(id)?.iter().for_each(|entry| sighting.keep(entry));
        }
        std::iter::once(grant).chain(life).for_each(|entry| sighting.keep(entry));
        // One that cannot be read may be limited.
        if records::data::<GrantData>(grant).map_or(true, |data| data.ask.max_uses.is_some()) {
            let count = uses.count(view, &sighting.gate, (id, grant.seq), sighting.head.seq)?;
            sighting.spent.insert(id, count);
        }
        Ok(())
    }

    /// What was seen, once all grants were.
    ///
    /// # Errors
    /// A failure of the store.
    pub(super) fn end(self, view: &View<'_>) -> Result<Sighting, StoreError> {
        let Self { mut sighting, .. } = self;
        let last = sighting.head.seq;
        // A request that is approved while the command runs is what its grant rests on.
        let waiting = view.waiting(Some(&sighting.gate), sighting.now)?;
        for request in waiting.iter().filter(|request| request.seq <= last) {
            std::iter::once(request).chain(&view.life(request.seq)?).for_each(|entry| sighting.keep(entry));
        }
        Ok(sighting)
    }
}
