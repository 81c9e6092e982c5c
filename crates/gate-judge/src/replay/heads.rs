//! The newest entries, for documents that name the head they saw.
//!
//! A request may be submitted for seven days and a command may run for long, so the entries of eight days are
//! kept, by the first half of their hash: 128 bits are enough to tell entries apart, and it halves the memory.
//! The newest entry before that time is kept too, since it may have been the head for long.

use std::collections::VecDeque;

use gate_ledger::entry::EntryHash;
use gate_model::request::SeenHead;
use gate_model::time::Timestamp;

/// How long an entry is kept, in seconds.
const KEPT: u64 = 8 * 86_400;

/// How many entries are kept at most.
const MAX_KEPT: usize = 1 << 20;

/// What is known of an entry that a document names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It is in the ledger, with this time.
    There(Timestamp),
    /// It is older than what is kept; what is kept begins at this time.
    Old(Timestamp),
    /// There is none, or it has another hash.
    Other,
}

#[derive(Debug, Clone, Copy)]
struct Head {
    hash: [u8; 16],
    at: Timestamp,
}

/// The newest entries.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// The seq of the first that is kept.
    first: u64,
    kept: VecDeque<Head>,
}

impl Heads {
    /// Takes the next entry.
    pub(super) fn pass(&mut self, seq: u64, hash: EntryHash, at: Timestamp) {
        let expected = self.kept.len().try_into().map(|kept: u64| self.first.saturating_add(kept));
        if expected != Ok(seq) {
            // Entries are missing, which the verification tells; positions must not be taken for others.
            self.kept.clear();
            self.first = seq;
        }
        self.kept.push_back(Head { hash: half(hash), at });
        let limit = at.minus(KEPT);
        while self.kept.len() > MAX_KEPT || self.kept.get(1).is_some_and(|second| second.at < limit) {
            self.kept.pop_front();
            self.first += 1;
        }
    }

    /// Looks up an entry by position and hash.
    pub(super) fn find(&self, seq: u64, hash: &str) -> Found {
        let Some(index) = seq.checked_sub(self.first) else {
            return self.kept.front().map_or(Found::Other, |front| Found::Old(front.at));
        };
        let found = usize::try_from(index).ok().and_then(|index| self.kept.get(index));
        match (found, hash.parse().map(half)) {
            (Some(head), Ok(hash)) if head.hash == hash => Found::There(head.at),
            _ => Found::Other,
        }
    }

    /// When the entry was written that a document saw. One that is older than what is kept is believed: it then stands
    /// for the oldest instant that is known.
    pub(super) fn seen(&self, head: &SeenHead) -> Option<Timestamp> {
        match self.find(head.seq, &head.hash) {
            Found::There(at) | Found::Old(at) => head.hash.parse::<EntryHash>().ok().map(|_| at),
            Found::Other => None,
        }
    }
}

fn half(hash: EntryHash) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.0[..16]);
    half
}

#[cfg(test)]
mod tests {
    use gate_ledger::entry::EntryHash;
    use gate_model::time::Timestamp;

    use super::{Found, Heads};

    fn hash(seq: u64) -> EntryHash {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seq.to_be_bytes());
        EntryHash(bytes)
    }

    #[test]
    fn entries_of_eight_days_are_known_and_the_head_before_them() {
        let start = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let day = |day: u64| start.plus(day * 86_400).unwrap();
        let mut heads = Heads::default();
        for seq in 0..20 {
            heads.pass(seq, hash(seq), day(seq));
        }
        let find = |seq: u64, claimed: u64| heads.find(seq, &hash(claimed).to_string());
        assert_eq!(find(19, 19), Found::There(day(19)));
        assert_eq!(find(10, 10), Found::There(day(10)));
        assert_eq!(find(9, 9), Found::Old(day(10)));
        assert_eq!(find(19, 18), Found::Other);
        assert_eq!(find(20, 20), Found::Other);
        assert_eq!(heads.find(19, "b3:xyz"), Found::Other);
    }

    #[test]
    fn a_ledger_that_rested_for_a_year_keeps_its_head() {
        let start = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let later = start.plus(365 * 86_400).unwrap();
        let mut heads = Heads::default();
        heads.pass(0, hash(0), start);
        heads.pass(1, hash(1), later);
        assert_eq!(heads.find(0, &hash(0).to_string()), Found::There(start));
    }
}
