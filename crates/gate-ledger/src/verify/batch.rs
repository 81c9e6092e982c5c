//! Bodies that wait for their hashes, which are cheaper for many at once ([`crate::entry::many`]).

use crate::chain::{Bad, Facts};
use crate::entry::{EntryHash, Kind, ManyHasher};

/// How many bytes of bodies wait before their hashes are computed: enough to fill the lanes, little enough to
/// stay in the processor's cache.
const MAX_WAITING: usize = 128 << 10;
/// How many items wait at most: bodies that are none have no bytes, but each takes its place here.
const MAX_ITEMS: usize = 1024;

/// Bodies in order, with what is known of them.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    items: Vec<Item>,
    /// The items from here on have no hash yet.
    hashed: usize,
    /// The items before this one have no bodies any more.
    forgotten: usize,
    /// How many bytes in front are those of statements.
    retained: usize,
    hasher: ManyHasher,
}

/// One body.
struct Item {
    start: usize,
    end: usize,
    /// What it says; its hash is missing at first.
    found: Result<Facts, Bad>,
    /// The hash that was stored beside it.
    recorded: EntryHash,
}

impl Batch {
    /// Adds a body. `found` is what inspecting it found, all but its hash.
    pub(super) fn push(&mut self, body: &[u8], found: Result<Facts, Bad>, recorded: EntryHash) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(body);
        self.items.push(Item { start, end: self.bytes.len(), found, recorded });
    }

    /// Whether enough bodies wait.
    pub(super) fn is_ready(&self) -> bool {
        let first = self.items.get(self.hashed).map_or(self.bytes.len(), |item| item.start);
        self.bytes.len() - first >= MAX_WAITING || self.items.len() - self.hashed >= MAX_ITEMS
    }

    /// Computes the hashes that are missing and compares them with the stored ones.
    pub(super) fn hash(&mut self) {
        let (bytes, from) = (&self.bytes, self.hashed);
        let waiting = &mut self.items[from..];
        let places: Vec<(usize, usize)> = waiting.iter().map(|item| (item.start, item.end)).collect();
        let body = |index: usize| &bytes[places[index].0..places[index].1];
        self.hasher.hash(places.len(), body, |index, computed| {
            let item = &mut waiting[index];
            let recorded = item.recorded;
            if let Ok(facts) = &mut item.found {
                facts.hash = computed;
                if computed != recorded {
                    item.found = Err(Bad::Hash { computed, recorded });
                }
            }
        });
        self.hashed = self.items.len();
    }

    /// Forgets the bodies but keeps what was found, and the few statements about archives, which are read
    /// whoever looks. Only after [`Batch::hash`].
    pub(super) fn forget_bodies(&mut self) {
        for item in &mut self.items[self.forgotten..] {
            let length = item.end - item.start;
            if matches!(item.found, Ok(Facts { kind: Kind::Archive, .. })) {
                self.bytes.copy_within(item.start..item.end, self.retained);
                (item.start, item.end) = (self.retained, self.retained + length);
                self.retained = item.end;
            } else {
                (item.start, item.end) = (0, 0);
            }
        }
        self.bytes.truncate(self.retained);
        self.forgotten = self.items.len();
    }

    /// How many bytes of bodies are held.
    pub(super) fn held(&self) -> usize {
        self.bytes.len()
    }

    /// What was found, in order, each with its body, or with nothing where that was forgotten.
    pub(super) fn found(&self) -> impl Iterator<Item = (&Result<Facts, Bad>, &[u8])> {
        self.items.iter().map(|item| (&item.found, &self.bytes[item.start..item.end]))
    }

    /// Empties the batch for its next use.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
        self.hashed = 0;
        self.forgotten = 0;
        self.retained = 0;
    }
}
