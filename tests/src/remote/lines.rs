//! Lines of ledgers that nobody keeps.

use gate_ledger::archive::EntryRef;
use gate_ledger::chain::LedgerId;
use gate_ledger::entry::{Draft, Entry, EntryHash, Kind, Place};
use gate_ledger::remote::Batch;
use gate_model::time::Timestamp;
use serde_json::{Value, json};

/// Writes the lines of one ledger, one after the other.
#[derive(Debug, Clone)]
pub struct Chain {
    id: String,
    next: u64,
    prev: EntryHash,
}

impl Chain {
    /// A ledger whose id is made of `seed`.
    pub fn new(seed: u8) -> Self {
        Self { id: format!("{seed:02x}").repeat(16), next: 0, prev: EntryHash::ZERO }
    }

    /// A chain that goes on behind `head`.
    #[must_use]
    pub fn behind(&self, head: EntryRef) -> Self {
        Self { id: self.id.clone(), next: head.seq + 1, prev: head.hash }
    }

    /// The ledger's id.
    pub fn id(&self) -> LedgerId {
        LedgerId::read(self.id.as_bytes()).expect("32 digits")
    }

    /// The newest entry that was written.
    pub fn head(&self) -> EntryRef {
        EntryRef { seq: self.next - 1, hash: self.prev }
    }

    /// The next line: genesis first, then notes that say `text`.
    pub fn line(&mut self, text: &str) -> Vec<u8> {
        let kind = if self.next == 0 { Kind::Genesis } else { Kind::Note };
        self.entry(kind, json!({ "text": text })).line().into_bytes()
    }

    /// The next entry, of another kind.
    pub fn entry(&mut self, kind: Kind, data: Value) -> Entry {
        let at = Timestamp::parse("2026-11-22T16:30:35.123456Z").expect("a time");
        let actor = json!({"assurance": "asserted", "id": "os:alice", "via": "os"});
        let place = Place { ledger: &self.id, seq: self.next, prev: self.prev, at };
        let entry = Draft { kind, gate: None, reference: None, actor, data }.at(place).expect("an entry");
        (self.next, self.prev) = (entry.seq + 1, entry.hash);
        entry
    }

    /// The next `count` lines as a batch.
    pub fn batch(&mut self, count: usize, text: &str) -> Batch {
        let lines = (0..count).map(|index| self.line(&format!("{text} {index}"))).collect();
        Batch { lines, ..Batch::default() }
    }
}

/// The position of a line.
///
/// # Panics
/// Where it is none.
pub fn seq_of(line: &[u8]) -> u64 {
    Entry::from_line(line).expect("a line of an export").seq
}
