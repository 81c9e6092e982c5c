//! Keeping count: the chain so far, the first bad entry, and what was odd.
//!
//! Entries come one by one and in order, whatever they are read from; the chain, the gaps that an archive may have
//! left, and the observer see each of them once. What can be judged only at the end is in [`settle`].
//!
//! Invariant: the first defect stays the first; behind it entries are counted and nothing is taken as good.

mod settle;

use super::rest::Rest;
use super::segments::Segments;
use super::{FirstBad, Observer, Options, Seen, VerifyError, Warning};
use crate::chain::{Bad, Chain, Facts, Start};
use crate::entry::{EntryHash, Kind, LINE_EXTRA, cut_line};

/// What has been found so far.
pub(super) struct Tally<'o> {
    pin: Option<EntryHash>,
    observer: &'o mut dyn Observer,
    wants_entries: bool,
    chain: Chain,
    /// What was proven elsewhere, until an entry behind it comes.
    start: Option<Start>,
    /// How many entries were.
    proven: u64,
    /// Whether the last of these was seen and is the one that was proven.
    met: bool,
    rest: Rest,
    segments: Option<Segments>,
    /// Whether what is left of a ledger is read, or all of one; not segments.
    in_rest: bool,
    first_bad: Option<FirstBad>,
    /// The newest good entry, where the first bad one was found later.
    good_head: Option<(u64, EntryHash)>,
    good_after: u64,
    /// The seq of the last entry that could be read, good or not.
    last: Option<u64>,
    clock_back: Occasions,
    reformatted: Occasions,
    openings_alone: Occasions,
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
            chain: options.start.map_or_else(Chain::new, Chain::starting),
            start: options.start,
            proven: options.start.map_or(0, |start| start.next),
            met: false,
            rest: Rest::default(),
            segments: None,
            in_rest: false,
            first_bad: None,
            good_head: None,
            good_after: 0,
            last: None,
            clock_back: Occasions::default(),
            reformatted: Occasions::default(),
            openings_alone: Occasions::default(),
            warnings: Vec::new(),
        }
    }

    pub(super) const fn wants_entries(&self) -> bool {
        self.wants_entries
    }

    pub(super) const fn is_good(&self) -> bool {
        self.first_bad.is_none()
    }

    /// An opening is of the entry `seq`, which is not there: odd, unless it was archived.
    pub(super) fn opening_alone(&mut self, seq: u64) {
        if self.rest.statement().is_none_or(|(_, statement)| seq >= statement.before) {
            self.openings_alone.add(seq);
        }
    }

    /// The position that the next entry should have.
    pub(super) const fn next(&self) -> u64 {
        self.chain.entries()
    }

    /// The newest good entry.
    pub(super) fn newest(&self) -> Option<(u64, EntryHash)> {
        self.chain.newest()
    }

    /// The position from which entries are read, if not all are.
    pub(super) fn start(&self) -> Option<u64> {
        self.start.map(|start| start.next)
    }

    /// Segments come next, in which nothing may be missing.
    pub(super) const fn begin_segments(&mut self) {
        self.rest.close(true);
    }

    /// The segments came to their end.
    pub(super) fn read_segments(&mut self, segments: Segments) {
        self.segments = Some(segments);
    }

    /// What is left of the ledger comes next.
    pub(super) const fn begin_rest(&mut self) {
        self.rest.close(false);
        self.in_rest = true;
    }

    /// Takes what inspecting the next body in order found. `body` is asked for only if somebody looks, or if it
    /// holds a statement.
    pub(super) fn take(&mut self, found: &Result<Facts, Bad>, body: &[u8]) -> Result<(), VerifyError> {
        if self.first_bad.is_some() {
            if let Ok(facts) = found {
                self.take_after(facts, body);
            }
            return Ok(());
        }
        let facts = match found {
            Ok(facts) => *facts,
            Err(bad) => {
                self.bad(bad);
                return Ok(());
            }
        };
        if self.start.is_some() && self.take_proven(&facts)? {
            return Ok(());
        }
        match self.chain.link(facts) {
            Ok(linked) => self.take_good(linked.facts, linked.clock_back, body),
            Err(bad) => self.take_odd(facts, bad, body),
        }
    }

    /// Takes an entry that does not follow the one before it.
    fn take_odd(&mut self, facts: Facts, bad: Bad, body: &[u8]) -> Result<(), VerifyError> {
        let bad = match bad {
            Bad::Gap { expected, found } => match self.rest.cross(&mut self.chain, facts, bad) {
                Ok(linked) => {
                    self.observer.gap(expected..found);
                    return self.take_good(linked.facts, linked.clock_back, body);
                }
                Err(bad) => bad,
            },
            Bad::Order { .. } if self.is_repeated(&facts) => {
                self.rest.pass(&facts);
                return Ok(());
            }
            bad => bad,
        };
        self.bad(&bad);
        if let Bad::Gap { found, .. } = bad {
            // The entry behind a gap is not itself the bad one.
            self.good_after += 1;
            self.last = Some(found);
        }
        Ok(())
    }

    /// Whether the segments hold the same entry, which was kept in the ledger too.
    fn is_repeated(&self, facts: &Facts) -> bool {
        let in_order = self.rest.kept_before(u64::MAX).last().is_none_or(|last| last.seq < facts.seq);
        let again = self.segments.as_ref().is_some_and(|segments| segments.repeats(facts));
        again && in_order && self.in_rest && self.rest.is_open()
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
        self.rest.pass(&facts);
        if facts.kind == Kind::Archive {
            self.rest.state(facts.seq, body);
        }
        if self.wants_entries {
            self.observer.entry(Seen { seq: facts.seq, kind: facts.kind, hash: facts.hash, body });
        }
        Ok(())
    }

    /// Takes an entry before the position where reading begins. False where `facts` are not of one.
    fn take_proven(&mut self, facts: &Facts) -> Result<bool, VerifyError> {
        let Some(start) = self.start else { return Ok(false) };
        if facts.seq >= start.next {
            self.start = None;
            return Ok(false);
        }
        if facts.seq == 0
            && let Some(expected) = self.pin.or(start.genesis)
            && facts.hash != expected
        {
            return Err(VerifyError::OtherGenesis { expected, found: facts.hash });
        }
        if facts.seq == 0 {
            self.chain.meet_genesis(facts.hash);
        }
        if facts.seq + 1 == start.next {
            self.met = facts.hash == start.prev;
            if !self.met {
                self.bad_at(facts.seq, &Bad::Proven { expected: start.prev, found: facts.hash });
            }
        }
        Ok(true)
    }

    /// Whether the exported `line` is of an entry that was proven and need not be read: not the first, not the
    /// last of them.
    pub(super) fn is_proven(&self, line: &[u8]) -> bool {
        let Some(start) = &self.start else { return false };
        self.first_bad.is_none() && seq_of(line).is_some_and(|seq| seq > 0 && seq + 1 < start.next)
    }

    fn take_after(&mut self, facts: &Facts, body: &[u8]) {
        // It is bad anyway; but a statement that comes late tells which entry is the first bad one.
        if facts.kind == Kind::Archive {
            self.rest.state(facts.seq, body);
        }
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
}

/// The seq of an exported line, read off its end: `…,"seq":42,"v":1,"hash":"b3:…"}`. In a canonical line no
/// other member can stand there.
fn seq_of(line: &[u8]) -> Option<u64> {
    const LONGEST: usize = LINE_EXTRA + 40;
    const BEHIND: &[u8] = b",\"v\":1";
    let (cut, _) = cut_line(line)?;
    let tail = line[..cut].strip_suffix(BEHIND)?;
    let tail = &tail[tail.len().saturating_sub(LONGEST)..];
    let at = memchr::memmem::rfind(tail, b",\"seq\":")?;
    std::str::from_utf8(&tail[at + 7..]).ok()?.parse().ok()
}
