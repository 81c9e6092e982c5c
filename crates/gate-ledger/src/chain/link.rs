//! Entries in their order.

use super::{Bad, Facts, LedgerId, inspect};
use crate::entry::{EntryHash, Kind};
use crate::proof::Tip;

/// A chain as far as it has been seen. Feed it entries in order; after an error the chain stays as it was.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    ledger: Option<LedgerId>,
    genesis: Option<EntryHash>,
    next: u64,
    /// The hash of the entry before `next`; nothing where genesis is next.
    prev: Option<EntryHash>,
    head: Option<Facts>,
}

/// Where a chain can be followed from: what lies before it was proven elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The seq that comes next; at least 1.
    pub next: u64,
    /// The hash of the entry before it.
    pub prev: EntryHash,
    /// The ledger's id, where it is known; else that of the next entry.
    pub ledger: Option<LedgerId>,
    /// The hash that the first entry must have where it is met, if that is known.
    pub genesis: Option<EntryHash>,
}

impl Start {
    /// Right behind the entry that `tip` proves. `genesis` is the hash of the first one, where it is known.
    pub fn behind(tip: &Tip, genesis: Option<EntryHash>) -> Self {
        let ledger = LedgerId::read(tip.entry.ledger.as_bytes());
        Self { next: tip.entry.seq + 1, prev: tip.entry.hash, ledger, genesis }
    }
}

/// An entry that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linked {
    /// What its body says.
    pub facts: Facts,
    /// Whether its time is before that of the entry in front of it. Times are claims, so this is odd, not
    /// wrong.
    pub clock_back: bool,
}

impl Chain {
    /// A chain that has seen nothing and expects genesis.
    pub fn new() -> Self {
        Self::default()
    }

    /// A chain whose entries before `start` are known to be good. Its first entry counts as known only once it was
    /// met ([`Chain::meet_genesis`]): what somebody expects it to be is no evidence.
    pub const fn starting(start: Start) -> Self {
        let Start { next, prev, ledger, genesis: _ } = start;
        Self { ledger, genesis: None, next, prev: Some(prev), head: None }
    }

    /// Checks that `body` is the next entry. `recorded` is the hash that stood beside it, where one did.
    ///
    /// # Errors
    /// The first reason why it is not.
    pub fn push(&mut self, body: &[u8], recorded: Option<EntryHash>) -> Result<Linked, Bad> {
        self.link(hashed(body, recorded)?)
    }

    /// The same for an entry that may stand further on than the next one ([`Chain::leap`]).
    ///
    /// # Errors
    /// The first reason why it cannot stand there.
    pub fn push_behind_gap(&mut self, body: &[u8], recorded: Option<EntryHash>) -> Result<Linked, Bad> {
        self.leap(hashed(body, recorded)?)
    }

    /// Checks that the entry which `facts` were taken from is the next one.
    ///
    /// # Errors
    /// The first reason why it is not.
    pub fn link(&mut self, facts: Facts) -> Result<Linked, Bad> {
        self.check_seq(&facts)?;
        match self.prev {
            Some(prev) => check_follows(&facts, self.ledger, prev)?,
            None => check_genesis(&facts)?,
        }
        Ok(self.accept(facts))
    }

    /// Takes an entry that stands further on than the next one, as if those between were there: its `prev` is
    /// believed. Whoever leaps must find out elsewhere what is missing, and why.
    ///
    /// # Errors
    /// Where it could not stand there either: it is of another ledger, is genesis, or stands further back.
    pub fn leap(&mut self, facts: Facts) -> Result<Linked, Bad> {
        if facts.seq < self.next {
            return Err(Bad::Order { expected: self.next, found: facts.seq });
        }
        check_follows(&facts, self.ledger, facts.prev)?;
        Ok(self.accept(facts))
    }

    /// Learns the hash of the first entry, where the chain was started behind it.
    pub const fn meet_genesis(&mut self, hash: EntryHash) {
        self.genesis = Some(hash);
    }

    fn accept(&mut self, facts: Facts) -> Linked {
        let clock_back = self.head.is_some_and(|head| facts.at < head.at);
        self.ledger = Some(facts.ledger);
        if facts.seq == 0 {
            self.genesis = Some(facts.hash);
        }
        self.next = facts.seq + 1;
        self.prev = Some(facts.hash);
        self.head = Some(facts);
        Linked { facts, clock_back }
    }

    fn check_seq(&self, facts: &Facts) -> Result<(), Bad> {
        let (expected, found) = (self.next, facts.seq);
        match found.cmp(&expected) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(Bad::Gap { expected, found }),
            std::cmp::Ordering::Less => Err(Bad::Order { expected, found }),
        }
    }

    /// How many entries there are so far, which is the seq that comes next.
    pub const fn entries(&self) -> u64 {
        self.next
    }

    /// Seq and hash of the newest entry, also where a chain that was started elsewhere has accepted none yet.
    pub fn newest(&self) -> Option<(u64, EntryHash)> {
        Some((self.next.checked_sub(1)?, self.prev?))
    }

    /// The newest entry that was accepted.
    pub const fn head(&self) -> Option<&Facts> {
        self.head.as_ref()
    }

    /// The hash of the first entry.
    pub const fn genesis(&self) -> Option<EntryHash> {
        self.genesis
    }

    /// The ledger's id.
    pub const fn ledger(&self) -> Option<LedgerId> {
        self.ledger
    }
}

/// What can be said of an entry without its neighbours: it is the first and a genesis, or neither.
pub(crate) fn check_alone(facts: &Facts) -> Result<(), Bad> {
    if facts.seq == 0 {
        return check_genesis(facts);
    }
    if facts.kind == Kind::Genesis {
        return Err(Bad::Genesis("an entry after the first is of kind 'genesis'"));
    }
    Ok(())
}

/// What `body` says, where it hashes to what stood beside it.
fn hashed(body: &[u8], recorded: Option<EntryHash>) -> Result<Facts, Bad> {
    let facts = inspect(body)?;
    match recorded {
        Some(recorded) if recorded != facts.hash => Err(Bad::Hash { computed: facts.hash, recorded }),
        _ => Ok(facts),
    }
}

fn check_genesis(facts: &Facts) -> Result<(), Bad> {
    if facts.kind != Kind::Genesis {
        return Err(Bad::Genesis("the first entry is not of kind 'genesis'"));
    }
    if facts.prev != EntryHash::ZERO {
        return Err(Bad::Genesis("the first entry's 'prev' is not zero"));
    }
    if facts.has_gate || facts.reference.is_some() {
        return Err(Bad::Genesis("the first entry has a 'gate' or a 'ref'"));
    }
    Ok(())
}

fn check_follows(facts: &Facts, ledger: Option<LedgerId>, prev: EntryHash) -> Result<(), Bad> {
    if let Some(ledger) = ledger
        && facts.ledger != ledger
    {
        return Err(Bad::Ledger { expected: ledger.to_string(), found: facts.ledger.to_string() });
    }
    if facts.prev != prev {
        return Err(Bad::Prev { expected: prev, found: facts.prev });
    }
    if facts.kind == Kind::Genesis {
        return Err(Bad::Genesis("an entry after the first is of kind 'genesis'"));
    }
    Ok(())
}
