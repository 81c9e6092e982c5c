//! Walking over entries in batches, forward or backward.
//!
//! A batch is read in one short read transaction and checked; then the transaction is over and the entries
//! are handed out. Rows are asked for by position, so a batch that brings fewer has a gap. One that an archive's
//! statement accounts for is stepped over; any other is an error.

use std::ops::{ControlFlow, Range};

use gate_ledger::archive::Statement;
use gate_ledger::chain::{self, Bad, Facts, LedgerId};
use gate_ledger::entry::EntryHash;
use gate_ledger::store::{Ledger, StoreError, View};

use super::record::Record;

/// How many positions one batch spans at most.
const WIDTH: u64 = 2048;
/// How many bytes of bodies a batch holds before it is cut short.
const MAX_BYTES: usize = 4 << 20;

/// Hands every entry from `first` to `last` to `each`, oldest first, until it breaks off.
///
/// # Errors
/// A [`StoreError`]; [`StoreError::Bad`] names the first entry that is missing or not what was appended.
pub(super) fn forward(
    ledger: &Ledger,
    first: u64,
    last: u64,
    each: &mut dyn FnMut(&Record<'_>) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let mut batch = Batch::new(ledger);
    let mut from = first;
    while from <= last {
        let to = last.min(from.saturating_add(WIDTH - 1));
        let end = batch.read(ledger, from, to)?;
        for record in batch.records(ledger.view()) {
            if each(&record)?.is_break() {
                return Ok(());
            }
        }
        from = end;
    }
    Ok(())
}

/// The same, newest first.
pub(super) fn backward(
    ledger: &Ledger,
    first: u64,
    last: u64,
    each: &mut dyn FnMut(&Record<'_>) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let mut batch = Batch::new(ledger);
    // Most backward walks want a handful of entries, so they begin with small steps.
    let mut width = 64;
    let mut next = last.checked_add(1).filter(|_| last >= first);
    while let Some(end) = next {
        let from = end.saturating_sub(width).max(first);
        if batch.read(ledger, from, end - 1)? < end {
            // Too many bytes for one batch: the newest would be missing, so a shorter stretch is read.
            width = (width / 2).max(1);
            continue;
        }
        for record in batch.records(ledger.view()).rev() {
            if each(&record)?.is_break() {
                return Ok(());
            }
        }
        width = (width * 2).min(WIDTH);
        next = (from > first).then_some(from);
    }
    Ok(())
}

/// Why a row is not taken.
enum Unfit {
    Bad(Bad),
    Store(StoreError),
}

impl From<Bad> for Unfit {
    fn from(bad: Bad) -> Self {
        Self::Bad(bad)
    }
}

impl From<StoreError> for Unfit {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Checked entries, side by side.
#[derive(Default)]
struct Batch {
    ledger: Option<LedgerId>,
    bytes: Vec<u8>,
    entries: Vec<(Facts, Range<usize>)>,
    /// What was archived, once a gap was met.
    archived: Option<Statement>,
}

impl Batch {
    fn new(ledger: &Ledger) -> Self {
        Self { ledger: LedgerId::read(ledger.id().as_bytes()), ..Self::default() }
    }

    /// Reads the entries from `from` to `to`, as many as fit. Returns the position after the last one read.
    fn read(&mut self, ledger: &Ledger, from: u64, to: u64) -> Result<u64, StoreError> {
        self.bytes.clear();
        self.entries.clear();
        let mut next = from;
        let mut failure = None;
        ledger.view().scan_lines(from, Some(to), &mut |body, hash| {
            if self.bytes.len() > MAX_BYTES {
                return ControlFlow::Break(());
            }
            match self.take(ledger, next, body, hash) {
                Ok(seq) => {
                    next = seq + 1;
                    ControlFlow::Continue(())
                }
                Err(bad) => {
                    failure = Some(bad);
                    ControlFlow::Break(())
                }
            }
        })?;
        match failure {
            Some(Unfit::Bad(source)) => return Err(StoreError::bad(next, source)),
            Some(Unfit::Store(error)) => return Err(error),
            None => {}
        }
        if next <= to && self.bytes.len() <= MAX_BYTES {
            if !self.was_archived(ledger, next..to + 1)? {
                return Err(StoreError::bad(next, Bad::Gap { expected: next, found: to + 1 }));
            }
            next = to + 1;
        }
        Ok(next)
    }

    /// Whether all entries of `missing` were archived.
    fn was_archived(&mut self, ledger: &Ledger, missing: Range<u64>) -> Result<bool, StoreError> {
        let accounts = |statement: &Statement| {
            let first = statement.kept.partition_point(|kept| kept.seq < missing.start);
            let none_kept = statement.kept.get(first).is_none_or(|kept| kept.seq >= missing.end);
            missing.end <= statement.before && none_kept
        };
        if self.archived.as_ref().is_some_and(accounts) {
            return Ok(true);
        }
        // It may have been archived since the walk began.
        self.archived = ledger.view().archive()?.map(|(_, statement)| statement);
        Ok(self.archived.as_ref().is_some_and(accounts))
    }

    /// Takes the body that stands at position `expected`, or behind entries that were archived from there on.
    /// Returns its seq.
    fn take(&mut self, ledger: &Ledger, expected: u64, body: &[u8], hash: EntryHash) -> Result<u64, Unfit> {
        let facts = chain::inspect(body)?;
        if facts.hash != hash {
            return Err(Bad::Hash { computed: facts.hash, recorded: hash }.into());
        }
        let found = facts.seq;
        if found < expected {
            return Err(Bad::Order { expected, found }.into());
        }
        if found > expected && !self.was_archived(ledger, expected..found)? {
            return Err(Bad::Gap { expected, found }.into());
        }
        if self.ledger != Some(facts.ledger) {
            let expected = self.ledger.map_or_else(String::new, |ledger| ledger.to_string());
            return Err(Bad::Ledger { expected, found: facts.ledger.to_string() }.into());
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(body);
        self.entries.push((facts, start..self.bytes.len()));
        Ok(facts.seq)
    }

    fn records<'b>(&'b self, view: View<'b>) -> impl DoubleEndedIterator<Item = Record<'b>> {
        self.entries.iter().map(move |(facts, range)| Record {
            view: Some(view),
            facts: *facts,
            body: self.bytes.get(range.clone()).unwrap_or_default(),
        })
    }
}
