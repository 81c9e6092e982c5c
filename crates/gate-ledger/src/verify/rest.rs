//! Entries that are missing because they were archived.
//!
//! A ledger that was archived lacks entries between those that were kept, and the statement that accounts for
//! them comes later. So a gap is crossed on probation: what is needed to judge it is remembered, and judged
//! once everything was read. Only genesis and policies are kept before a statement's position, so that a gap
//! behind anything else is none of an archive's, and what has to be remembered stays small.

use crate::archive::{EntryRef, MAX_KEPT, Statement, is_always_kept};
use crate::chain::{Bad, Chain, Facts, Linked};
use crate::entry::{Entry, EntryHash};

/// What is known about missing entries.
#[derive(Default)]
pub(super) struct Rest {
    /// The entries so far, while each of them is one that an archive keeps.
    kept: Vec<EntryRef>,
    /// Whether one was seen that an archive would not keep.
    closed: bool,
    /// The first gap.
    first: Option<Gap>,
    /// Where the last gap ends.
    last: Option<Edge>,
    /// How many entries were linked behind the first gap.
    pub(super) behind: u64,
    /// The newest statement: its entry, and what it says.
    newest: Option<(u64, Result<Statement, String>)>,
}

/// The first gap, should nothing account for it.
pub(super) struct Gap {
    /// The first missing position.
    pub(super) at: u64,
    /// The newest entry before it.
    pub(super) head: Option<(u64, EntryHash)>,
    /// What is wrong then.
    pub(super) bad: Bad,
}

/// The first entry behind a gap.
#[derive(Clone, Copy)]
struct Edge {
    seq: u64,
    /// The hash of the missing entry before it, as it says.
    prev: EntryHash,
}

impl Rest {
    /// Remembers `facts` if an archive would have kept that entry.
    pub(super) fn pass(&mut self, facts: &Facts) {
        self.behind += u64::from(self.first.is_some());
        if self.closed {
            return;
        }
        // The first entry behind a gap may be the first that was not moved, of whatever kind it is.
        if is_always_kept(facts.kind) && self.kept.len() < MAX_KEPT {
            self.kept.push(EntryRef { seq: facts.seq, hash: facts.hash });
        } else {
            self.closed = true;
        }
    }

    /// Lets no gap pass from now on, or lets one pass again.
    pub(super) const fn close(&mut self, closed: bool) {
        self.closed = closed;
    }

    /// Whether no entry was seen yet that an archive would not keep.
    pub(super) const fn is_open(&self) -> bool {
        !self.closed
    }

    /// Crosses the gap before `facts` on probation.
    ///
    /// # Errors
    /// The gap, where no archive can have left it.
    pub(super) fn cross(&mut self, chain: &mut Chain, facts: Facts, gap: Bad) -> Result<Linked, Bad> {
        let (at, head) = (chain.entries(), chain.newest());
        if self.closed || head.is_none() {
            return Err(gap);
        }
        let linked = chain.leap(facts)?;
        self.last = Some(Edge { seq: facts.seq, prev: facts.prev });
        self.first.get_or_insert(Gap { at, head, bad: gap });
        Ok(linked)
    }

    /// Takes an entry of kind `archive`.
    pub(super) fn state(&mut self, seq: u64, body: &[u8]) {
        let entry = Entry::from_body(body).map_err(|error| error.to_string());
        let statement = entry.and_then(|entry| Statement::of(&entry).map_err(|error| error.to_string()));
        self.newest = Some((seq, statement));
    }

    /// Whether entries are missing.
    pub(super) const fn is_broken(&self) -> bool {
        self.first.is_some()
    }

    /// The newest statement, and the entry that holds it.
    pub(super) fn statement(&self) -> Option<(u64, &Statement)> {
        let (seq, statement) = self.newest.as_ref()?;
        Some((*seq, statement.as_ref().ok()?))
    }

    /// The newest statement if it cannot be read, and why.
    pub(super) fn unreadable(&self) -> Option<(u64, &str)> {
        let (seq, statement) = self.newest.as_ref()?;
        Some((*seq, statement.as_ref().err()?))
    }

    /// The first gap, for whoever finds that nothing accounts for it.
    pub(super) fn take_first(&mut self) -> Option<Gap> {
        self.first.take()
    }

    /// The entries before `position` that were seen, as long as only such were seen that are kept.
    pub(super) fn kept_before(&self, position: u64) -> &[EntryRef] {
        &self.kept[..self.kept.partition_point(|kept| kept.seq < position)]
    }

    /// Whether the newest statement accounts for what is missing from `from` on.
    ///
    /// # Errors
    /// The position of the first entry that contradicts it, and how; none where there is no statement.
    pub(super) fn judge(&self, from: u64) -> Result<(), Option<(u64, Bad)>> {
        let (Some(first), Some(last)) = (&self.first, self.last) else { return Ok(()) };
        let Some((seq, statement)) = &self.newest else { return Err(None) };
        let wrong = |at: u64, defect: String| Some((at, Bad::Archive { statement: *seq, defect }));
        let statement = statement.as_ref().map_err(|defect| wrong(first.at, defect.clone()))?;
        if statement.before != last.seq {
            let defect = format!(
                "it says that entries before {} were moved, but the last that is missing is before {}",
                statement.before, last.seq
            );
            return Err(wrong(first.at, defect));
        }
        if statement.head.hash != last.prev {
            let defect = format!("entry {} names another last moved entry", last.seq);
            return Err(wrong(last.seq, defect));
        }
        self.judge_kept(statement, from).map_err(|(at, defect)| wrong(at, defect))
    }

    /// Compares the kept entries with those that the statement names, from the position `from` on.
    pub(super) fn judge_kept(&self, statement: &Statement, from: u64) -> Result<(), (u64, String)> {
        let named = &statement.kept[statement.kept.partition_point(|kept| kept.seq < from)..];
        let found = self.kept_before(statement.before);
        if let Some((named, found)) = named.iter().zip(found).find(|(named, found)| named != found) {
            let seq = named.seq.min(found.seq);
            let what =
                if named.seq == found.seq { "another entry stands at" } else { "the kept entries differ at" };
            return Err((seq, format!("{what} {seq}")));
        }
        let odd = named.get(found.len()).or_else(|| found.get(named.len()));
        odd.map_or(Ok(()), |odd| Err((odd.seq, format!("the kept entries differ at {}", odd.seq))))
    }
}
