//! Keeping count: the chain so far, the first bad entry, and what was odd.

use super::{FirstBad, Observer, Options, Outcome, Seen, VerifyError, Warning};
use crate::chain::{Bad, Chain, Facts};
use crate::entry::EntryHash;

/// What has been found so far.
pub(super) struct Tally<'o> {
    pin: Option<EntryHash>,
    observer: &'o mut dyn Observer,
    wants_entries: bool,
    chain: Chain,
    first_bad: Option<FirstBad>,
    good_after: u64,
    /// The seq of the last entry that could be read, good or not.
    last: Option<u64>,
    clock_back: Occasions,
    reformatted: Occasions,
    warnings: Vec<Warning>,
}

/// How often something was seen, and where first.
#[derive(Default)]
struct Occasions {
    count: u64,
    first: Option<u64>,
}

impl Occasions {
    fn add(&mut self, seq: u64) {
        self.count += 1;
        self.first.get_or_insert(seq);
    }

    fn warning(&self, code: &'static str, message: &str) -> Option<Warning> {
        let (count, seq) = (Some(self.count), Some(self.first?));
        Some(Warning { code, message: message.to_owned(), count, seq })
    }
}

impl<'o> Tally<'o> {
    pub(super) fn new(options: &Options, observer: &'o mut dyn Observer) -> Self {
        Self {
            pin: options.genesis,
            wants_entries: observer.wants_entries(),
            observer,
            chain: Chain::new(),
            first_bad: None,
            good_after: 0,
            last: None,
            clock_back: Occasions::default(),
            reformatted: Occasions::default(),
            warnings: Vec::new(),
        }
    }

    pub(super) const fn wants_entries(&self) -> bool {
        self.wants_entries
    }

    pub(super) const fn is_good(&self) -> bool {
        self.first_bad.is_none()
    }

    /// The position that the next entry should have.
    pub(super) const fn next(&self) -> u64 {
        self.chain.entries()
    }

    /// Takes what inspecting the next body in order found. `body` is asked for only if somebody looks.
    pub(super) fn take(&mut self, found: &Result<Facts, Bad>, body: &[u8]) -> Result<(), VerifyError> {
        if self.first_bad.is_some() {
            if let Ok(facts) = found {
                self.take_after(facts);
            }
            return Ok(());
        }
        let linked = match found {
            Ok(facts) => self.chain.link(*facts),
            Err(bad) => Err(bad.clone()),
        };
        match linked {
            Ok(linked) => self.take_good(linked.facts, linked.clock_back, body),
            Err(bad) => {
                self.bad(&bad);
                if let Bad::Gap { found, .. } = bad {
                    // The entry behind a gap is not itself the bad one.
                    self.good_after += 1;
                    self.last = Some(found);
                }
                Ok(())
            }
        }
    }

    fn take_good(&mut self, facts: Facts, clock_back: bool, body: &[u8]) -> Result<(), VerifyError> {
        if let Some(expected) = self.pin
            && facts.seq == 0
            && facts.hash != expected
        {
            return Err(VerifyError::OtherGenesis { expected, found: facts.hash });
        }
        if clock_back {
            self.clock_back.add(facts.seq);
        }
        self.last = Some(facts.seq);
        if self.wants_entries {
            self.observer.entry(Seen { seq: facts.seq, kind: facts.kind, hash: facts.hash, body });
        }
        Ok(())
    }

    fn take_after(&mut self, facts: &Facts) {
        let same_ledger = self.chain.ledger().is_none_or(|ledger| ledger == facts.ledger);
        if same_ledger && self.last.is_none_or(|last| facts.seq > last) {
            self.good_after += 1;
            self.last = Some(facts.seq);
        }
    }

    /// Records a defect at the position that comes next, if it is the first one.
    pub(super) fn bad(&mut self, bad: &Bad) {
        self.bad_at(self.chain.entries(), bad);
    }

    /// Records a defect at `seq`, if it is the first one.
    pub(super) fn bad_at(&mut self, seq: u64, bad: &Bad) {
        self.first_bad.get_or_insert_with(|| FirstBad { seq, code: bad.code(), reason: bad.to_string() });
    }

    /// Records that the next entry had to be written anew before it could be hashed.
    pub(super) fn reformatted(&mut self) {
        self.reformatted.add(self.chain.entries());
    }

    pub(super) fn warn(&mut self, code: &'static str, message: &str) {
        self.warnings.push(Warning { code, message: message.to_owned(), count: None, seq: None });
    }

    pub(super) fn progress(&mut self, total: Option<u64>) {
        let done = self.last.map_or(0, |last| last + 1);
        self.observer.progress(done, total);
    }

    pub(super) fn finish(mut self) -> Outcome {
        let clock = "the clock went back between entries; times are claims, so this is odd, not wrong";
        let format = "entries were re-spaced or re-ordered by a filter and were written anew to be hashed";
        self.warnings.extend(self.clock_back.warning("clock-back", clock));
        self.warnings.extend(self.reformatted.warning("reformatted", format));
        let genesis = self.chain.genesis();
        Outcome {
            entries: self.chain.entries(),
            head: self.chain.head().map(|facts| (facts.seq, facts.hash)),
            ledger: self.chain.ledger().map(|id| id.to_string()),
            genesis,
            genesis_pinned: self.pin.is_some() && self.pin == genesis,
            first_bad: self.first_bad,
            good_after: self.good_after,
            warnings: self.warnings,
        }
    }
}
