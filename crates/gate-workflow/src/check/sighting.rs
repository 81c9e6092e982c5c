//! What the ledger held of a gate's opt-outs when its run began, to be found again, unchanged, when it ended.
//!
//! Whoever runs as the gated command can write the ledger's file, keep its chain whole, and leave the newest entry as it
//! was: position is then no proof of age, and a row's own hash no proof of place. So each entry that an opt-out of the
//! gate rests on is remembered by position and hash, and must come out the same at the end: none missing, none altered,
//! none that was not there.
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

use crate::standing::Grants;

/// The newest entry at a run's begin, and the entries that the gate's opt-outs rested on.
#[derive(Debug)]
pub(super) struct Sighting {
    gate: String,
    head: Head,
    /// The instant of the sighting: what was live then is looked for again.
    now: Timestamp,
    entries: Entries,
}

/// Entries by position.
type Entries = BTreeMap<u64, EntryHash>;

impl Sighting {
    /// Looks at the opt-outs of `gate` that are live at `now`, in a ledger whose newest entry is `head`.
    ///
    /// # Errors
    /// A failure of the store.
    pub(super) fn take(
        view: &View<'_>,
        gate: &str,
        head: Head,
        now: Timestamp,
        grants: &Grants,
    ) -> Result<Self, StoreError> {
        let entries = entries(view, gate, head.seq, now, grants)?;
        Ok(Self { gate: gate.to_owned(), head, now, entries })
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

    /// The position of an entry that is another one now, is gone, or was not there, with the words for it. `grants` are
    /// those of the gate as they were read in this view, for the instant of the sighting or an earlier one.
    ///
    /// # Errors
    /// A failure of the store.
    pub(super) fn changed(
        &self,
        view: &View<'_>,
        grants: &Grants,
    ) -> Result<Option<(u64, &'static str)>, StoreError> {
        let seen = self.head.seq;
        match view.entry(seen)? {
            Some(entry) if entry.hash == self.head.hash => {}
            Some(_) => return Ok(Some((seen, "is another one than before"))),
            None => return Ok(Some((seen, "is gone"))),
        }
        let now = entries(view, &self.gate, seen, self.now, grants)?;
        for (seq, hash) in &self.entries {
            match now.get(seq) {
                Some(found) if found == hash => {}
                Some(_) => return Ok(Some((*seq, "is another one than before"))),
                None => return Ok(Some((*seq, "is gone"))),
            }
        }
        let added = now.keys().find(|seq| !self.entries.contains_key(seq));
        Ok(added.map(|seq| (*seq, "was not there before")))
    }
}

/// The entries up to `last` that opt-outs of `gate` rest on, which are live or wait at `now`: where each began, all of its
/// life, and the decisions that spent its uses.
fn entries(
    view: &View<'_>,
    gate: &str,
    last: u64,
    now: Timestamp,
    grants: &Grants,
) -> Result<Entries, StoreError> {
    let mut found = Entries::new();
    let mut keep = |entry: &Entry| {
        if entry.seq <= last {
            found.insert(entry.seq, entry.hash);
        }
    };
    // A request that is approved while the command runs is what its grant rests on.
    let waiting = view.waiting(Some(gate), now)?;
    waiting.iter().for_each(&mut keep);
    // Each with whether its first entry is read already: a grant that no request came before, or a request.
    let mut lives: Vec<(u64, bool)> =
        waiting.iter().map(|request| (request.seq, true)).filter(|(seq, _)| *seq <= last).collect();
    let mut limited = None;
    for grant in grants.at(now).filter(|grant| grant.seq <= last) {
        keep(grant);
        let id = records::id_of(grant);
        lives.push((id, id == grant.seq));
        // One that cannot be read may be limited.
        let has_limit = records::data::<GrantData>(grant).map_or(true, |data| data.ask.max_uses.is_some());
        if has_limit {
            limited = limited.or(Some(grant.seq));
        }
    }
    for (id, is_read) in lives {
        if !is_read {
            view.entry(id)?.iter().for_each(&mut keep);
        }
        match grants.life(id) {
            Some(life) => life.iter().for_each(&mut keep),
            None => view.life(id)?.iter().for_each(&mut keep),
        }
    }
    if let Some(since) = limited {
        view.spends(gate, since)?.iter().for_each(&mut keep);
    }
    Ok(found)
}
