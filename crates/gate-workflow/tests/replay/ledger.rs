//! Ledgers as lists of entries: read from lines, forged, and judged again.

use gate_judge::replay::{Replayed, Replayer};
use gate_ledger::entry::{Draft, Entry, EntryHash, Kind, Place};
use gate_ledger::verify::Seen;
use gate_model::time::Timestamp;
use serde_json::Value;

/// Judges the entries again, by each of the two ways in, which must agree.
pub(crate) fn replay(entries: &[Entry]) -> Replayed {
    let (mut by_entry, mut by_body) = (Replayer::new(), Replayer::new());
    for entry in entries {
        by_entry.entry(entry);
        let body = entry.body.as_bytes();
        by_body.seen(&Seen { seq: entry.seq, kind: entry.kind, hash: entry.hash, body }).unwrap();
    }
    let replayed = by_entry.finish();
    assert_eq!(replayed, by_body.finish());
    replayed
}

/// Panics unless all of it is judged and agrees.
#[track_caller]
pub(crate) fn assert_agrees(entries: &[Entry]) -> Replayed {
    let replayed = replay(entries);
    assert_eq!(replayed.replay.disagreements, []);
    assert_eq!(replayed.replay.not_judged, []);
    replayed
}

/// Panics unless the entry `seq`, and no other, comes out otherwise, for a reason with `words`.
#[track_caller]
pub(crate) fn assert_forged(entries: &[Entry], seq: u64, words: &str) {
    let found = replay(entries).replay.disagreements;
    let listed: Vec<String> = found.iter().map(|one| format!("{}: {}", one.seq, one.reason)).collect();
    assert!(found.len() == 1 && found[0].seq == seq && found[0].reason.contains(words), "{listed:#?}");
}

/// A ledger that somebody with a key to the house writes anew: bodies change, the chain stays whole.
pub(crate) struct Forgery {
    drafts: Vec<(Draft, Timestamp)>,
    originals: Vec<Entry>,
}

impl Forgery {
    pub(crate) fn of(entries: &[Entry]) -> Self {
        let draft = |entry: &Entry| Draft {
            kind: entry.kind,
            gate: entry.gate.clone(),
            reference: entry.reference,
            actor: entry.actor.clone().into_value(),
            data: entry.data.clone().into_value(),
        };
        Self {
            drafts: entries.iter().map(|entry| (draft(entry), entry.at)).collect(),
            originals: entries.to_vec(),
        }
    }

    /// Changes one entry.
    pub(crate) fn edit(mut self, seq: u64, change: impl FnOnce(&mut Draft)) -> Self {
        change(&mut self.drafts[usize::try_from(seq).unwrap()].0);
        self
    }

    /// Changes the data of one entry.
    pub(crate) fn data(self, seq: u64, change: impl FnOnce(&mut Value)) -> Self {
        self.edit(seq, |draft| change(&mut draft.data))
    }

    /// Adds a copy of the entry `seq` a minute after the last one, changed; the closure is told its time.
    pub(crate) fn add(mut self, seq: u64, change: impl FnOnce(&mut Draft, Timestamp)) -> Self {
        let (mut draft, _) = self.drafts[usize::try_from(seq).unwrap()].clone();
        let at = self.drafts.last().unwrap().1.plus(60).unwrap();
        rejudge(&mut draft.data, at);
        change(&mut draft, at);
        self.drafts.push((draft, at));
        self
    }

    /// Adds a copy of `entry`, changed, that was made `at` that time.
    pub(crate) fn append(mut self, entry: &Entry, at: Timestamp, change: impl FnOnce(&mut Draft)) -> Self {
        let mut copy = Self::of(std::slice::from_ref(entry));
        let (mut draft, _) = copy.drafts.remove(0);
        rejudge(&mut draft.data, at);
        change(&mut draft);
        self.drafts.push((draft, at));
        self
    }

    /// Adds `count` notes, `seconds` apart.
    pub(crate) fn notes(mut self, count: usize, seconds: u64) -> Self {
        let (mut note, mut at) = self.drafts.last().unwrap().clone();
        note = Draft { kind: Kind::Note, gate: None, reference: None, data: serde_json::json!({}), ..note };
        for _ in 0..count {
            at = at.plus(seconds).unwrap();
            self.drafts.push((note.clone(), at));
        }
        self
    }

    /// Adds a copy of the grant `seq` that starts when it is added.
    pub(crate) fn grant(self, seq: u64, change: impl FnOnce(&mut Draft)) -> Self {
        self.add(seq, |draft, at| {
            change(draft);
            restart(&mut draft.data, at);
        })
    }

    /// Adds a copy of the decision `seq` whose gate began after the entry that was the last so far.
    pub(crate) fn decision(self, seq: u64, change: impl FnOnce(&mut Value)) -> Self {
        let last = self.originals.last().unwrap();
        let seen = serde_json::json!({"seq": last.seq, "hash": last.hash.to_string()});
        self.add(seq, |draft, _| {
            if draft.data.get("seen_head").is_some() {
                draft.data["seen_head"] = seen;
            }
            change(&mut draft.data);
        })
    }

    /// The entries with a whole chain. What names an entry by its hash names it by its new one.
    pub(crate) fn entries(self) -> Vec<Entry> {
        let ledger = self.originals[0].ledger.clone();
        let mut entries: Vec<Entry> = Vec::new();
        let mut renamed: Vec<(String, String)> = Vec::new();
        for (seq, (mut draft, at)) in self.drafts.into_iter().enumerate() {
            let mut text = draft.data.to_string();
            for (old, new) in &renamed {
                text = text.replace(old, new);
            }
            draft.data = serde_json::from_str(&text).unwrap();
            let prev = entries.last().map_or(EntryHash::ZERO, |last| last.hash);
            let entry = draft.at(Place { ledger: &ledger, seq: seq as u64, prev, at }).unwrap();
            if let Some(original) = self.originals.get(seq)
                && original.hash != entry.hash
            {
                renamed.push((original.hash.to_string(), entry.hash.to_string()));
            }
            entries.push(entry);
        }
        entries
    }
}

/// Lets a verdict have been made at `at`, and its gate have begun then.
pub(crate) fn rejudge(data: &mut Value, at: Timestamp) {
    for member in ["judged_at", "begun_at"] {
        if let Some(instant) = data.get_mut(member) {
            *instant = serde_json::to_value(at).unwrap();
        }
    }
}

/// Lets a grant begin at `at`, with the time to live that it has.
pub(crate) fn restart(data: &mut Value, at: Timestamp) {
    let ttl = data["ttl"]["seconds"].as_u64().unwrap();
    data["not_before"] = serde_json::to_value(at).unwrap();
    data["expires"] = serde_json::to_value(at.plus(ttl).unwrap()).unwrap();
}

/// Removes a member.
pub(crate) fn without(data: &mut Value, name: &str) {
    data.as_object_mut().unwrap().remove(name).unwrap();
}
