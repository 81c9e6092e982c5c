//! Entries in their order.

use super::{Bad, Facts, LedgerId, inspect};
use crate::entry::{EntryHash, Kind};

/// A chain as far as it has been seen. Feed it entries in order; after an error the chain stays as it was.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    ledger: Option<LedgerId>,
    genesis: Option<EntryHash>,
    next: u64,
    head: Option<Facts>,
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

    /// Checks that `body` is the next entry. `recorded` is the hash that stood beside it, where one did.
    ///
    /// # Errors
    /// The first reason why it is not.
    pub fn push(&mut self, body: &[u8], recorded: Option<EntryHash>) -> Result<Linked, Bad> {
        let facts = inspect(body)?;
        if let Some(recorded) = recorded
            && recorded != facts.hash
        {
            return Err(Bad::Hash { computed: facts.hash, recorded });
        }
        self.link(facts)
    }

    /// Checks that the entry which `facts` were taken from is the next one.
    ///
    /// # Errors
    /// The first reason why it is not.
    pub fn link(&mut self, facts: Facts) -> Result<Linked, Bad> {
        self.check_seq(&facts)?;
        match (self.ledger, self.head) {
            (Some(ledger), Some(head)) => check_follows(&facts, ledger, &head)?,
            _ => check_genesis(&facts)?,
        }
        let clock_back = self.head.is_some_and(|head| facts.at < head.at);
        self.ledger = Some(facts.ledger);
        self.genesis = self.genesis.or(Some(facts.hash));
        self.next += 1;
        self.head = Some(facts);
        Ok(Linked { facts, clock_back })
    }

    fn check_seq(&self, facts: &Facts) -> Result<(), Bad> {
        let (expected, found) = (self.next, facts.seq);
        match found.cmp(&expected) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(Bad::Gap { expected, found }),
            std::cmp::Ordering::Less => Err(Bad::Order { expected, found }),
        }
    }

    /// How many entries were accepted, which is the seq that comes next.
    pub const fn entries(&self) -> u64 {
        self.next
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

fn check_follows(facts: &Facts, ledger: LedgerId, head: &Facts) -> Result<(), Bad> {
    if facts.ledger != ledger {
        return Err(Bad::Ledger { expected: ledger.to_string(), found: facts.ledger.to_string() });
    }
    if facts.prev != head.hash {
        return Err(Bad::Prev { expected: head.hash, found: facts.prev });
    }
    if facts.kind == Kind::Genesis {
        return Err(Bad::Genesis("an entry after the first is of kind 'genesis'"));
    }
    Ok(())
}
